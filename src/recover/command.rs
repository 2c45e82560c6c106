//! A team's own verb: a program that is run without a shell, with next to no environment, nothing on
//! its input, and a time after which it is ended with everything that it started. What it prints is
//! hostile text, and bounded.

use crate::recover::error::{Error, ErrorKind, shown};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longest output that is kept; what is more is read and forgotten.
const OUTPUT: usize = 16 << 10;
/// Between two looks whether it has ended.
const STEP: Duration = Duration::from_millis(20);

/// Runs a program to its end; gives what it printed.
///
/// # Errors
/// `Settings` where it cannot be run: nothing was done. `Unreachable` where it was ended for its time,
/// `Refused` where it ended with a status other than 0: it may have done a part.
pub fn run(
    argv: &[String],
    environment: &[(String, String)],
    within: Duration,
) -> Result<String, Error> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(Error::new(ErrorKind::Settings, "the verb has no program"));
    };
    let name = shown(program);
    let cannot =
        |e: std::io::Error| Error::new(ErrorKind::Settings, format!("{name} cannot be run: {e}"));
    // A socket and not a pipe: only its reads can be given a time.
    let (ours, theirs) = UnixStream::pair().map_err(cannot)?;
    let errors = theirs.try_clone().map_err(cannot)?;
    let until = Instant::now() + within;
    let mut child = {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::from(OwnedFd::from(theirs)))
            .stderr(Stdio::from(OwnedFd::from(errors)))
            .process_group(0);
        // With the command go our copies of its ends; the reads below come to an end only then.
        command.spawn().map_err(cannot)?
    };
    let (output, status) = watched(ours, &mut child, until);
    end(&mut child);
    let output = shown(&String::from_utf8_lossy(&output));
    match status {
        Some(status) if status.success() => Ok(output),
        Some(status) => {
            let what = format!("{name} ended with {status}: {output}");
            Err(Error::new(ErrorKind::Refused, what))
        }
        None => {
            let seconds = within.as_secs();
            let what = format!("{name} did not end within {seconds} s and was ended: {output}");
            Err(Error::new(ErrorKind::Unreachable, what))
        }
    }
}

/// Reads until the program ends or its time is over. One that closes its output runs on.
fn watched(
    mut from: UnixStream,
    child: &mut Child,
    until: Instant,
) -> (Vec<u8>, Option<ExitStatus>) {
    let mut output = Vec::new();
    let mut part = [0; 4096];
    let mut open = from.set_read_timeout(Some(STEP)).is_ok();
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            // What is still on its way; a child of its own may hold the other end for ever.
            while let Ok(read @ 1..) = from.read(&mut part) {
                keep(&mut output, &part, read);
            }
            return (output, Some(status));
        }
        if Instant::now() >= until {
            return (output, None);
        }
        if !open {
            std::thread::sleep(STEP);
            continue;
        }
        match from.read(&mut part) {
            Ok(0) => open = false,
            Ok(read) => keep(&mut output, &part, read),
            Err(e) => {
                use std::io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
                open = matches!(e.kind(), Interrupted | TimedOut | WouldBlock);
            }
        }
    }
}

fn keep(output: &mut Vec<u8>, part: &[u8], read: usize) {
    let room = OUTPUT.saturating_sub(output.len());
    output.extend(part.iter().take(read.min(room)));
}

/// Leaves nothing of it behind, whatever it started itself.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok();
    if let Some(group) = group.and_then(rustix::process::Pid::from_raw) {
        // An error means that there is nobody left in it.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn sh(script: &str, within: Duration) -> Result<String, Error> {
        let path = [("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
        run(&argv(&["/bin/sh", "-c", script]), &path, within)
    }

    #[test]
    fn it_runs_without_a_shell_an_input_and_our_environment() {
        let long = Duration::from_secs(20);
        let said = run(&argv(&["/bin/echo", "a; touch b", "$HOME"]), &[], long);
        assert_eq!(said.unwrap(), "a; touch b $HOME");
        let said = sh(
            "cat; env | grep -vE '^(PATH|PWD|SHLVL|_|OLDPWD)='; echo end",
            long,
        );
        assert_eq!(said.unwrap(), "end");
    }

    #[test]
    fn a_status_a_time_out_and_a_missing_program_are_told_apart() {
        let long = Duration::from_secs(20);
        let kind = |done: Result<String, Error>| done.unwrap_err().kind;
        assert_eq!(kind(sh("echo no; exit 3", long)), ErrorKind::Refused);
        let short = Duration::from_millis(200);
        assert_eq!(kind(sh("sleep 60", short)), ErrorKind::Unreachable);
        assert_eq!(
            kind(run(&argv(&["/no/such"]), &[], long)),
            ErrorKind::Settings
        );
    }

    #[test]
    fn output_is_bounded_and_what_it_started_ends_with_it() {
        let long = Duration::from_secs(20);
        let said = sh("yes | head -c 3000000", long).unwrap();
        assert!(said.len() <= 300, "{}", said.len());
        let folder = tempfile::tempdir().unwrap();
        let mark = folder.path().join("mark");
        let script = format!("(sleep 1; touch {}) & echo started", mark.display());
        assert_eq!(sh(&script, long).unwrap(), "started");
        std::thread::sleep(Duration::from_millis(1_500));
        assert!(!mark.exists());
    }
}
