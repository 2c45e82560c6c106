//! A token that a program hands out: a cloud's secret store, a password manager. It is run without
//! a shell and with next to no environment, for ten seconds at most, and what it prints is seen by
//! nobody but who asked for the token.

use crate::config::environment;
use crate::net::Secret;
use std::io::{ErrorKind, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Longest output, in bytes.
const OUTPUT: usize = 16 << 10;
/// All that it gets of the environment.
const ENVIRONMENT: [&str; 3] = ["PATH", "HOME", "LANG"];
/// Between two looks whether it has ended.
const STEP: Duration = Duration::from_millis(10);

/// Runs the program and takes what it prints. The error is a sentence without its output.
pub(super) fn run(words: &[String]) -> Result<Secret, String> {
    within(words, LIMIT)
}

fn within(words: &[String], limit: Duration) -> Result<Secret, String> {
    let Some((program, arguments)) = words.split_first() else {
        return Err("the command for the token is empty".to_owned());
    };
    let shown = program.escape_debug().to_string();
    let cannot = |e: std::io::Error| format!("{shown} cannot be run for the token: {e}");
    // A socket and not a pipe: only its reads can be given a time.
    let (ours, theirs) = UnixStream::pair().map_err(cannot)?;
    let until = Instant::now() + limit;
    let mut child = {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|name| {
                let value = environment::variable(name)?;
                Some((*name, value))
            }))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::null())
            .process_group(0);
        // With the command goes our copy of its end; the reads below come to an end only then.
        command.spawn().map_err(cannot)?
    };
    let output = read(ours, until);
    let status = ended(&mut child, until);
    end(&mut child);
    let (output, status) = match (output, status) {
        (Ok(output), Some(status)) => (output, status),
        (Err(Stopped::Long), _) => {
            return Err(format!("{shown} printed more than {OUTPUT} bytes"));
        }
        (Err(Stopped::Late), _) | (Ok(_), None) => {
            let seconds = limit.as_secs();
            return Err(format!("{shown} gave no token within {seconds} s"));
        }
        (Err(Stopped::Broken(e)), _) => return Err(cannot(e)),
    };
    if !status.success() {
        return Err(format!("{shown} gave no token: it ended with {status}"));
    }
    let text = String::from_utf8(output).unwrap_or_default();
    match text.trim() {
        "" => Err(format!("{shown} printed no token")),
        token => Ok(Secret::new(token.to_owned())),
    }
}

enum Stopped {
    Late,
    Long,
    Broken(std::io::Error),
}

fn read(mut from: UnixStream, until: Instant) -> Result<Vec<u8>, Stopped> {
    let mut output = Vec::new();
    let mut part = [0; 4096];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Stopped::Late);
        }
        from.set_read_timeout(Some(left)).map_err(Stopped::Broken)?;
        match from.read(&mut part) {
            Ok(0) => return Ok(output),
            Ok(read) => output.extend(part.iter().take(read)),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            // What the program left unread when it ended comes as this.
            Err(e) if e.kind() == ErrorKind::ConnectionReset => return Ok(output),
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Err(Stopped::Late);
            }
            Err(e) => return Err(Stopped::Broken(e)),
        }
        if output.len() > OUTPUT {
            return Err(Stopped::Long);
        }
    }
}

/// How it ended; `None` where it did not in time.
fn ended(child: &mut Child, until: Instant) -> Option<std::process::ExitStatus> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status),
            Ok(None) if Instant::now() < until => std::thread::sleep(STEP),
            Ok(None) | Err(_) => return None,
        }
    }
}

/// Leaves nothing of it behind, whatever it started itself.
fn end(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id())
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    {
        // An error means that there is nobody left in it.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).to_vec()
    }

    fn fault(script: &str) -> String {
        within(&shell(script), Duration::from_secs(10)).unwrap_err()
    }

    #[test]
    fn the_token_is_what_it_prints() {
        let token = run(&shell("printf ' t0ken\\n\\n'")).unwrap();
        assert_eq!(token.expose(), "t0ken");
    }

    #[test]
    fn it_gets_next_to_no_environment() {
        let names = run(&shell("env | cut -d= -f1 | sort | tr '\\n' ' '")).unwrap();
        let known = ["PATH", "HOME", "LANG", "PWD", "OLDPWD", "SHLVL", "_"];
        for name in names.expose().split_whitespace() {
            assert!(known.contains(&name), "{name}");
        }
    }

    #[test]
    fn failures_are_told_without_what_was_printed() {
        let failed = fault("echo s3cret; echo s3cret >&2; exit 3");
        assert!(failed.contains("exit status: 3"), "{failed}");
        let long = fault("head -c 20000 /dev/zero | tr '\\0' s");
        assert!(long.contains("more than 16384 bytes"), "{long}");
        let none = fault("true");
        assert!(none.contains("printed no token"), "{none}");
        for said in [failed, long, none] {
            assert!(!said.contains("s3cret") && said.len() < 200, "{said}");
        }
        let missing = run(&["/nonexistent/token".to_owned()]).unwrap_err();
        assert!(missing.contains("/nonexistent/token"), "{missing}");
    }

    #[test]
    fn one_that_does_not_end_is_ended_with_all_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let script = format!("sleep 600 & echo $! > '{}'; wait", file.display());
        let late = within(&shell(&script), Duration::from_secs(1)).unwrap_err();
        assert!(late.contains("gave no token within"), "{late}");
        let pid = std::fs::read_to_string(&file).unwrap();
        let stat = format!("/proc/{}/stat", pid.trim());
        // It may lie there as a zombie until its new parent looks.
        let gone = |stat: &str| !stat.contains("(sleep)") || stat.contains(") Z ");
        while std::fs::read_to_string(&stat).is_ok_and(|stat| !gone(&stat)) {
            std::thread::sleep(STEP);
        }
    }
}
