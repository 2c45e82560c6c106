//! Faults that are not the program's own, through a whole instance: one line is none, a neighbour
//! that stays away is one incident, and its report holds no patch, whatever the repository says.

use super::{CRASH, TempDir, feed, incidents, of_broken_service, started, state_of, stop, text};
use autofix::model::{Incident, Kind, Status, Timestamp};
use autofix::plugin::Flush;
use autofix::record::encode::{self, Layout};
use std::path::Path;

const START: i64 = 1_767_225_600;

/// What becomes of lines at these seconds.
fn of_lines(lines: &[(i64, &str)]) -> Vec<Incident> {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    let mut bytes = Vec::new();
    for (second, line) in lines {
        let time = Timestamp::from_parts(START + second, 0);
        encode::record(&mut bytes, Layout::New, time, &[("log", *line)]);
    }
    assert_eq!(instance.flush(b"app", &bytes), Flush::Taken);
    stop(&instance);
    incidents(&state)
}

const REFUSED: &str = "ERROR dial tcp 10.0.3.7:5432: connect: connection refused";

#[test]
fn a_refused_connection_is_noise_until_the_neighbour_stays_away() {
    assert_eq!(of_lines(&[(0, REFUSED), (30, REFUSED)]), []);
    let moved = "ERROR dial tcp 10.0.9.9:5432: i/o timeout";
    let all = of_lines(&[(0, REFUSED), (20, moved), (40, REFUSED)]);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!((all[0].kind, all[0].lines.len()), (Kind::Environment, 3));
    assert_eq!(all[0].watch.as_deref(), Some("unreachable:*:5432"));
    assert!(all[0].title.contains("10.0.3.7:5432"), "{}", all[0].title);
    assert!(
        all[0].reason.contains("3 such lines within 40 s"),
        "{}",
        all[0].reason
    );
    // Two neighbours, each too seldom.
    let other = "ERROR dial tcp 10.0.3.7:6379: connect: connection refused";
    let both = [(0, REFUSED), (1, other), (2, REFUSED), (3, other)];
    assert_eq!(of_lines(&both), []);
}

#[test]
fn a_full_disk_is_one_at_once_and_below_error_nothing_is() {
    let full = "ERROR write /data/x: no space left on device";
    let all = of_lines(&[
        (0, full),
        (1, "ERROR write /var/y: no space left on device"),
    ]);
    assert_eq!((all.len(), all[0].count), (1, 2), "{all:#?}");
    let coped = REFUSED.replace("ERROR", "WARN");
    assert_eq!(
        of_lines(&[(0, &coped), (1, &coped), (2, &coped), (3, &coped)]),
        []
    );
}

#[test]
fn the_error_that_stands_beside_a_message_counts() {
    let line = r#"{"level":"error","msg":"cannot load","error":"dial tcp: lookup db.prod on 10.0.0.2:53: no such host"}"#;
    let all = of_lines(&[(0, line), (1, line), (2, line)]);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].watch.as_deref(), Some("dns:db.prod"));
    let calm = line.replace("\"error\",\"msg", "\"info\",\"msg");
    assert_eq!(of_lines(&[(0, &calm), (1, &calm), (2, &calm)]), []);
}

#[test]
fn the_error_of_a_record_s_own_fields_counts() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let (instance, _) = started(&[("State_Dir", text(&state))]);
    let mut bytes = Vec::new();
    for second in 0..3 {
        let time = Timestamp::from_parts(START + second, 0);
        let error = "connect ECONNREFUSED 127.0.0.1:6379";
        let fields = [
            ("message", "cannot ping"),
            ("level", "error"),
            ("err", error),
        ];
        encode::record(&mut bytes, Layout::New, time, &fields);
    }
    assert_eq!(instance.flush(b"app", &bytes), Flush::Taken);
    stop(&instance);
    let all = incidents(&state);
    assert_eq!(all.len(), 1, "{all:#?}");
    assert_eq!(all[0].watch.as_deref(), Some("unreachable:localhost:6379"));
}

/// The same trace, but for what was raised, has a diff (`a_crash_becomes_a_diff_that_git_applies`).
#[test]
fn a_crash_through_a_neighbour_has_a_report_that_names_it_and_no_patch() {
    let folder = TempDir::new().unwrap();
    let (state, repo) = (state_of(&folder), folder.path().join("repo"));
    let instance = of_broken_service(&state, &repo, &[]);
    let raised = "psycopg2.OperationalError: connection to server at \"db.prod\" (10.0.3.7), port \
                  5432 failed: Connection refused";
    feed(&instance, &CRASH.replace("KeyError: 'count'", raised));
    feed(&instance, "process exited with code 1");
    let all = super::wait_for(&state, |all| {
        all.first()
            .is_some_and(|one| one.status == Status::Reported)
    });
    stop(&instance);
    assert_eq!(all.len(), 1, "the exit tells of the same end: {all:#?}");
    let one = &all[0];
    assert_eq!((one.kind, one.location.as_ref()), (Kind::Environment, None));
    assert!(one.proposal.is_none());
    let folder = state.join("incidents/1");
    assert!(!folder.join("fix.patch").exists());
    let report = read(&folder.join("report.md"));
    for says in [
        "db.prod:5432",
        "so that it ended",
        "no patch is made",
        "- times: once",
    ] {
        assert!(report.contains(says), "{says}: {report}");
    }
    // In what leaves the host a label holds no name out of a log; texts are redacted.
    let journal = read(&state.join("incidents.jsonl"));
    assert!(journal.contains("\"watch\":\"unreachable\""), "{journal}");
    assert!(
        journal.contains("\"title\":\"no connection to db.prod:5432"),
        "{journal}"
    );
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

/// What is said beside a fault is kept with it: by other streams of the service before and after it
/// in the same chunk, by neighbours that the registry names, and by nobody else.
#[test]
fn other_streams_and_named_neighbours_are_heard_and_nobody_else() {
    let folder = TempDir::new().unwrap();
    let state = state_of(&folder);
    let registry = folder.path().join("services.toml");
    let service = |name: &str, owner: &str, more: &str| {
        format!(
            "[[service]]\nname = \"{name}\"\nowner = \"{owner}\"\nmatch = {{ tag = \"{name}.*\" }}\n{more}\n"
        )
    };
    let services = service("shop", "web", "context_from = [\"cart\"]")
        + &service("cart", "web", "")
        + &service("bank", "money", "")
        + &service("mail", "web", "");
    std::fs::write(&registry, services).unwrap();
    let (instance, lines) = started(&[
        ("State_Dir", text(&state)),
        ("Services", text(&registry)),
        ("Mode", "observe".to_owned()),
    ]);
    for (tag, said) in [
        ("shop.two", "INFO the other stream of the shop"),
        ("cart.one", "INFO the cart is full"),
        ("bank.one", "INFO account 7 is empty"),
        ("mail.one", "INFO mail was sent"),
    ] {
        assert_eq!(
            instance.flush(tag.as_bytes(), &super::chunk(said)),
            Flush::Taken
        );
    }
    let crash = super::chunk(&format!("INFO before\n{CRASH}\nINFO after"));
    assert_eq!(instance.flush(b"shop.one", &crash), Flush::Taken);
    stop(&instance);
    let all = incidents(&state);
    assert_eq!(all.len(), 1, "{all:#?} {:?}", lines.lock().unwrap());
    let heard: Vec<(Option<&str>, &str)> = all[0]
        .context
        .iter()
        .map(|line| (line.from.as_deref(), line.text.as_str()))
        .collect();
    assert!(heard.contains(&(None, "INFO before")), "{heard:?}");
    let says = |from: &str, text: &str| {
        heard
            .iter()
            .any(|(of, line)| of.is_some_and(|of| of.contains(from)) && line.contains(text))
    };
    assert!(says("shop.two", "other stream"), "{heard:?}");
    assert!(says("cart: ", "the cart is full"), "{heard:?}");
    let all = format!("{heard:?}");
    assert!(!all.contains("account") && !all.contains("mail"), "{all}");
}
