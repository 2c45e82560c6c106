//! The lines that are known: each rule's pattern, what a match means, and the level from which it
//! is believed. A pattern holds for the beginning of a record's own message.
//! Not here: finding that beginning (`prefix`), judging a status or a signal (`lines`).

use crate::model::Level;

/// Literals of which every line that a rule takes has one. Lower case; compared without case.
pub(super) const LITERALS: &[&str] = &[
    "killed",
    "out of memory",
    "uncaughtexceptionhandler",
    "due to java.lang.",
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

/// What a match of a rule's pattern means.
pub(super) enum Means {
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

pub(super) struct Rule {
    pub name: &'static str,
    pub says: &'static str,
    pub pattern: &'static str,
    pub means: Means,
    /// The lowest level at which the line is believed. Unknown levels are.
    pub least: Level,
}

pub(super) const RULES: &[Rule] = &[
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
        pattern: r#"^(?:(?i:reason|state|status|container|pod|task|last state)\b[^"'{}]{0,100}?[\s:=(])?OOMKilled(?:$|[,;.)\]](?:\s|$)|\s*[:=]\s*(?i:true)\b|\s+(?:[(\[-]|[a-zA-Z_]+=|(?i:exit|restart|with|at|by)))"#,
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
        pattern: r"^(?<who>[A-Za-z0-9_@.:\\-]+\.(?:service|scope|slice)): (?:A process of this unit has been killed by the OOM killer|The kernel OOM killer killed some processes in this unit|systemd-oomd killed some process\(es\) in this unit|Failed with result 'oom-kill')",
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
        name: "jvm_handler",
        says: "the JVM could not even report an uncaught exception",
        pattern: r"^Exception: (?:[\w$]+\.)+[\w$]+ thrown from the UncaughtExceptionHandler in thread ",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        name: "jvm_out_of_memory",
        says: "the JVM ended itself because its heap was full",
        pattern: r"^(?:Terminating|Aborting) due to java\.lang\.OutOfMemoryError: ",
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
        pattern: r"^(?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception|Trace/breakpoint trap) +\(core dumped\)$",
        means: Means::Crash,
        least: Level::Info,
    },
    Rule {
        // Only behind its own `script: line 3: 1234` does a shell print the command as well.
        name: "fatal_shell",
        says: "a process died of a fatal signal",
        pattern: r"^[^\s:]+: line \d+: +\d+ (?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception|Trace/breakpoint trap)(?: +\(core dumped\)(?: .*)?| {2,}\S.*)$",
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
        pattern: r"^(?:thread '[^']{0,100}' (?:\(\d+\) )?panicked at |panic: (?<what>\S+))",
        means: Means::Crash,
        least: Level::Error,
    },
    Rule {
        name: "uncaught",
        says: "an exception that nothing caught",
        pattern: r"^(?:PHP )?(?:Fatal error: +)?Uncaught (?:[A-Z][\w\\.]*(?:Error|Exception)(?:$|:| in )|exception\b(?:: *(?<what>\S+))?)",
        means: Means::Crash,
        least: Level::Warn,
    },
    Rule {
        name: "uncaught",
        says: "an exception that nothing caught",
        pattern: r"^Unhandled exception[.:] (?<what>\S+)",
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

/// Who ended, how, and hardly anything behind: a sentence about an exit goes on and does not
/// count. Anything may exit, or end with an *exit* code; a bare code or status of what failed or
/// finished is as often an answer's or a database's, and counts only for what is a process.
const EXIT_CODE: &str = r#"(?x)^
    (?: (?: (?: (?:error:?\ )? (?i:the\ )?
                (?i: container | task | process | machine | main\ (?:child|process) | child | worker
                   | app | application | command | program | service | server | job | script | pod
                   | essential\ container\ in\ task )
                (?: \ \(pid[:\ ]\ ?\d+\) | \ \[?[A-Za-z0-9_.:/@-]+\]? )? :?
            | [A-Za-z0-9_./-]+
            | App\ \[[^\]]+\]
            )\ )?
        (?: has\ )?
        (?: (?i: exited ) (?: \ (?:normally|unexpectedly|abnormally|early) )?
            \ with \ (?:a\ )? (?:non-zero\ )? (?: exit\ (?:code|status) | code | status )
          | (?i: terminated | finished | failed | stopped | died )
            (?: \ (?:normally|unexpectedly|abnormally|early) )?
            \ with \ (?:a\ )? (?:non-zero\ )? exit\ (?:code|status) )
      | (?:error:?\ )? (?i:the\ )?
        (?i: container | process | machine | main\ (?:child|process) | child | worker | command
           | program | pod )
        (?: \ \(pid[:\ ]\ ?\d+\) | \ \[?[A-Za-z0-9_.:/@-]+\]? )? :? \ (?: has\ )?
        (?i: terminated | finished | failed | stopped | died )
        (?: \ (?:normally|unexpectedly|abnormally|early) )?
        \ with \ (?:a\ )? (?:non-zero\ )? (?: code | status ) )
    (?:\ of)? [:=]? \ ? \[? (?<code>-?\d{1,3}) \]?
    (?: $ | [,.;)] (?:\ not\ restarting | \ restarting | \ will\ (?:not\ )?restart .{0,60} | [^\w]{0,3} $ )
      | \ via\ signal .{0,20} $ | \ \( .{0,60} $ | \ at\ [\d:T.Z\ -]+ $ )
"#;
