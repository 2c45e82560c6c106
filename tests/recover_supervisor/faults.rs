//! Faults of the interface: nobody there, somebody else, half of an answer, garbage. Half of an answer is
//! an error and never a state.

use crate::daemon::{Daemon, Setup, client, free_port, is_absent, place, soon, state_when, wait};
use crate::proxy::{Proxy, Spoil, message};
use autofix::model::recovery::{InstanceState, State, Task};
use autofix::recover::{Error, ErrorKind, Platform, Supervisor};
use std::io::Write;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

const PROGRAMS: &str = "\
[program:web]
command=/bin/sleep 1000

[program:printer]
command=/bin/sh {dir}/printer.sh
stdout_logfile={dir}/printer.log
";

fn kind<T: std::fmt::Debug>(done: Result<T, Error>) -> ErrorKind {
    done.unwrap_err().kind
}

/// All that asks, one after the other.
fn all_say(client: &Supervisor, wanted: ErrorKind) {
    assert_eq!(kind(client.state(soon())), wanted);
    assert_eq!(kind(client.logs(None, 5, soon())), wanted);
    let task = Task::Restart { instance: None };
    let before = State {
        instances: vec![],
        ..State::default()
    };
    let stop = Task::Stop {
        instance: "web:web".to_owned(),
    };
    assert_eq!(kind(client.begin(&stop, &before, "x", soon())), wanted);
    assert!(client.plan(&task, &before).unwrap().is_empty());
}

#[test]
fn where_nobody_is_or_somebody_else_there_is_no_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let api = format!("unix://{}", path.display());
    let at = |api: &str| client(&place("web", api), None).unwrap();
    all_say(&at(&api), ErrorKind::Unreachable);
    std::fs::write(&path, "no socket").unwrap();
    all_say(&at(&api), ErrorKind::Unreachable);
    std::fs::remove_file(&path).unwrap();
    all_say(
        &at(&format!("http://127.0.0.1:{}", free_port())),
        ErrorKind::Unreachable,
    );

    let answer: Arc<Mutex<Vec<u8>>> = Arc::default();
    let listener = UnixListener::bind(&path).unwrap();
    let given = answer.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = message(&mut stream);
            let _ = stream.write_all(&given.lock().unwrap());
        }
    });
    for (text, wanted) in [
        ("SSH-2.0-OpenSSH_9.6\r\n", ErrorKind::Unreachable),
        ("", ErrorKind::Unreachable),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            ErrorKind::Missing,
        ),
        (
            "HTTP/1.1 405 No\r\nContent-Length: 0\r\n\r\n",
            ErrorKind::Missing,
        ),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            ErrorKind::Unreachable,
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>hi</html>",
            ErrorKind::Unreachable,
        ),
        (
            "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n",
            ErrorKind::Unreachable,
        ),
        (
            "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n",
            ErrorKind::Refused,
        ),
    ] {
        *answer.lock().unwrap() = text.as_bytes().to_vec();
        all_say(&at(&api), wanted);
    }
}

#[test]
fn a_wrong_target_or_address_is_told_before_anything_is_asked() {
    for target in ["", "web web", "web;rm", "wéb", "web\n", "web/x"] {
        let fault = client(&place(target, "unix:///s"), None)
            .err()
            .expect(target);
        assert_eq!(fault.kind, ErrorKind::Settings, "{target:?}");
    }
}

#[test]
fn over_tcp_it_wants_its_user_and_password() {
    let test = "over_tcp_it_wants_its_user_and_password";
    if is_absent(test) {
        return;
    }
    let port = free_port();
    let daemon = Daemon::start(&Setup {
        port: Some(port),
        ..Setup::of(PROGRAMS)
    });
    let place = place("web", &format!("http://127.0.0.1:{port}"));
    for token in [None, Some("bot:wrong"), Some(":"), Some("nobody:s3cret")] {
        let client = client(&place, token).unwrap();
        all_say(&client, ErrorKind::Refused);
        let said = client.state(soon()).unwrap_err().what;
        assert!(
            said.contains("token_env") && !said.contains("s3cret"),
            "{said}"
        );
    }
    for token in ["", "s3cret"] {
        let client = client(&place, Some(token)).unwrap();
        all_say(&client, ErrorKind::Settings);
        let said = client.state(soon()).unwrap_err().what;
        assert!(
            said.contains("user:password") && !said.contains("s3cret"),
            "{said}"
        );
    }
    let right = client(&place, Some("bot:s3cret")).unwrap();
    state_when(&right, "it runs", |state| {
        state.instances[0].state == InstanceState::Running
    });
    let before = right.state(soon()).unwrap();
    let task = Task::Restart { instance: None };
    right.begin(&task, &before, "x", soon()).unwrap();
    assert_eq!(daemon.spawned("web"), 2);
    // No such program.
    let other = client(&crate::daemon::place("wob", &daemon.socket()), None).unwrap();
    assert_eq!(kind(other.state(soon())), ErrorKind::Missing);
}

#[test]
fn one_that_goes_away_in_the_middle_leaves_doubt() {
    let test = "one_that_goes_away_in_the_middle_leaves_doubt";
    if is_absent(test) {
        return;
    }
    let mut daemon = Daemon::start(&Setup::of(PROGRAMS));
    let web = daemon.client("web");
    let before = state_when(&web, "it runs", |state| {
        state.instances[0].state == InstanceState::Running
    });
    daemon.end();
    let task = Task::Restart { instance: None };
    let soon_over = std::time::Instant::now() + std::time::Duration::from_secs(2);
    let fault = web.begin(&task, &before, "x", soon_over).unwrap_err();
    assert!(fault.leaves_doubt(), "{fault}");
    assert_eq!(kind(web.state(soon())), ErrorKind::Unreachable);
    // And one that says that it is about to go.
    daemon.go();
    let proxy = Proxy::before(&daemon.path("s"));
    let web = client(&place("web", &proxy.api()), None).unwrap();
    proxy.spoil(|_| Some(Spoil::Body(fault_of(6, "SHUTDOWN_STATE"))));
    assert_eq!(kind(web.state(soon())), ErrorKind::Unreachable);
    proxy.spoil(|_| Some(Spoil::Body(fault_of(10, "BAD_NAME\u{1b}[31m"))));
    let said = web.state(soon()).unwrap_err();
    assert_eq!(said.kind, ErrorKind::Missing);
    assert!(!said.what.contains('\u{1b}'), "{said}");
}

fn fault_of(code: i64, said: &str) -> Vec<u8> {
    format!(
        "<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode</name>\
         <value><int>{code}</int></value></member><member><name>faultString</name><value><string>{said}\
         </string></value></member></struct></value></fault></methodResponse>"
    )
    .into_bytes()
}

#[test]
fn half_of_an_answer_is_no_state() {
    let test = "half_of_an_answer_is_no_state";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    let proxy = Proxy::before(&daemon.path("s"));
    let web = client(&place("web", &proxy.api()), None).unwrap();
    state_when(&web, "it runs", |state| {
        state.instances[0].state == InstanceState::Running
    });
    for method in ["getAllProcessInfo", "readLog"] {
        for spoil in [Spoil::Cut, Spoil::Half] {
            proxy.spoil(move |call| call.contains(method).then(|| spoil.clone()));
            assert_eq!(kind(web.state(soon())), ErrorKind::Unreachable, "{method}");
        }
    }
}

/// A small generator: the same every time.
fn next(seed: &mut u64) -> usize {
    *seed = seed
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 33) as usize
}

#[test]
fn a_spoilt_answer_never_gives_a_state_that_the_whole_one_does_not() {
    let test = "a_spoilt_answer_never_gives_a_state_that_the_whole_one_does_not";
    if is_absent(test) {
        return;
    }
    let daemon = Daemon::start(&Setup::of(PROGRAMS));
    let proxy = Proxy::before(&daemon.path("s"));
    let web = client(&place("web", &proxy.api()), None).unwrap();
    let whole = state_when(&web, "it runs", |state| {
        state.instances[0].state == InstanceState::Running
    });
    let answer = asked(&daemon);
    let seed = &mut 7;
    let mut refused = 0;
    for round in 0..120 {
        let mut spoilt = answer.clone();
        let what = round % 4;
        match what {
            // The end is gone.
            0 => spoilt.truncate(next(seed) % answer.len()),
            // A piece is gone, and with it a mark of the XML.
            1 => {
                let at = next(seed) % answer.len();
                let at = at + spoilt[at..].iter().position(|b| *b == b'<').unwrap_or(0);
                let end = (at + 1 + next(seed) % 40).min(spoilt.len());
                spoilt.drain(at.min(end)..end);
            }
            // A byte that XML does not take.
            2 => {
                let marks: Vec<usize> = (0..spoilt.len())
                    .filter(|at| b"<>/".contains(&spoilt[*at]))
                    .collect();
                spoilt[marks[next(seed) % marks.len()]] = b"\x00&<x\xff"[next(seed) % 5];
            }
            // A part comes twice.
            _ => {
                let at = next(seed) % answer.len();
                let part = spoilt[..at].to_vec();
                spoilt.splice(..0, part);
            }
        }
        let given = spoilt.clone();
        proxy.spoil(move |call| {
            call.contains("getAllProcessInfo")
                .then(|| Spoil::Body(given.clone()))
        });
        match web.state(soon()) {
            Ok(state) => assert_eq!(state, whole, "{what}: {}", String::from_utf8_lossy(&spoilt)),
            Err(fault) => {
                let known = matches!(
                    fault.kind,
                    ErrorKind::Unreachable | ErrorKind::Invalid | ErrorKind::Missing
                );
                assert!(known, "{fault:?}");
                refused += 1;
            }
        }
    }
    assert!(refused >= 100, "{refused}");
}

/// The real answer to getAllProcessInfo.
fn asked(daemon: &Daemon) -> Vec<u8> {
    let body = "<?xml version=\"1.0\"?><methodCall><methodName>supervisor.getAllProcessInfo</methodName>\
                <params></params></methodCall>";
    let mut stream = std::os::unix::net::UnixStream::connect(daemon.path("s")).unwrap();
    let head = format!(
        "POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    message(&mut stream).unwrap().1
}

#[test]
fn output_of_any_kind_is_shown_as_far_as_it_can_be() {
    let test = "output_of_any_kind_is_shown_as_far_as_it_can_be";
    if is_absent(test) {
        return;
    }
    let mut daemon = Daemon::prepare(&Setup::of(PROGRAMS));
    // Letters of two bytes: wherever it is cut, it is cut within one for one length of two.
    let script = "i=0; while [ $i -lt 400 ]; do echo \"é$i ääääöööööüüüüüßßßßß\"; i=$((i+1)); done\n\
                  printf 'x\\033[31mred\\001\\n'; sleep 1000\n";
    std::fs::write(daemon.path("printer.sh"), script).unwrap();
    daemon.go();
    let printer = daemon.client("printer");
    wait("it has printed", || {
        let text = std::fs::read(daemon.path("printer.log")).unwrap_or_default();
        text.ends_with(b"\x01\n").then_some(())
    });
    for lines in [1, 2, 3, 5, 7, 10, 11, 50, 500] {
        let shown = printer
            .logs(None, lines, soon())
            .unwrap_or_else(|e| panic!("{lines}: {e}"));
        assert!(
            shown.len() <= lines && !shown.is_empty(),
            "{lines}: {}",
            shown.len()
        );
        assert!(shown.last().unwrap().text.contains("red"), "{lines}");
        assert!(shown.iter().all(|line| line.instance == "printer:printer"));
    }
    let whole = printer.logs(Some("printer:printer"), 401, soon()).unwrap();
    assert_eq!(whole.len(), 401);
    assert!(whole[0].text.starts_with("é0 "));
    assert!(printer.logs(Some("web:web"), 5, soon()).unwrap().is_empty());
}

#[test]
fn output_that_is_no_utf_8_is_said_to_be() {
    let test = "output_that_is_no_utf_8_is_said_to_be";
    if is_absent(test) {
        return;
    }
    let mut daemon = Daemon::prepare(&Setup::of(PROGRAMS));
    std::fs::write(
        daemon.path("printer.sh"),
        "printf 'a\\377b\\n'; sleep 1000\n",
    )
    .unwrap();
    daemon.go();
    let printer = daemon.client("printer");
    wait("it has printed", || {
        let text = std::fs::read(daemon.path("printer.log")).unwrap_or_default();
        text.ends_with(b"b\n").then_some(())
    });
    let fault = printer.logs(None, 5, soon()).unwrap_err();
    assert_eq!(fault.kind, ErrorKind::Invalid, "{fault}");
    assert!(fault.what.contains("UTF-8"), "{fault}");
}
