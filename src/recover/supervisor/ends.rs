//! How processes ended, out of supervisord's own log. At its debug level that log also holds what
//! programs print, and anybody could write there: then nothing in it is believed.

use crate::model::Timestamp;
use crate::model::recovery::Exit;
use std::time::Duration;

/// What is read of the log's end. Longer than the longest piece of a program's output that supervisord
/// writes at once (128 KiB), so that at least one line that says so is among it.
pub(super) const TAIL: i64 = 192 << 10;

/// Seconds by which a line may be older than the one before it.
const BACK: i64 = 600;
/// Seconds that may lie between a start and its line.
const SLACK: i64 = 5;
/// No zone is farther from UTC, in seconds.
const FARTHEST: i64 = 15 * 3_600;

/// What is known of a process that was started, to find how the log's clock stands to ours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spawned<'a> {
    pub name: &'a str,
    /// 0: it does not run now. Then no other process may have its name.
    pub pid: i64,
    /// Seconds since the epoch.
    pub start: i64,
}

/// The log as lines that are its own.
pub(super) struct Log<'a> {
    lines: Vec<(i64, &'a str)>,
    /// Seconds that its clock is ahead of UTC.
    ahead: i64,
}

impl<'a> Log<'a> {
    /// `None` where it cannot be believed, or its clock cannot be told: it writes local times without a
    /// zone.
    pub fn read(text: &'a str, spawned: &[Spawned<'_>]) -> Option<Log<'a>> {
        let mut lines = Vec::new();
        for line in text.lines() {
            let Some((time, level, rest)) = parts(line) else {
                continue;
            };
            match level {
                "DEBG" | "TRAC" | "BLAT" => return None,
                "INFO" | "WARN" | "ERRO" | "CRIT" => {
                    // The clock was put back, by an hour in autumn: how it stood before is not known.
                    if lines.last().is_some_and(|(last, _)| time + BACK < *last) {
                        lines.clear();
                    }
                    lines.push((time, rest));
                }
                _ => {}
            }
        }
        let ahead = spawned.iter().find_map(|one| {
            let said = match one.pid {
                0 => format!("spawned: '{}' with pid ", one.name),
                pid => format!("spawned: '{}' with pid {pid}", one.name),
            };
            let found = lines.iter().rev().find(|(_, line)| match one.pid {
                0 => line.starts_with(&said),
                _ => *line == said,
            });
            // One that could not be started has a start, and no line of it: an older one means nothing.
            let (time, _) = found.filter(|_| one.start > 0)?;
            let ahead = quarter(time - one.start);
            let fits = (time - one.start - ahead).abs() <= SLACK && ahead.abs() <= FARTHEST;
            fits.then_some(ahead)
        });
        Some(Log {
            ahead: ahead?,
            lines,
        })
    }

    /// How a process ended, oldest first. Each end is of a run that began: of several behind one begin only
    /// the first is believed, and none behind the begin of the run that goes on (`pid`; 0: there is none).
    pub fn exits(&self, name: &str, pid: i64) -> Vec<Exit> {
        let begins = format!("spawned: '{name}' with pid ");
        let (mut ends, mut runs) = (Vec::new(), true);
        for (time, line) in &self.lines {
            if line.starts_with(&begins) {
                runs = true;
            } else if let Some(end) = self.end(name, *time, line)
                && runs
            {
                ends.push(end);
                runs = false;
            }
        }
        if pid > 0 && !runs {
            ends.pop();
        }
        ends
    }

    fn end(&self, name: &str, time: i64, line: &str) -> Option<Exit> {
        let (wanted, rest) = match line.split_once(": ")? {
            ("exited", rest) => (false, rest),
            ("stopped", rest) => (true, rest),
            _ => return None,
        };
        let how = rest
            .strip_prefix(name)?
            .strip_prefix(" (")?
            .strip_suffix(')')?;
        exit(how, wanted, time - self.ahead)
    }
}

/// Zones differ by quarters of an hour; what is left is the second in between.
fn quarter(seconds: i64) -> i64 {
    const QUARTER: i64 = 15 * 60;
    (seconds + QUARTER / 2).div_euclid(QUARTER) * QUARTER
}

/// `exit status 1; not expected`, `terminated by SIGKILL; not expected`, `exit status 0; expected`.
fn exit(how: &str, wanted: bool, seconds: i64) -> Option<Exit> {
    let (how, expected) = match how.split_once("; ") {
        Some((how, "expected")) => (how, true),
        Some((how, "not expected")) => (how, false),
        Some(_) => return None,
        None => (how, false),
    };
    let (code, signal) = match (
        how.strip_prefix("exit status "),
        how.strip_prefix("terminated by "),
    ) {
        (Some(code), _) => (code.parse().ok(), None),
        (None, Some(signal)) => (
            None,
            Some(number(signal.trim_end_matches(" (core dumped)"))),
        ),
        (None, None) => return None,
    };
    Some(Exit {
        at: Timestamp::from_parts(seconds, 0),
        code,
        signal,
        // Who killed it is not told.
        oom: false,
        wanted: wanted || expected,
    })
}

/// A signal's number by the name that supervisord has for it; 0 where nobody knows it.
fn number(signal: &str) -> i32 {
    const NAMES: [(&str, i32); 25] = [
        ("SIGHUP", 1),
        ("SIGINT", 2),
        ("SIGQUIT", 3),
        ("SIGILL", 4),
        ("SIGTRAP", 5),
        ("SIGABRT", 6),
        ("SIGIOT", 6),
        ("SIGBUS", 7),
        ("SIGFPE", 8),
        ("SIGKILL", 9),
        ("SIGUSR1", 10),
        ("SIGSEGV", 11),
        ("SIGUSR2", 12),
        ("SIGPIPE", 13),
        ("SIGALRM", 14),
        ("SIGTERM", 15),
        ("SIGSTKFLT", 16),
        ("SIGXCPU", 24),
        ("SIGXFSZ", 25),
        ("SIGVTALRM", 26),
        ("SIGPROF", 27),
        ("SIGIO", 29),
        ("SIGPOLL", 29),
        ("SIGPWR", 30),
        ("SIGSYS", 31),
    ];
    if let Some((_, number)) = NAMES.iter().find(|(name, _)| *name == signal) {
        return *number;
    }
    let digits = signal.strip_prefix("signal ");
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// `2026-11-28 18:00:00,123 INFO exited: …`: seconds as if it were UTC, level, rest.
fn parts(line: &str) -> Option<(i64, &str, &str)> {
    const FORMAT: &[time::format_description::BorrowedFormatItem<'_>] =
        time::macros::format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let (stamp, rest) = line.split_at_checked(19)?;
    let time = time::PrimitiveDateTime::parse(stamp, FORMAT).ok()?;
    let rest = rest.strip_prefix(',')?;
    let (millis, rest) = rest.split_once(' ')?;
    if millis.len() != 3 || !millis.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (level, rest) = rest.split_once(' ')?;
    Some((time.assume_utc().unix_timestamp(), level, rest))
}

/// The time that lies between two looks at whether something began: supervisord counts in seconds.
pub(super) const SECOND: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "2026-11-28 20:00:00,001 INFO supervisord started with pid 1\n\
        2026-11-28 20:00:01,002 INFO spawned: 'web' with pid 10\n\
        2026-11-28 20:00:03,400 WARN exited: web (exit status 1; not expected)\n\
        2026-11-28 20:00:04,000 INFO spawned: 'web' with pid 11\n\
        2026-11-28 20:00:05,000 INFO exited: web2 (exit status 9; not expected)\n\
        2026-11-28 20:00:09,000 INFO exited: web (terminated by SIGSEGV (core dumped); not expected)\n\
        2026-11-28 20:00:10,000 INFO spawned: 'web' with pid 12\n\
        2026-11-28 20:00:20,000 INFO stopped: web (terminated by SIGTERM)\n\
        2026-11-28 20:00:21,000 INFO spawned: 'web' with pid 13\n";

    /// 2026-11-28 18:00:21 UTC, two hours behind the log.
    const START: i64 = 1_795_888_821;

    fn spawned(pid: i64) -> [Spawned<'static>; 1] {
        [Spawned {
            name: "web",
            pid,
            start: START,
        }]
    }

    #[test]
    fn ends_are_read_with_their_time_in_utc() {
        let log = Log::read(LOG, &spawned(13)).unwrap();
        let exits = log.exits("web", 13);
        let told: Vec<(Option<i32>, Option<i32>, bool)> = exits
            .iter()
            .map(|exit| (exit.code, exit.signal, exit.is_crash()))
            .collect();
        assert_eq!(
            told,
            [
                (Some(1), None, true),
                (None, Some(11), true),
                (None, Some(15), false)
            ]
        );
        assert_eq!(exits[0].at, Timestamp::from_parts(START - 18, 0));
        // One that is given up has no pid.
        assert!(Log::read(LOG, &spawned(0)).is_some());
        assert!(Log::read(LOG, &spawned(99)).is_none());
    }

    #[test]
    fn a_start_without_its_line_says_nothing_of_the_clock() {
        // Never started since supervisord is there; and one whose program is gone since an hour.
        for start in [0, START + 3_500] {
            let never = Spawned {
                start,
                ..spawned(0)[0]
            };
            assert!(Log::read(LOG, &[never]).is_none(), "{start}");
            let log = Log::read(LOG, &[never, spawned(13)[0]]).unwrap();
            assert_eq!(
                log.exits("web", 0)[0].at,
                Timestamp::from_parts(START - 18, 0)
            );
        }
    }

    #[test]
    fn what_was_before_the_clock_was_put_back_is_not_told() {
        let back = LOG.replace("28 20:00:2", "28 19:00:2");
        let log = Log::read(&back, &spawned(13)).unwrap();
        let exits = log.exits("web", 13);
        assert_eq!(exits.len(), 1, "{exits:?}");
        assert!(exits[0].wanted);
    }

    #[test]
    fn signals_have_their_numbers() {
        for (name, wanted) in [
            ("SIGABRT", 6),
            ("SIGUSR2", 12),
            ("SIGALRM", 14),
            ("SIGXCPU", 24),
            ("SIGSYS", 31),
            ("signal 35", 35),
            ("SIGRTMAX", 0),
            ("9", 0),
        ] {
            assert_eq!(number(name), wanted, "{name}");
        }
    }

    #[test]
    fn an_end_without_a_run_or_of_the_run_that_goes_on_is_none() {
        let line = "2026-11-28 20:00:30,000 INFO exited: web (exit status 1; not expected)\n";
        let forged = format!("{LOG}{}", line.repeat(9));
        let log = Log::read(&forged, &spawned(13)).unwrap();
        assert_eq!(log.exits("web", 13).len(), 3);
        assert_eq!(log.exits("web", 0).len(), 4);
    }

    #[test]
    fn a_log_that_programs_write_to_is_not_believed() {
        let forged = format!(
            "{LOG}2026-11-28 20:00:22,000 DEBG 'web' stdout output:\n\
             2026-11-28 20:00:22,000 INFO exited: web (exit status 1; not expected)\n"
        );
        assert!(Log::read(&forged, &spawned(13)).is_none());
    }

    #[test]
    fn lines_of_any_kind_are_survived() {
        for line in [
            "",
            "2026-11-28 20:00:00",
            "é2026-11-28 20:00:00,1 INFO x",
            "2026-13-99 99:99:99,001 INFO exited: web (x)",
        ] {
            assert!(Log::read(line, &spawned(13)).is_none(), "{line}");
        }
    }
}
