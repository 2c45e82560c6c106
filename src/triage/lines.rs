//! Single lines that say that a process was killed, crashed or ended with a fault: kernel,
//! systemd, container and process managers, shells, runtimes. A line counts only when its own
//! message begins so, behind what loggers print first (time, level, host, program); the same
//! words inside another message, a quote, a URL or a JSON value do not.
//!
//! Not here: stack traces, and what becomes of a finding.

use super::prefix::starts;
use super::shapes::{LITERALS, Means, RULES, Rule};
use crate::model::{Kind, Level};
use crate::trace::Literals;
use regex::Regex;
use std::sync::LazyLock;

/// A line that is worth an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub kind: Kind,
    pub title: String,
    pub rule: &'static str,
    /// What the rule saw, in words without log text.
    pub says: String,
}

/// Bytes of a line that are looked at.
const LONGEST: usize = 2_000;

static PREFILTER: LazyLock<Option<Literals>> = LazyLock::new(|| Literals::new(LITERALS, true));

static PATTERNS: LazyLock<Vec<(&'static Rule, Regex)>> = LazyLock::new(|| {
    let compile = |rule: &'static Rule| Regex::new(rule.pattern).ok().map(|regex| (rule, regex));
    RULES.iter().filter_map(compile).collect()
});

/// Looks at one line of a record's own message.
pub fn find(text: &str, level: Option<Level>) -> Option<Found> {
    let text = head(text.trim_end());
    if !PREFILTER.as_ref()?.any_in(text) {
        return None;
    }
    // A rule's words may stand behind several kinds of prefix: each start is tried, outermost
    // first, so that a program's own `panic: ` is seen before a shorter rest of the line.
    starts(text)
        .into_iter()
        .filter_map(|at| text.get(at..))
        .find_map(|message| judge(message, level))
}

fn head(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

fn judge(message: &str, level: Option<Level>) -> Option<Found> {
    PATTERNS
        .iter()
        .filter(|(rule, _)| level.is_none_or(|level| level >= rule.least))
        .find_map(|(rule, pattern)| {
            let groups = pattern.captures(message)?;
            let group = |name: &str| groups.name(name).map(|found| found.as_str());
            if group("what").is_some_and(is_setting) {
                return None;
            }
            let (kind, says) = match rule.means {
                Means::Oom => (Kind::Oom, rule.says.to_owned()),
                Means::Crash => (Kind::Crash, rule.says.to_owned()),
                Means::Exit => (Kind::Exit, rule.says.to_owned()),
                Means::Status => status(group("code")?, rule.says)?,
                Means::Signal => signal(group("signal")?, rule.says)?,
            };
            Some(Found {
                kind,
                title: message.to_owned(),
                rule: rule.name,
                says,
            })
        })
}

/// Whether the word behind `panic: ` or `Unhandled exception: ` only says that there is none, or
/// how many there were.
fn is_setting(what: &str) -> bool {
    const WORDS: &[&str] = &[
        "false", "true", "none", "no", "null", "n/a", "never", "off", "on", "disabled", "enabled",
    ];
    let bare = what.trim_end_matches([',', '.', ';']);
    let count = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit());
    count || WORDS.iter().any(|word| word.eq_ignore_ascii_case(bare))
}

/// A status as a fault: 0 is none, nor are the statuses of a stop that somebody asked for
/// (hang-up, interrupt, quit, terminate).
fn status(code: &str, says: &str) -> Option<(Kind, String)> {
    let code: i64 = code.parse().ok()?;
    match code {
        0 | 129 | 130 | 131 | 143 => None,
        // No process ends with such a status; what is printed so is another kind of code.
        ..-255 | 256.. => None,
        132 | 134 | 135 | 136 | 139 => Some((
            Kind::Crash,
            format!("{says} (status {code}: fatal signal {})", code - 128),
        )),
        137 => Some((
            Kind::Exit,
            format!("{says} (status 137: killed, often for its memory)"),
        )),
        other => Some((Kind::Exit, format!("{says} (status {other})"))),
    }
}

/// A signal as a fault: those that somebody sends to stop a process are none.
fn signal(name: &str, says: &str) -> Option<(Kind, String)> {
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("SIG").unwrap_or(&upper);
    match bare {
        "4"
        | "6"
        | "7"
        | "8"
        | "11"
        | "31"
        | "SEGV"
        | "ABRT"
        | "IOT"
        | "BUS"
        | "ILL"
        | "FPE"
        | "SYS"
        | "TRAP"
        | "5"
        | "SEGMENTATION FAULT"
        | "ABORTED"
        | "BUS ERROR"
        | "ILLEGAL INSTRUCTION"
        | "FLOATING POINT EXCEPTION" => Some((Kind::Crash, format!("{says} (a fault of its own)"))),
        "9" | "KILL" | "KILLED" => Some((Kind::Exit, format!("{says} (killed)"))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULTS: &[(Kind, &str)] = &[
        (
            Kind::Oom,
            "Out of memory: Killed process 123 (java) total-vm:4kB, anon-rss:2kB",
        ),
        (
            Kind::Oom,
            "[ 1234.567] Out of memory: Killed process 522 (node) total-vm:1kB",
        ),
        (
            Kind::Oom,
            "Jun 14 15:16:01 combo kernel: Out of Memory: Killed process 2191 (httpd).",
        ),
        (
            Kind::Oom,
            "kernel: [8123.1] Memory cgroup out of memory: Killed process 9 (app) total-vm:1kB",
        ),
        (
            Kind::Oom,
            "Killed process 123 (java) total-vm:100kB, anon-rss:90kB, file-rss:0kB",
        ),
        (Kind::Oom, "app.service: Failed with result 'oom-kill'."),
        (
            Kind::Oom,
            "app.service: The kernel OOM killer killed some processes in this unit.",
        ),
        (
            Kind::Crash,
            "Exception: java.lang.OutOfMemoryError thrown from the UncaughtExceptionHandler in thread \"main\"",
        ),
        (
            Kind::Oom,
            "Terminating due to java.lang.OutOfMemoryError: Java heap space",
        ),
        (Kind::Oom, "OOMKilled"),
        (Kind::Oom, "reason=OOMKilled restarts=4"),
        (Kind::Oom, "State: OOMKilled=true"),
        (Kind::Oom, "Pod shop-7d9 OOMKilled (exit code 137)"),
        (Kind::Exit, "script failed with exit code 1"),
        (Kind::Exit, "ws-client exited with code 101"),
        (Kind::Exit, "worker failed with status 3"),
        (Kind::Crash, "panic: open config: no such file"),
        (Kind::Crash, "Segmentation fault"),
        (Kind::Oom, "Container app was terminated: OOMKilled"),
        (
            Kind::Oom,
            "OutOfMemoryError: Container killed due to memory usage",
        ),
        (
            Kind::Oom,
            "Worker (pid:7) was sent SIGKILL! Perhaps out of memory?",
        ),
        (
            Kind::Oom,
            "[2026-03-01 10:00:00 +0000] [1] [ERROR] Worker (pid:7) was sent SIGKILL! Perhaps out of memory?",
        ),
        (
            Kind::Oom,
            "Mar  1 10:00:00 web-1 systemd[1]: app.service: A process of this unit has been killed by the OOM killer.",
        ),
        (Kind::Exit, "container exited with code 137"),
        (Kind::Exit, "app-1 exited with code 1"),
        (
            Kind::Exit,
            "app_1  | container exited with code 2 (restarting)",
        ),
        (Kind::Exit, "exit status 1"),
        (Kind::Exit, "Essential container in task exited with code 1"),
        (Kind::Exit, "INFO Main child exited normally with code: 1"),
        (
            Kind::Exit,
            "machine exited with exit code 1, not restarting",
        ),
        (Kind::Exit, "Process exited with status 1"),
        (Kind::Exit, "command terminated with exit code 3"),
        (
            Kind::Exit,
            "App [api:0] exited with code [1] via signal [SIGINT]",
        ),
        (
            Kind::Exit,
            "app.service: Main process exited, code=exited, status=1/FAILURE",
        ),
        (
            Kind::Exit,
            "Mar 01 10:00:00 web systemd[1]: app.service: Main process exited, code=killed, status=9/KILL",
        ),
        (
            Kind::Crash,
            "app.service: Main process exited, code=dumped, status=11/SEGV",
        ),
        (Kind::Crash, "container exited with code 139"),
        (Kind::Crash, "Segmentation fault (core dumped)"),
        (
            Kind::Crash,
            "./run.sh: line 3:  1234 Segmentation fault      (core dumped) ./app",
        ),
        (
            Kind::Exit,
            "./run.sh: line 3:  1234 Killed                  ./app",
        ),
        (Kind::Exit, "signal: killed"),
        (Kind::Crash, "signal: segmentation fault (core dumped)"),
        (Kind::Crash, "caught fatal signal 11"),
        (Kind::Crash, "Fatal signal 6 (SIGABRT), code -6"),
        (
            Kind::Crash,
            "2026/03/01 10:00:00 [alert] 1#1: worker process 29 exited on signal 11 (core dumped)",
        ),
        (
            Kind::Crash,
            "[Sun Dec 04 04:47:44 2005] [notice] child pid 6725 exit signal Segmentation fault (11)",
        ),
        (
            Kind::Crash,
            "Mar  1 10:00:00 web kernel: app[412]: segfault at 0 ip 00005581 sp 00007ffd error 4 in app[5581]",
        ),
        (
            Kind::Crash,
            "traps: app[412] general protection fault ip:5581 sp:7ffd error:0 in app",
        ),
        (
            Kind::Exit,
            "2026-03-01 10:00:00,123 INFO exited: app (exit status 1; not expected)",
        ),
        (
            Kind::Exit,
            "2026-03-01 10:00:00,123 INFO exited: app (terminated by SIGKILL; not expected)",
        ),
        (
            Kind::Exit,
            "INFO gave up: app entered FATAL state, too many start retries too quickly",
        ),
        (
            Kind::Exit,
            "Back-off restarting failed container app in pod app-7d9_default(1b2)",
        ),
        (
            Kind::Exit,
            "Back-off 5m0s restarting failed container=app pod=app-7d9",
        ),
        (Kind::Crash, "thread 'main' panicked at src/main.rs:3:5:"),
        (Kind::Crash, "panic: assignment to entry in nil map"),
        (
            Kind::Crash,
            "PHP Fatal error:  Uncaught TypeError: strlen() expects string",
        ),
        (
            Kind::Crash,
            "Unhandled exception. System.NullReferenceException: Object reference not set",
        ),
        (
            Kind::Crash,
            "terminate called after throwing an instance of 'std::runtime_error'",
        ),
        (Kind::Crash, "Fatal Python error: Segmentation fault"),
        (
            Kind::Crash,
            "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
        ),
        (
            Kind::Crash,
            "==77==ERROR: AddressSanitizer: heap-use-after-free on address 0x60",
        ),
        (Kind::Crash, "Process 812 (app) of user 1000 dumped core."),
    ];

    const ORDINARY: &[&str] = &[
        "container exited with code 0",
        "app-1 exited with code 0",
        "login failed with code 401",
        "login failed with code 41",
        "payment terminated with code 51",
        "Service failed with status 500",
        "Script failed with status 404",
        "task failed with code 1062",
        "Job finished with code 200",
        "server stopped with code 1000",
        "ws-client exited with code 1001",
        "ws-client exited with code 999",
        "container OOMKilled: false",
        "State: OOMKilled=false",
        "status: OOMKilled count 0",
        "Status code 500 OOMKilled=false",
        "OOMKilled count 0",
        "panic: false",
        "panic: 0 recovered",
        "Unhandled exception: none so far",
        "Uncaught TypeError rate is 0",
        "Aborted (core dumped) was printed yesterday",
        "app-1 exited with code 143",
        "container exited with code 130",
        "Process exited with status 143",
        "exit status 0",
        "INFO exited: app (exit status 0; expected)",
        "INFO exited: app (terminated by SIGTERM; not expected)",
        "app.service: Main process exited, code=killed, status=15/TERM",
        "app.service: Main process exited, code=exited, status=143/n/a",
        "worker process 29 exited on signal 15",
        "Worker (pid:7) was sent SIGTERM!",
        "signal: terminated",
        "user asked: why does my container show OOMKilled",
        "see https://example.test/docs/OOMKilled?q=exit+status+1",
        r#"{"event":"note","text":"container exited with code 137"}"#,
        "GET /search?q=Out of memory: Killed process 1 (x) 200",
        "comment: \"Segmentation fault (core dumped)\"",
        "Retrying job 12: previous run exited with code 1",
        "the last build exited with code 1, so we try another mirror now",
        "ticket 77 says: Out of memory: Killed process 123 (java)",
        "Received SIGTERM, shutting down; will end with exit status 1 after 30 s",
        "if the exit code is 137 the process was killed by the OOM killer",
        "handler registered for fatal signals",
        "documentation: panic: recovered values are printed",
        "connection terminated by peer",
        "session opened for user root, exited",
        "Unhandled exceptions are reported to the collector",
        "Killed process list refreshed",
        "Segmentation faults since start: 0",
        "health check exited with code 1 three times before it passed",
    ];

    #[test]
    fn every_known_end_is_found_with_its_kind() {
        for (kind, line) in FAULTS {
            let found = find(line, None).map(|found| found.kind);
            assert_eq!(found, Some(*kind), "{line}");
        }
    }

    #[test]
    fn lines_that_only_talk_about_it_are_ordinary() {
        for line in ORDINARY {
            assert_eq!(find(line, None), None, "{line}");
        }
    }

    #[test]
    fn levels_below_a_rules_are_not_believed() {
        assert!(find("panic: oh", Some(Level::Error)).is_some());
        assert!(find("panic: oh", Some(Level::Info)).is_none());
        assert!(find("container exited with code 1", Some(Level::Debug)).is_none());
        assert!(find("container exited with code 1", Some(Level::Info)).is_some());
    }

    #[test]
    fn every_pattern_compiles_and_every_rule_can_be_reached() {
        assert_eq!(PATTERNS.len(), RULES.len());
        let literals = PREFILTER.as_ref().unwrap();
        assert!(literals.are_quick());
        for (_, line) in FAULTS {
            assert!(literals.any_in(line), "no literal in {line}");
        }
    }

    #[test]
    fn hostile_lines_cost_little_and_never_panic() {
        let long = "[".repeat(1_000_000) + "killed";
        assert_eq!(find(&long, None), None);
        let wide = "é".repeat(1_500) + " exited with code 1";
        assert_eq!(find(&wide, None), None);
        assert_eq!(find("killed [", None), None);
    }

    /// The titles carry the message, not what the logger printed before it.
    #[test]
    fn titles_begin_with_the_message() {
        let line = "Jun 14 15:16:01 combo kernel: Out of memory: Killed process 21 (httpd)";
        let found = find(line, None).unwrap();
        assert!(found.title.starts_with("Out of memory"), "{}", found.title);
    }
}
