//! Single lines that say that a process was killed, crashed or ended with a fault: kernel,
//! systemd, container and process managers, shells, runtimes. A line counts only when its own
//! message begins so, behind what loggers print first (time, level, host, program); the same
//! words inside another message, a quote, a URL or a JSON value do not.
//!
//! Not here: stack traces, and what becomes of a finding.

use crate::model::{Kind, Level};
use aho_corasick::AhoCorasick;
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

/// Literals of which every line that a rule takes has one. Lower case; compared without case.
const LITERALS: &[&str] = &[
    "killed",
    "out of memory",
    "segfault",
    "segmentation fault",
    "core dumped",
    "dumped core",
    "exited",
    "exit status",
    "exit code",
    "exit signal",
    "with code",
    "with status",
    "terminated by",
    "terminated with",
    "due to signal",
    "was sent sig",
    "with signal",
    "fatal signal",
    "fatal error",
    "fatal python error",
    "general protection",
    "kernel panic",
    "panicked at",
    "panic: ",
    "uncaught ",
    "unhandled exception",
    "terminate called",
    "addresssanitizer",
    "stack smashing",
    "double free",
    "fatal state",
    "restarting failed container",
    "oom-kill",
];

static PREFILTER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build(LITERALS)
        .ok()
});

/// What a match of a rule's pattern means.
enum Means {
    /// Killed for its memory. Group `who` names the process.
    Oom,
    /// Died of a fault of its own.
    Crash,
    /// Ended with the status in group `code`; statuses of a graceful stop are no fault.
    Status,
    /// Ended by the signal in group `signal` (name or number).
    Signal,
    /// Ended or keeps ending, without a number.
    Exit,
}

struct Rule {
    name: &'static str,
    says: &'static str,
    pattern: &'static str,
    means: Means,
    /// The lowest level at which the line is believed. Unknown levels are.
    least: Level,
}

const RULES: &[Rule] = &[
    Rule {
        name: "oom_kernel",
        says: "the kernel killed the process for its memory",
        pattern: r"(?i)^(?:memory cgroup )?out of memory: kill(?:ed)? process \d+,? *\(?(?<who>[^\s()]+)",
        means: Means::Oom,
        least: Level::Info,
    },
    Rule {
        name: "oom_kernel",
        says: "the kernel killed the process for its memory",
        pattern: r"^Killed process \d+,? \(?(?:UID \d+,? )?\(?(?<who>[^\s(),]+)\)?,? .*(?:total-vm|anon-rss)",
        means: Means::Oom,
        least: Level::Info,
    },
    Rule {
        name: "oom_container",
        says: "the platform killed the container for its memory",
        pattern: r#"^(?:(?i:reason|state|status|container|pod|task|last state)\b[^"'{}]{0,100}?[\s:=(])?OOMKilled\b"#,
        means: Means::Oom,
        least: Level::Info,
    },
    Rule {
        name: "oom_container",
        says: "the platform killed the container for its memory",
        pattern: r"^(?:OutOfMemoryError: Container killed due to memory usage|Process appears to have been OOM killed)",
        means: Means::Oom,
        least: Level::Info,
    },
    Rule {
        name: "oom_systemd",
        says: "the OOM killer ended a process of the unit",
        pattern: r"^(?<who>[A-Za-z0-9_@.:\\-]+\.(?:service|scope|slice)): (?:A process of this unit has been killed by the OOM killer|Failed with result 'oom-kill')",
        means: Means::Oom,
        least: Level::Info,
    },
    Rule {
        name: "oom_worker",
        says: "the process manager's worker was killed, probably for its memory",
        pattern: r"^Worker \(pid:\d+\) was sent SIGKILL! Perhaps out of memory",
        means: Means::Oom,
        least: Level::Info,
    },
    Rule {
        name: "segfault_kernel",
        says: "the kernel reports a memory fault",
        pattern: r"^(?:traps: )?(?<who>[^\s\[\]]+)\[\d+\]:? (?:segfault at [0-9a-f]+ ip|general protection(?: fault)? ip|trap \w[\w ]* ip)",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        name: "fatal_shell",
        says: "a process died of a fatal signal",
        pattern: r"^(?:[^\s:]+: line \d+: +\d+ )?(?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception|Trace/breakpoint trap)(?: +\(core dumped\)(?: .*)?| {2,}\S.*)$",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        name: "fatal_shell",
        says: "a process died of a memory fault",
        pattern: r"^Segmentation fault$",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        name: "killed_shell",
        says: "a process was killed",
        pattern: r"^[^\s:]+: line \d+: +\d+ Killed +\S",
        means: Means::Exit,
        least: Level::Info,
    },
    Rule {
        name: "signal",
        says: "a process was ended by a signal",
        pattern: r"^signal: (?<signal>killed|segmentation fault|aborted|bus error|illegal instruction|floating point exception)(?: \(core dumped\))?$",
        means: Means::Signal,
        least: Level::Info,
    },
    Rule {
        name: "fatal_signal",
        says: "the program reports a fatal signal",
        pattern: r"(?i)^(?:\w+ ){0,3}fatal signal:? (?:received:? )?\(?(?<signal>\d{1,2}|SIG[A-Z]{2,6})\b",
        means: Means::Signal,
        least: Level::Info,
    },
    Rule {
        name: "worker_signal",
        says: "a worker process was ended by a signal",
        pattern: r"(?i)^(?:AH\d+: )?(?:worker process|child pid|child process|cache manager process|server process|process|worker|.{0,40} process) \(?(?:pid:? ?)?\d+\)? (?:exited on signal|exit signal [a-z /]*\(|was terminated by signal|was terminated due to signal|terminated by signal|killed by signal) ?(?<signal>\d{1,2})\b",
        means: Means::Signal,
        least: Level::Info,
    },
    Rule {
        name: "worker_signal",
        says: "a worker process was ended by a signal",
        pattern: r"^(?:Worker \(pid:\d+\) was sent |Main child exited with signal \(with signal '|DAMN ! worker \d+ \(pid: \d+\) died, killed by signal )(?<signal>\d{1,2}|SIG[A-Z]{2,6})\b",
        means: Means::Signal,
        least: Level::Info,
    },
    Rule {
        name: "systemd_signal",
        says: "systemd reports that the main process was ended by a signal",
        pattern: r"^[A-Za-z0-9_@.:\\-]+: Main process exited, code=(?:killed|dumped), status=(?<signal>\d{1,2})/",
        means: Means::Signal,
        least: Level::Info,
    },
    Rule {
        name: "systemd_exit",
        says: "systemd reports that the main process ended",
        pattern: r"^[A-Za-z0-9_@.:\\-]+: Main process exited, code=exited, status=(?<code>\d{1,3})/",
        means: Means::Status,
        least: Level::Info,
    },
    Rule {
        name: "core_dump",
        says: "a process dumped core",
        pattern: r"^Process \d+ \((?<who>[^()\s]+)\) of user \d+ (?:dumped core|terminated abnormally)",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        name: "fatal_runtime",
        says: "the runtime reports a fault that it cannot survive",
        pattern: r"^(?:Fatal Python error: |FATAL ERROR: .*(?:JavaScript heap out of memory|Allocation failed)|# A fatal error has been detected by the Java Runtime Environment|fatal error: (?:all goroutines are asleep|unexpected signal|concurrent map|stack overflow|runtime: |fault)|Kernel panic - not syncing)",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        name: "fatal_native",
        says: "the C or C++ runtime stopped the program",
        pattern: r"^(?:terminate called (?:after throwing an instance of|without an active exception|recursively)|(?:=+\d+=+ ?)?ERROR: AddressSanitizer: |\*\*\* stack smashing detected \*\*\*|(?:free\(\): )?double free (?:or corruption|detected))",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        name: "panic",
        says: "the program panicked",
        pattern: r"^(?:thread '[^']{0,100}' (?:\(\d+\) )?panicked at |panic: (?:runtime error: |\S))",
        means: Means::Crash,
        least: Level::Error,
    },
    Rule {
        name: "uncaught",
        says: "an exception that nothing caught",
        pattern: r"^(?:PHP )?(?:Fatal error: +)?Uncaught (?:[A-Z][\w\\.]*(?:Error|Exception)\b|exception)|^Unhandled exception(?:\.|:) ",
        means: Means::Crash,
        least: Level::Warn,
    },
    Rule {
        name: "exit_supervisor",
        says: "the process manager did not expect the process to end",
        pattern: r"^exited: [A-Za-z0-9_.:-]+ \(exit status (?<code>\d{1,3}); not expected\)",
        means: Means::Status,
        least: Level::Info,
    },
    Rule {
        name: "exit_supervisor",
        says: "the process manager did not expect the process to end",
        pattern: r"^exited: [A-Za-z0-9_.:-]+ \(terminated by (?<signal>SIG[A-Z]{2,6})(?: \(core dumped\))?; not expected\)",
        means: Means::Signal,
        least: Level::Info,
    },
    Rule {
        name: "restart_loop",
        says: "the process manager gave up restarting or waits before the next restart",
        pattern: r"^(?:gave up: [A-Za-z0-9_.:-]+ entered FATAL state|(?i:back-off) (?:[\dmhs.]+ )?restarting failed container)",
        means: Means::Exit,
        least: Level::Info,
    },
    Rule {
        name: "exit_alone",
        says: "a program ended with a status other than 0",
        pattern: r"^exit status (?<code>\d{1,3})$",
        means: Means::Status,
        least: Level::Info,
    },
    Rule {
        name: "exit_code",
        says: "a process ended with a status other than 0",
        pattern: EXIT_CODE,
        means: Means::Status,
        least: Level::Info,
    },
];

/// A short subject that is a process or looks like a container's name, then how it ended, and
/// hardly anything behind: a sentence about an exit goes on and does not count.
const EXIT_CODE: &str = r#"(?x)^
    (?: (?: (?:error:?\ )? (?i:the\ )?
            (?i: container | task | process | machine | main\ (?:child|process) | child | worker
               | app | application | command | program | service | server | job | script | pod
               | essential\ container\ in\ task )
            (?: \ \(pid[:\ ]\ ?\d+\) | \ \[?[A-Za-z0-9_.:/@-]+\]? )? :?
        | [A-Za-z0-9_./-]+
        | App\ \[[^\]]+\]
        )\ )?
    (?: has\ )?
    (?i: exited | terminated | finished | failed | stopped | died )
    (?: \ (?:normally|unexpectedly|abnormally|early) )?
    \ with \ (?:a\ )? (?:non-zero\ )?
    (?: exit\ (?:code|status) | code | status ) (?:\ of)? [:=]? \ ? \[? (?<code>-?\d{1,11}) \]?
    (?: $ | [,.;)] (?:\ not\ restarting | \ restarting | \ will\ (?:not\ )?restart .{0,60} | [^\w]{0,3} $ )
      | \ via\ signal .{0,20} $ | \ \( .{0,60} $ | \ at\ [\d:T.Z\ -]+ $ )
"#;

static PATTERNS: LazyLock<Vec<(&'static Rule, Regex)>> = LazyLock::new(|| {
    let compile = |rule: &'static Rule| Regex::new(rule.pattern).ok().map(|regex| (rule, regex));
    RULES.iter().filter_map(compile).collect()
});

/// Looks at one line of a record's own message.
pub fn find(text: &str, level: Option<Level>) -> Option<Found> {
    let text = head(text.trim_end());
    if !PREFILTER.as_ref()?.is_match(text) {
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
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn judge(message: &str, level: Option<Level>) -> Option<Found> {
    PATTERNS
        .iter()
        .filter(|(rule, _)| level.is_none_or(|level| level >= rule.least))
        .find_map(|(rule, pattern)| {
            let groups = pattern.captures(message)?;
            let group = |name: &str| groups.name(name).map(|found| found.as_str());
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

/// A status as a fault: 0 is none, nor are the statuses of a stop that somebody asked for
/// (hang-up, interrupt, quit, terminate).
fn status(code: &str, says: &str) -> Option<(Kind, String)> {
    let code: i64 = code.parse().ok()?;
    match code {
        0 | 129 | 130 | 131 | 143 => None,
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

/// Words of prefix that are skipped at most.
const PREFIX_WORDS: usize = 12;

/// Where the record's own message may begin: at 0, and behind each run of words that only a
/// logger prints before a message.
fn starts(text: &str) -> Vec<usize> {
    let lead = text.len() - text.trim_start().len();
    let mut starts = vec![lead];
    let mut at = lead;
    let mut dated = false;
    let mut host = false;
    for _ in 0..PREFIX_WORDS {
        let rest = text.get(at..).unwrap_or_default();
        let Some(word) = prefix_word(rest) else { break };
        match shape(word) {
            Shape::Time => dated = true,
            Shape::Mark => {}
            // A bare word is syslog's host, or the compose service before a bar: only behind a
            // time or before a bar, and only once.
            Shape::Bare if !host && (dated || followed_by_bar(rest, word)) => host = true,
            Shape::Program if dated || known_program(word) => {}
            Shape::Bare | Shape::Program | Shape::Other => break,
        }
        at += word.len();
        at += rest.get(word.len()..).map_or(0, leading_space);
        starts.push(at);
    }
    starts
}

fn leading_space(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

/// The next word; a bracketed group counts as one.
fn prefix_word(rest: &str) -> Option<&str> {
    let close = match rest.as_bytes().first()? {
        b'[' => Some(']'),
        b'(' => Some(')'),
        b'<' => Some('>'),
        _ => None,
    };
    let end = match close {
        Some(close) => {
            let end = rest.find(close).filter(|end| *end < 80)? + 1;
            let tail = rest.get(end..)?;
            end + usize::from(tail.starts_with(':'))
        }
        None => rest.find(char::is_whitespace).unwrap_or(rest.len()),
    };
    rest.get(..end)
}

fn followed_by_bar(rest: &str, word: &str) -> bool {
    rest.get(word.len()..)
        .is_some_and(|tail| tail.trim_start().starts_with("| "))
}

enum Shape {
    /// A date, a time, a month or a day.
    Time,
    /// A bracketed group, a level, a bar, a dash, an output's name, a process number.
    Mark,
    /// A plain word without any sign.
    Bare,
    /// `name:` or `name[123]:`.
    Program,
    Other,
}

fn shape(word: &str) -> Shape {
    let bare = word.trim_end_matches([':', ',']);
    if word.starts_with(['[', '(', '<']) || matches!(word, "|" | "-" | "--" | "::" | "F" | "P") {
        return Shape::Mark;
    }
    if matches!(bare, "stdout" | "stderr") || Level::from_word(bare).is_some() {
        return Shape::Mark;
    }
    if is_time(bare) {
        return Shape::Time;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"_.-/@".contains(&b);
    if let Some(name) = word.strip_suffix(':') {
        let name = name
            .strip_suffix(']')
            .and_then(|name| name.split_once('['))
            .map_or(name, |(name, _)| name);
        if !name.is_empty() && name.bytes().all(plain) {
            return Shape::Program;
        }
        return Shape::Other;
    }
    if !word.is_empty() && word.bytes().all(plain) {
        return Shape::Bare;
    }
    Shape::Other
}

fn is_time(word: &str) -> bool {
    const NAMES: &[&str] = &[
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon",
        "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "UTC", "GMT",
    ];
    let digits = word.bytes().any(|b| b.is_ascii_digit());
    let clock = |b: u8| b.is_ascii_digit() || b"-:/.,TZ+".contains(&b);
    NAMES.contains(&word) || (digits && word.bytes().all(clock))
}

/// Programs that print without a time before their name.
fn known_program(word: &str) -> bool {
    let name = word.split(['[', ':']).next().unwrap_or_default();
    matches!(
        name,
        "kernel" | "systemd" | "supervisord" | "runner" | "npm" | "error" | "dockerd" | "kubelet"
    )
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
        (Kind::Oom, "OOMKilled"),
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
        for (_, line) in FAULTS {
            assert!(literals.is_match(*line), "no literal in {line}");
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
