//! The rules: which traces and lines become an incident at once, with its kind, title and the
//! reason in a sentence. An uncaught exception, a panic, a fatal signal, a kill for memory and a
//! non-zero exit do; a trace that the program caught does when it was logged at error level or
//! worse, or at no level that is known. A caught trace at warn or below does not: the program
//! said that it coped. What is no fault of the program (`environment`) is of that kind, whether a
//! program ended through it or only said so; a line about what may heal must come again.
//!
//! Not here: the shapes of lines (`lines`).

use super::environment::{self, Fault};
use super::lines;
use super::prefix::starts;
use crate::model::{Kind, Level, Raised, Trace};
use memchr::memmem;

/// What the rules say of a trace or a line that is an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub kind: Kind,
    /// One line for people, at most 200 characters. Log text may stand in it.
    pub title: String,
    /// The rule, in a sentence. No log text but the name of a neighbour.
    pub reason: String,
    /// What tells a fault of the environment from others.
    pub about: Option<String>,
    /// A program ended.
    pub ended: bool,
    /// It is an incident only where it comes again and again.
    pub repeats: bool,
}

impl Verdict {
    /// Of something that is an incident at once.
    pub fn new(kind: Kind, title: String, reason: String) -> Verdict {
        Verdict {
            kind,
            title,
            reason,
            about: None,
            ended: matches!(kind, Kind::Crash | Kind::Exit | Kind::Oom),
            repeats: false,
        }
    }

    /// The same, where it is no fault of the program.
    fn of_environment(self, fault: &Fault) -> Verdict {
        let says = fault.says();
        let how = match (self.ended, self.kind) {
            (true, _) => "nothing in the program caught it, so that it ended",
            (false, Kind::Error) => "the program caught it and logged it as an error",
            (false, _) => "a line at error level says so",
        };
        Verdict {
            title: one_line(&format!("{says}: {}", self.title)),
            reason: format!("rule environment: {says}, which is no fault of the program; {how}"),
            kind: Kind::Environment,
            about: Some(fault.label.clone()),
            ended: self.ended,
            repeats: false,
        }
    }
}

/// Longest title, in characters.
const TITLE: usize = 200;

/// Judges a whole trace. `uncaught`: nobody caught what it reports; `level`: of the record that
/// it begins or that stands before it; `header`: the log line kept with it.
pub fn judge_trace(
    trace: &Trace,
    uncaught: bool,
    level: Option<Level>,
    header: Option<&str>,
) -> Option<Verdict> {
    let verdict = judge_as_own(trace, uncaught, level, header)?;
    Some(match environment::of_trace(trace, header) {
        Some(fault) => verdict.of_environment(&fault),
        None => verdict,
    })
}

/// The verdict on a trace, whosever the fault is.
fn judge_as_own(
    trace: &Trace,
    uncaught: bool,
    level: Option<Level>,
    header: Option<&str>,
) -> Option<Verdict> {
    let raised = trace.blocks.get(trace.root).map(|block| &block.raised);
    let language = trace.language.name();
    let verdict = |kind, reason| Verdict::new(kind, title_of(raised, header), reason);
    if uncaught {
        let reason = format!("rule uncaught: nothing in the program caught this {language} fault");
        return Some(verdict(Kind::Crash, reason));
    }
    let level = level.or_else(|| header.and_then(level_word));
    match level {
        Some(Level::Trace | Level::Debug | Level::Info | Level::Warn) => None,
        Some(Level::Error | Level::Fatal) => {
            let reason = format!("rule caught: a {language} trace logged at error level");
            Some(verdict(Kind::Error, reason))
        }
        // A dump of goroutines or threads that names no fault: somebody asked for it.
        None if raised.is_none_or(|raised| raised.kind.is_none() && raised.message.is_none()) => {
            None
        }
        None => {
            let reason = format!("rule caught: a {language} trace logged without a level");
            Some(verdict(Kind::Error, reason))
        }
    }
}

/// Judges one line of a record's own message that is not part of a trace. `level` is the
/// record's own. Cheap for ordinary lines: one or two passes over the text for literals.
pub fn judge_line(text: &str, level: Option<Level>) -> Option<Verdict> {
    match lines::find(text, level) {
        Some(found) => Some(judge_end(found)),
        None if says_emergency(text, level) => {
            let reason = "rule emergency: the server says that it cannot run".to_owned();
            let line = Verdict::new(Kind::Error, title_of_line(text), reason);
            Some(match environment::of_end(text) {
                Some(fault) => line.of_environment(&fault),
                None => line,
            })
        }
        None => {
            let fault = environment::of_line(text, level)?;
            let line = Verdict::new(Kind::Environment, title_of_line(text), String::new());
            Some(Verdict {
                repeats: fault.may_heal(),
                ..line.of_environment(&fault)
            })
        }
    }
}

/// The line without what loggers print before its message.
fn title_of_line(text: &str) -> String {
    let message = starts(text).last().and_then(|at| text.get(*at..));
    one_line(message.unwrap_or(text))
}

/// A line that nginx or Apache logs at its highest level: its configuration cannot be used, or a
/// port cannot be had. Other programs' highest levels are used for less.
fn says_emergency(text: &str, level: Option<Level>) -> bool {
    let head = text
        .as_bytes()
        .get(..text.len().min(80))
        .unwrap_or_default();
    level.is_none_or(|level| level == Level::Fatal)
        && (memmem::find(head, b"[emerg]").is_some() || memmem::find(head, b":emerg]").is_some())
}

fn judge_end(found: lines::Found) -> Verdict {
    let fault = (found.kind == Kind::Crash)
        .then(|| environment::of_end(&found.title))
        .flatten();
    let reason = format!("rule {}: {}", found.rule, found.says);
    let verdict = Verdict::new(found.kind, one_line(&found.title), reason);
    match fault {
        Some(fault) => verdict.of_environment(&fault),
        None => verdict,
    }
}

fn title_of(raised: Option<&Raised>, header: Option<&str>) -> String {
    let (kind, message) = raised.map_or((None, None), |raised| {
        (raised.kind.as_deref(), raised.message.as_deref())
    });
    let text = match (kind, message) {
        (Some(kind), Some(message)) if !message.trim().is_empty() => format!("{kind}: {message}"),
        (Some(kind), _) => kind.to_owned(),
        (None, Some(message)) => message.to_owned(),
        (None, None) => header.unwrap_or("stack trace").to_owned(),
    };
    one_line(&text)
}

/// The first line with anything in it, without control characters.
fn one_line(text: &str) -> String {
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default()
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(TITLE)
        .collect()
}

/// The level that a log line names among its first words.
pub(super) fn level_word(header: &str) -> Option<Level> {
    header
        .split(|c: char| c.is_whitespace() || matches!(c, '|' | ':' | ',' | '='))
        .filter(|word| !word.is_empty())
        .take(12)
        .filter(|word| word.len() > 1)
        .find_map(|word| {
            // Only words that are written as levels are: `Error` may begin a sentence.
            let bare = word.trim_matches(|c: char| !c.is_ascii_alphabetic());
            let shouted = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_uppercase());
            let fenced = word.starts_with(['[', '<']) || header.starts_with(word);
            (shouted || fenced)
                .then(|| Level::from_word(bare))
                .flatten()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Block, Frame, Language};

    fn trace(kind: &str, message: &str) -> Trace {
        Trace {
            language: Language::Python,
            blocks: vec![Block {
                raised: Raised {
                    kind: Some(kind.into()),
                    message: Some(message.into()),
                },
                frames: 0..1,
            }],
            root: 0,
            outermost: 0,
            frames: vec![Frame::default()],
        }
    }

    #[test]
    fn uncaught_is_a_crash_whatever_the_level() {
        let verdict = judge_trace(&trace("KeyError", "'x'"), true, Some(Level::Info), None);
        let verdict = verdict.unwrap();
        assert_eq!(
            (verdict.kind, verdict.title.as_str()),
            (Kind::Crash, "KeyError: 'x'")
        );
    }

    #[test]
    fn caught_counts_from_error_level_up() {
        let judge = |level, header| {
            judge_trace(&trace("KeyError", "'x'"), false, level, header).map(|v| v.kind)
        };
        assert_eq!(judge(Some(Level::Error), None), Some(Kind::Error));
        assert_eq!(judge(Some(Level::Warn), None), None);
        assert_eq!(judge(Some(Level::Debug), None), None);
        assert_eq!(judge(None, None), Some(Kind::Error));
        let header = "2026-01-01 10:00:00,1 WARNING app.views could not load";
        assert_eq!(judge(None, Some(header)), None);
        assert_eq!(judge(None, Some("ERROR:root:boom")), Some(Kind::Error));
        assert_eq!(judge(None, Some("[warn] cache miss")), None);
        assert_eq!(judge(None, Some("please warn me")), Some(Kind::Error));
    }

    #[test]
    fn a_dump_that_names_no_fault_is_none_unless_it_is_logged_as_one() {
        let mut dump = trace("", "");
        dump.blocks[0].raised = Raised::default();
        assert_eq!(judge_trace(&dump, false, None, None), None);
        assert!(judge_trace(&dump, false, Some(Level::Error), None).is_some());
        assert!(judge_trace(&dump, true, None, None).is_some());
    }

    #[test]
    fn titles_are_one_bounded_line() {
        let long = format!("first\u{1b}[31m\nsecond {}", "x".repeat(500));
        let verdict = judge_trace(&trace("ValueError", &long), true, None, None).unwrap();
        assert_eq!(verdict.title, "ValueError: first[31m");
        let none = judge_trace(&trace("ValueError", &"y".repeat(999)), true, None, None);
        assert_eq!(none.unwrap().title.chars().count(), TITLE);
    }

    /// What the rules say of each trace that the lines hold.
    fn kinds(text: &str) -> Vec<Option<Kind>> {
        let mut assembler = crate::trace::Assembler::default();
        for (index, text) in text.lines().enumerate() {
            let line = crate::trace::Line {
                text,
                time: crate::model::Timestamp(0),
                level: None,
                index: index as u64,
            };
            assembler.push(line, crate::model::Timestamp(0));
        }
        assembler.finish();
        let judged = assembler.take().map(|found| {
            let header = found.header.as_ref().map(|line| line.text.as_str());
            let verdict = judge_trace(&found.trace, found.uncaught, found.level, header);
            verdict.map(|verdict| verdict.kind)
        });
        judged.collect()
    }

    #[test]
    fn ruby_php_elixir_and_erlang_by_who_caught_it_and_at_what_level() {
        let (crash, error) = (Some(Kind::Crash), Some(Kind::Error));
        let ruby = "a.rb:1:in `f': boom (RuntimeError)\n\tfrom a.rb:4:in `<main>'";
        let ruby_at = |level: &str| {
            let letter = &level[..1];
            format!(
                "{letter}, [2026-01-02T10:00:00.1 #7] {level} -- : boom (RuntimeError)\na.rb:1:in `f'"
            )
        };
        let php_at = |level: &str| {
            format!(
                "[2026-01-02 10:00:00] shop.{level}: x {{\"exception\":\"[object] (E(code: 0): x at /a.php:3)\"}} []"
            )
        };
        let elixir_at = |level: &str| {
            format!(
                "10:00:00.123 [{level}] ** (RuntimeError) x\n    (shop 0.1.0) lib/a.ex:3: A.f/0"
            )
        };
        let elixir = "10:00:00.123 [error] GenServer A terminating\n** (RuntimeError) x\n    lib/a.ex:3: A.f/0";
        let erlang = "=ERROR REPORT==== 2-Jan-2026::10:00:00 ===\nError in process <0.8.0> with exit value:\n{badarith,[{a,f,1,[{file,\"a.erl\"},{line,4}]}]}";
        for (text, kind) in [
            (ruby.to_owned(), crash),
            (ruby_at("ERROR"), error),
            (ruby_at("FATAL"), error),
            (ruby_at("WARN"), None),
            (ruby_at("INFO"), None),
            (
                "PHP Fatal error:  Uncaught E: x in /a.php:3\nStack trace:\n#0 {main}\n  thrown in /a.php on line 3".into(),
                crash,
            ),
            ("PHP Fatal error:  Cannot redeclare f() in /a.php on line 3".into(), crash),
            (php_at("ERROR"), error),
            (php_at("CRITICAL"), error),
            (php_at("WARNING"), None),
            (php_at("DEBUG"), None),
            (elixir.into(), crash),
            ("** (RuntimeError) x\n    a.exs:3: (file)".into(), crash),
            (elixir_at("error"), error),
            (elixir_at("warning"), None),
            (elixir_at("debug"), None),
            (erlang.into(), crash),
        ] {
            assert_eq!(kinds(&text), [kind], "{text}");
        }
    }
}
