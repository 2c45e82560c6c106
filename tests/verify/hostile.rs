//! Suites that try to get out of the sandbox, to stay after it, or to take all there is. What is
//! tried inside is judged from outside, by what is left; or by a script that passes when nothing
//! it tried worked.

use crate::place::{Asked, Place, has, mark, patch, ran};
use crate::sample::Sample;
use autofix::patch::verify::{How, Limits, Ran, Verified};
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::{Duration, Instant};

fn small() -> Limits {
    Limits {
        step: Duration::from_secs(60),
        memory: 512 << 20,
        processes: 100,
        disk: 64 << 20,
        output: 1 << 20,
        ..Limits::default()
    }
}

/// A repository whose suite is one script, and a patch that changes nothing about it.
fn repository(script: &str) -> Sample {
    let sample = Sample::new();
    let files = [("suite", Some(script)), ("note.txt", Some("a\n"))];
    sample.commit(1.0, "first", &files);
    sample
}

fn suite(name: &str, command: &str, script: &str, limits: Limits) -> Option<(Place, Ran)> {
    if command.contains("python3") && !has("python3") {
        println!("SKIPPED {name}: there is no /usr/bin/python3");
        return None;
    }
    let place = Place::new(name)?;
    let sample = repository(script);
    let patch = patch(&sample, &[("note.txt", Some("b\n"))]);
    let mark = mark(name);
    let asked = Asked {
        limits,
        ..Asked::new(&mark, command)
    };
    let ran = ran(place.verify(&sample, &patch, &asked));
    Some((place, ran))
}

/// The suite must end like this, both before and after the fix.
fn ends(name: &str, command: &str, script: &str, limits: Limits, how: How) -> Option<Ran> {
    let (_, ran) = suite(name, command, script, limits)?;
    assert_eq!(
        (ran.before.ended, ran.with_fix.ended),
        (how, how),
        "{ran:?}"
    );
    Some(ran)
}

/// The suite must pass: nothing that it tried worked.
fn tries_in_vain(name: &str, command: &str, script: &str) {
    if let Some((_, ran)) = suite(name, command, script, small()) {
        assert!(
            ran.before.passed && ran.with_fix.passed,
            "{}",
            ran.before.output
        );
    }
}

#[test]
fn no_network_is_reached() {
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = tcp.local_addr().unwrap().port();
    let name = format!("autofix-verify-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
    let _unix = UnixListener::bind_addr(&address).unwrap();
    let script = format!(
        "import socket, sys\nbad = []\n\
         for family, to in [(socket.AF_INET, ('127.0.0.1', {port})), (socket.AF_INET, ('192.0.2.1', 80)),\n\
         \x20                  (socket.AF_UNIX, '\\0{name}')]:\n\
         \x20   s = socket.socket(family)\n    s.settimeout(5)\n\
         \x20   try:\n        s.connect(to)\n        bad.append(to)\n\
         \x20   except OSError as e:\n        print(to, e)\n\
         # Its own loopback works.\n\
         a = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(a.getsockname(), 5)\n\
         sys.exit(1 if bad else 0)\n"
    );
    tries_in_vain("no_network_is_reached", "python3 suite", &script);
}

#[test]
fn nothing_of_the_host_is_read() {
    let name = "nothing_of_the_host_is_read";
    let Some(place) = Place::new(name) else {
        return;
    };
    let state = place.state.path().display().to_string();
    let sample = repository(&format!(
        "for p in /root /home {state} {state}/secret /etc/shadow /run /var/run /var/lib /sys \
         /dev/vda /dev/mem /proc/kcore /etc/ssl/private /proc/1/root{state}; do\n\
         cat $p/* $p >/dev/null 2>&1 && {{ echo READ $p; exit 1; }}\n\
         ls $p/* >/dev/null 2>&1 && {{ echo LISTED $p; exit 1; }}\ndone\n\
         env | grep -v -E '^(PATH|HOME|LANG|CI|PWD|OLDPWD|SHLVL|_)=' && exit 1\n\
         tr '\\0' '\\n' </proc/1/environ | grep . && exit 1\n\
         ls /proc | grep -c '^[0-9]' | {{ read n; [ $n -lt 12 ] || exit 1; }} || exit 1\n\
         ls -l /proc/self/fd | grep -E -v ' (0|1|2|3) -> |total' && exit 1\nexit 0\n"
    ));
    let patch = patch(&sample, &[("note.txt", Some("b\n"))]);
    let mark = mark(name);
    let asked = Asked::new(&mark, "sh suite");
    let ran = ran(place.verify(&sample, &patch, &asked));
    assert!(ran.before.passed, "{}", ran.before.output);
}

/// State below a folder that is shown is hidden all the same.
#[test]
fn what_is_to_be_hidden_is_hidden_in_what_is_shown() {
    let name = "what_is_to_be_hidden_is_hidden_in_what_is_shown";
    let Some(place) = Place::new(name) else {
        return;
    };
    let tools = tempfile::tempdir().unwrap();
    let (open, key) = (tools.path().join("bin"), tools.path().join("key"));
    std::fs::create_dir(&open).unwrap();
    std::fs::write(open.join("tool"), "").unwrap();
    std::fs::write(&key, "secret").unwrap();
    let shown = tools.path().display();
    let sample = repository("");
    let patch = patch(&sample, &[("note.txt", Some("b\n"))]);
    let command = format!("test -e {shown}/bin/tool && ! grep -q secret {shown}/key");
    let with = |hidden: Vec<std::path::PathBuf>| {
        let limits = Limits {
            readable: vec![tools.path().to_path_buf()],
            hidden,
            ..small()
        };
        let mark = mark(name);
        let asked = Asked {
            limits,
            ..Asked::new(&mark, &command)
        };
        place.verify(&sample, &patch, &asked)
    };
    assert!(!ran(with(Vec::new())).before.passed);
    // A folder in which something hidden lies cannot be given at all.
    assert!(matches!(with(vec![key]), Verified::NotRunHere(_)));
    let mark = mark(name);
    let limits = Limits {
        hidden: vec!["/usr/share".into(), "/usr/bin/yes".into()],
        ..small()
    };
    let command =
        "ls /usr/share | grep . && exit 1; cat /usr/bin/yes | grep -q . && exit 1; exit 0";
    let asked = Asked {
        limits,
        ..Asked::new(&mark, command)
    };
    let ran = ran(place.verify(&sample, &patch, &asked));
    assert!(ran.before.passed, "{ran:?}");
}

#[test]
fn nothing_is_written_outside() {
    let script = "for f in /x /usr/x /etc/x /source/x /source/note.txt /bin/x /dev/x \
                  /opt/x /var/x; do\n\
                  ( echo x > $f ) 2>/dev/null && { echo WROTE $f; exit 1; }\ndone\n\
                  for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/hostname /proc/sysrq-trigger; do\n\
                  [ -w $f ] && { echo MAY WRITE $f; exit 1; }\ndone\n\
                  find /proc/sys /proc/irq /proc/bus /proc/fs -writable 2>/dev/null | grep . && exit 1\n\
                  for f in /proc/*; do [ -f $f ] && [ -w $f ] && { echo MAY WRITE $f; exit 1; }; done\n\
                  mount -t tmpfs none /usr 2>/dev/null && exit 1\n\
                  mount -o remount,rw /usr 2>/dev/null && exit 1\n\
                  unshare -r true 2>/dev/null && { echo userns; exit 1; }\n\
                  echo x > /tmp/x && echo x > x && echo x > $HOME/x && echo x > /var/tmp/x && \
                  echo x > /dev/shm/x\n";
    tries_in_vain("nothing_is_written_outside", "sh suite", script);
}

#[test]
fn no_process_of_the_host_is_traced_or_killed() {
    let host = std::process::id();
    let script = format!(
        "import ctypes, os, sys\nlibc = ctypes.CDLL(None, use_errno=True)\n\
         os.path.exists('/proc/{host}/mem') and {host} > 50 and sys.exit(1)\n\
         # 16: PTRACE_ATTACH.\n\
         {host} > 50 and libc.ptrace(16, {host}, 0, 0) == 0 and sys.exit(2)\n\
         try:\n    {host} > 50 and os.kill({host}, 9)\n    {host} > 50 and sys.exit(3)\n\
         except ProcessLookupError:\n    pass\n"
    );
    tries_in_vain(
        "no_process_of_the_host_is_traced_or_killed",
        "python3 suite",
        &script,
    );
}

#[test]
fn who_kills_its_parent_kills_the_sandbox_at_most() {
    let name = "who_kills_its_parent_kills_the_sandbox_at_most";
    let script = "kill -9 1; kill -9 $PPID; kill -9 -1; exit 0\n";
    if let Some((_, ran)) = suite(name, "sh suite; exit 3", script, small()) {
        assert!(!ran.before.passed, "{ran:?}");
    }
}

/// One after the other and no more than these: a real bomb would take the machine with it where
/// the code is wrong.
#[test]
fn too_many_processes_are_ended() {
    let name = "too_many_processes_are_ended";
    let script = "i=0\nwhile [ $i -lt 1500 ]; do sleep 20 & i=$((i+1)); done\nwait\n";
    let Some((_, ran)) = suite(name, "sh suite", script, small()) else {
        return;
    };
    // The guard sees it, or the kernel refuses first: whichever is quicker.
    for run in [&ran.before, &ran.with_fix] {
        let refused = run.ended == How::Exited && run.output.contains("fork");
        let seen = run.ended == How::TooManyProcesses;
        assert!(!run.passed && (refused || seen), "{run:?}");
    }
}

#[test]
fn memory_is_bounded() {
    let script = "x = []\nwhile True:\n    x.append(bytearray(1 << 20))\n";
    let name = "memory_is_bounded";
    ends(name, "python3 suite", script, small(), How::TooMuchMemory);
}

#[test]
fn output_is_bounded_and_its_end_is_kept() {
    let name = "output_is_bounded_and_its_end_is_kept";
    let ran = ends(name, "yes", "", small(), How::TooMuchOutput);
    assert!(ran.is_none_or(|ran| ran.before.output.len() < 20_000));
}

#[test]
fn files_are_bounded_in_sum() {
    let script = "i=0\nwhile [ $i -lt 200 ]; do\nhead -c 1000000 /dev/zero > f$i || exit 9\n\
                  i=$((i+1))\ndone\n";
    let name = "files_are_bounded_in_sum";
    if let Some(ran) = ends(name, "sh suite", script, small(), How::Exited) {
        assert_eq!(ran.before.status, Some(9), "{ran:?}");
    }
}

#[test]
fn one_file_is_bounded() {
    let name = "one_file_is_bounded";
    let command = "head -c 3000000000 /dev/zero > f && exit 0; exit 9";
    if let Some(ran) = ends(name, command, "", small(), How::Exited) {
        assert_eq!(ran.before.status, Some(9), "{ran:?}");
    }
}

#[test]
fn sleeping_is_bounded() {
    let limits = Limits {
        step: Duration::from_secs(1),
        ..small()
    };
    let began = Instant::now();
    let ran = ends(
        "sleeping_is_bounded",
        "sleep 600",
        "",
        limits,
        How::TimedOut,
    );
    if let Some(ran) = ran {
        assert_eq!(ran.before.status, None);
        assert!(began.elapsed() < Duration::from_secs(300));
    }
}

/// The mark in the daemon's command line is looked for when all is over.
#[test]
fn a_daemon_does_not_survive() {
    let name = "a_daemon_does_not_survive";
    let daemon = mark(name);
    let command = format!(
        "(setsid sh -c 'trap \"\" TERM HUP; (while :; do sleep 1; done; : {daemon}) & ' &) ; \
         sleep 1; echo started"
    );
    let ran = ends(name, &command, "", small(), How::Exited);
    assert!(ran.is_none_or(|ran| ran.before.passed && ran.before.output.contains("started")));
}

#[test]
fn links_out_of_the_repository_are_left_out() {
    let name = "links_out_of_the_repository_are_left_out";
    let Some(place) = Place::new(name) else {
        return;
    };
    let sample = repository("");
    let mut links = vec![("note.txt".to_owned(), "inside")];
    links.push(("/".to_owned(), "all"));
    links.push(("../../../../etc".to_owned(), "etc"));
    let base = sample.git.head().unwrap().peel_to_commit().unwrap();
    let mut index = git2::Index::new().unwrap();
    index.read_tree(&base.tree().unwrap()).unwrap();
    for (target, path) in &links {
        let id = sample.git.blob(target.as_bytes()).unwrap();
        let mut entry = index.get_path("note.txt".as_ref(), 0).unwrap();
        (entry.id, entry.mode, entry.path) = (id, 0o120_000, path.as_bytes().to_vec());
        index.add(&entry).unwrap();
    }
    let tree = index.write_tree_to(&sample.git).unwrap();
    let tree = sample.git.find_tree(tree).unwrap();
    let who = base.author();
    let head = Some("refs/heads/main");
    sample
        .git
        .commit(head, &who, &who, "links", &tree, &[&base])
        .unwrap();
    let patch = patch(&sample, &[("note.txt", Some("b\n"))]);
    let mark = mark(name);
    let command = "cat inside && ! test -L all && ! test -L etc";
    let ran = ran(place.verify(&sample, &patch, &Asked::new(&mark, command)));
    assert!(ran.before.passed && ran.with_fix.passed, "{ran:?}");
    assert!(
        ran.notes.iter().any(|note| note.starts_with("2 links")),
        "{ran:?}"
    );
}
