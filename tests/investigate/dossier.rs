//! What a model is shown first, and what is left out when there is no room for all.

use super::service::{broken, mended};
use crate::git::git;
use autofix::investigate::dossier::{Brief, KEPT_FIRST, Part, Past, lines_of, write};
use autofix::investigate::excerpts::WholeFunction;
use autofix::investigate::tools::Desk;
use autofix::investigate::{Excerpt, Findings, Suspect};
use autofix::model::{
    CommitId, ContextLine, Incident, IncidentId, Kind, Settings, Status, Timestamp,
};
use autofix::net::{self, Http};
use autofix::redact::Redactor;
use autofix::source::Mirrors;
use serde_json::json;
use std::time::{Duration, Instant};

fn incident() -> Incident {
    let line = |from: Option<&str>, text: String| ContextLine {
        time: Timestamp(0),
        text,
        from: from.map(str::to_owned),
    };
    let long = |what: &str, from: Option<&str>| -> Vec<ContextLine> {
        (0..50)
            .map(|at| line(from, format!("{what} {at} {}", "x".repeat(60))))
            .collect()
    };
    Incident {
        id: IncidentId(9),
        service: "shop".into(),
        fingerprint: "v1:aa".into(),
        kind: Kind::Error,
        title: "order 7 failed for jane@acme.example".into(),
        trace: None,
        lines: vec!["first\nsecond of jane@acme.example".into()],
        context: [
            long("around", None),
            long("other", Some("shop.two stdout")),
            long("near", Some("cart: cart.one stdout")),
        ]
        .concat(),
        stream: "shop.one".into(),
        first_seen: Timestamp(0),
        last_seen: Timestamp(0),
        count: 3,
        commit: None,
        status: Status::Open,
        reason: "a rule".into(),
        watch: None,
        location: None,
        proposal: None,
        previous: None,
        parent: None,
    }
}

#[test]
fn lines_have_ids_that_say_whose_they_are() {
    let lines = lines_of(&incident());
    let ids: Vec<&str> = lines.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(&ids[..3], ["L1", "L2", "C1"]);
    assert!(ids.contains(&"S50") && ids.contains(&"N50") && !ids.contains(&"C51"));
    assert_eq!(lines[1].text, "second of jane@acme.example");
}

/// A secret over many lines shows no part of itself, whatever part of it is looked at.
#[test]
fn no_line_of_a_key_is_shown_in_a_change_or_in_a_piece_of_source() {
    let folder = tempfile::TempDir::new().unwrap();
    let repo = folder.path().join("repo");
    broken(&repo);
    let body: Vec<String> = (0..24)
        .map(|at| format!("MIIEpAIBAAKCAQEA{at:02}0Z3VS5JJcds3xfnygWyF8PbnGy0AHB7MaTIjQQ"))
        .collect();
    let key = format!(
        "KEY = \"\"\"-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----\"\"\"\n",
        body.join("\n")
    );
    std::fs::write(repo.join("keys.py"), &key).unwrap();
    git(&repo, &["add", "."]);
    git(&repo, &["commit", "-qm", "Keep a key"]);
    let added = git(&repo, &["rev-parse", "HEAD"]);
    // A change inside of it, so that its diff has neither of its ends.
    std::fs::write(repo.join("keys.py"), key.replace(&body[12], &body[3])).unwrap();
    git(&repo, &["commit", "-qam", "Turn it over"]);
    let head = git(&repo, &["rev-parse", "HEAD"]);
    let http = Http::new(&net::Settings::default()).unwrap();
    let mirrors = Mirrors::new(
        folder.path().join("mirrors"),
        http,
        autofix::log::Log::silent(),
    );
    let until = Instant::now() + Duration::from_secs(60);
    let open = mirrors
        .open(repo.to_str().unwrap(), &|_| None, until)
        .unwrap();
    let suspect = |commit: &str| Suspect {
        commit: commit.to_owned(),
        author: None,
        date: Timestamp(0),
        summary: "a change".into(),
        files: vec!["keys.py".into()],
        why: "it wrote the line".into(),
        score: 0.9,
    };
    // It was printed, too: in one record, and line by line before it.
    let incident = Incident {
        lines: vec![key.clone()],
        context: key
            .lines()
            .map(|line| ContextLine {
                time: Timestamp(0),
                text: line.to_owned(),
                from: None,
            })
            .collect(),
        ..incident()
    };
    let logged = lines_of(&incident);
    let settings = Settings {
        service: "shop".into(),
        ..Settings::default()
    };
    let lines: Vec<String> = key.lines().skip(6).take(9).map(str::to_owned).collect();
    let functions = [WholeFunction {
        source: Excerpt {
            file: "keys.py".into(),
            first_line: 7,
            lines,
            marked: Some(9),
        },
        class: None,
        header: None,
        left_out: 0,
    }];
    let findings = Findings {
        suspects: vec![suspect(&added), suspect(&head)],
        ..Findings::default()
    };
    let commit = open.lookup(&CommitId::parse(&head).unwrap()).unwrap();
    let brief = Brief {
        incident: &incident,
        settings: &settings,
        repo: &open,
        commit,
        findings: &findings,
        functions: &functions,
        last_good: None,
        seen: &[],
        past: &[],
        tried: &[],
        recovery: &[],
        lines: &logged,
    };
    let redactor = Redactor::new(&autofix::redact::Settings::default()).unwrap();
    let all = write(&brief, &mut redactor.scope(), 64 << 10, until);
    let text = all.text.as_str();
    assert!(text.contains("keys.py"), "{text}");
    assert!(!text.contains("0Z3VS5JJcds3xfn"), "{text}");
    // The same through the tools.
    let mut desk = Desk::new(&open, commit, &settings, &logged);
    for (tool, input) in [
        ("show_commit", json!({"commit": head})),
        ("history", json!({"path": "keys.py", "from": 14, "to": 14})),
        ("read_logs", json!({})),
        ("read_logs", json!({"pattern": "KEY|0Z3VS5JJcds3xfn"})),
    ] {
        let shown = desk.run(tool, &input, &mut redactor.scope(), until);
        let text = shown.content.as_str();
        let spoken = text.contains("keys.py") || text.contains("[private-key-1]");
        assert!(!shown.is_error && spoken, "{tool}: {text}");
        assert!(!text.contains("0Z3VS5JJcds3xfn"), "{tool}: {text}");
    }
}

#[test]
fn what_does_not_fit_is_cut_in_the_stated_order_and_said() {
    let folder = tempfile::TempDir::new().unwrap();
    let repo = folder.path().join("repo");
    let bad = broken(&repo);
    let first = git(&repo, &["rev-parse", "HEAD~1"]);
    mended(&repo);
    let http = Http::new(&net::Settings::default()).unwrap();
    let mirrors = Mirrors::new(
        folder.path().join("mirrors"),
        http,
        autofix::log::Log::silent(),
    );
    let until = Instant::now() + Duration::from_secs(60);
    let open = mirrors
        .open(repo.to_str().unwrap(), &|_| None, until)
        .unwrap();
    let commit = |id: &str| open.lookup(&CommitId::parse(id).unwrap()).unwrap();
    let incident = incident();
    let lines = lines_of(&incident);
    let findings = Findings {
        suspects: vec![Suspect {
            commit: bad.clone(),
            author: None,
            date: Timestamp(0),
            summary: "Call it count".into(),
            files: vec!["app.py".into()],
            why: "it wrote the line".into(),
            score: 0.9,
        }],
        why: "taken back".into(),
        ..Findings::default()
    };
    let settings = Settings {
        service: "shop".into(),
        description: Some("Takes orders.\nAdds them up.".into()),
        ..Settings::default()
    };
    let id = CommitId::parse(&bad);
    let seen = [(Timestamp(0), id.clone()), (Timestamp(1), id)];
    let past = [Past {
        id: 4,
        title: "the same in spring".into(),
        last_seen: Timestamp(0),
        status: "merged",
        reason: "held".into(),
        same: true,
    }];
    let tried = ["reported: no suspect".to_owned()];
    let recovery = ["may be asked for: restart".to_owned()];
    let brief = Brief {
        incident: &incident,
        settings: &settings,
        repo: &open,
        commit: commit(&bad),
        findings: &findings,
        functions: &[],
        last_good: Some(commit(&first)),
        seen: &seen,
        past: &past,
        tried: &tried,
        recovery: &recovery,
        lines: &lines,
    };
    let redactor = Redactor::new(&autofix::redact::Settings::default()).unwrap();
    let all = write(&brief, &mut redactor.scope(), 64 << 10, until);
    let text = all.text.as_str();
    for says in [
        "order 7 failed for [email-1]",
        "L2 second of [email-1]",
        "Adds them up.",
        "Commits since then",
        "Call it count",
        "-    return order[\"price\"] * order[\"qty\"]",
        "the same in spring",
        "reported: no suspect",
        "C1 ",
        "S50 ",
        "N50 ",
    ] {
        assert!(text.contains(says), "{says}: {text}");
    }
    // Half the room: what is cut are the last of the stated order, whatever is asked for.
    let rank = |part: &Part| KEPT_FIRST.iter().position(|kept| kept == part).unwrap();
    for bytes in [2_000, 4_000, 8_000, 12_000] {
        let some = write(&brief, &mut redactor.scope(), bytes, until);
        assert!(
            some.text.len() < bytes + 4_000,
            "{bytes}: {}",
            some.text.len()
        );
        let text = some.text.as_str();
        assert!(text.contains("L2 second of"), "{bytes}: {text}");
        assert!(text.contains("Cut: "), "{bytes}: {text}");
        assert!(
            some.cut.contains(&Part::Neighbours),
            "{bytes}: {:?}",
            some.cut
        );
        let first = some.cut.iter().map(rank).min().unwrap();
        assert!(first > rank(&Part::Lines), "{bytes}: {:?}", some.cut);
    }
}
