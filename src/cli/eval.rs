//! `autofix eval triage`: a line for each scenario as it gets its result, what was missed or false
//! under it, and the sums; or one JSON object for each.

use crate::app::eval::score::{FalseAlarm, Missed};
use crate::app::eval::{Eval, Evaluated, Watches, triage};
use crate::app::{self};
use crate::cli::arguments::{self, EvalTriageArguments};
use crate::cli::output::{BAD, GOOD, Out, STRONG, safe};
use crate::cli::progress::Progress;
use crate::cli::{Outcome, eval_fix, folder};
use crate::log::Log;
use crate::model::Level;
use serde_json::json;

pub(super) fn run(what: arguments::Eval, out: &mut Out) -> Result<Outcome, app::Error> {
    match what {
        arguments::Eval::Triage(arguments) => run_triage(arguments, out),
        arguments::Eval::Fix(arguments) => eval_fix::run(arguments, out),
    }
}

fn run_triage(arguments: EvalTriageArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let json = arguments.json;
    let folder = folder()?;
    let wanted = Eval {
        scenarios: arguments.scenarios.map(|path| folder.join(path)),
        names: arguments.names,
        set: arguments.set,
    };
    let progress = Progress::new();
    let mut sum = Sum::default();
    triage(&wanted, &only_worries(&progress), &mut |evaluated| {
        sum.add(evaluated);
        if json {
            out.json(&object(evaluated));
            return;
        }
        if sum.scenarios == 1 {
            out.line(&out.paint(STRONG, HEAD));
        }
        print(evaluated, out);
    })?;
    if !json {
        out.line(&out.paint(STRONG, &sum.line()));
        if let Some(watches) = sum.watches {
            let (installed, useful) = (watches.installed, watches.useful);
            out.line(&format!(
                "watches that the model programmed: {installed}, of which found something right: {useful}"
            ));
        }
    }
    Ok(match sum.missed + sum.wrong {
        0 => Outcome::Done,
        _ => Outcome::Fault,
    })
}

/// What the lanes say of each incident would drown the result.
pub(super) fn only_worries(progress: &Progress) -> Log {
    let all = progress.log();
    Log::new(move |level, line| match level {
        Level::Warn => all.warn(line),
        Level::Error | Level::Fatal => all.error(line),
        Level::Trace | Level::Debug | Level::Info => {}
    })
}

fn object(of: &Evaluated) -> serde_json::Value {
    json!({
        "name": of.name,
        "expected": of.score.expected(),
        "found": of.score.found.len(),
        "missed": of.score.missed.len(),
        "false": of.score.false_alarms.len(),
        "lines": of.lines,
        "tokens": of.tokens,
        "seconds": (of.seconds * 1000.0).round() / 1000.0,
    })
}

const HEAD: &str =
    "scenario                   expected  found  missed  false    lines  tokens  seconds";

fn row(name: &str, numbers: [u64; 6], seconds: f64) -> String {
    let [expected, found, missed, wrong, lines, tokens] = numbers;
    format!(
        "{name:<26} {expected:>8} {found:>6} {missed:>7} {wrong:>6} {lines:>8} {tokens:>7} {seconds:>8.1}"
    )
}

fn numbers(of: &Evaluated) -> [u64; 6] {
    let score = &of.score;
    let number = |number: usize| number as u64;
    [
        number(score.expected()),
        number(score.found.len()),
        number(score.missed.len()),
        number(score.false_alarms.len()),
        of.lines,
        of.tokens,
    ]
}

fn print(of: &Evaluated, out: &mut Out) {
    let style = if of.score.is_perfect() { GOOD } else { BAD };
    let line = row(&safe(&of.name), numbers(of), of.seconds);
    out.line(&out.paint(style, &line));
    for missed in &of.score.missed {
        out.line(&format!("    missed: {}", safe(&missed_line(missed))));
    }
    for alarm in &of.score.false_alarms {
        out.line(&format!("    false:  {}", safe(&false_line(alarm))));
    }
}

fn missed_line(missed: &Missed) -> String {
    let decision = &missed.decision;
    let mut line = decision.action.word().to_owned();
    if let Some(kind) = decision.kind {
        line += &format!(", {}", kind.word());
    }
    if let Some(service) = &decision.service {
        line += &format!(", of {service}");
    }
    if !decision.contains.is_empty() {
        line += &format!(", with {}", decision.contains.join(" or "));
    }
    if let Some(by) = decision.by {
        line += &format!(", by {}", by.to_rfc3339());
    }
    if let Some(late) = missed.late {
        line += &format!(" (came at {})", late.to_rfc3339());
    }
    match decision.why.as_str() {
        "" => line,
        why => format!("{line}: {why}"),
    }
}

fn false_line(alarm: &FalseAlarm) -> String {
    let incident = &alarm.incident;
    let why = alarm.ignore.as_ref().map(|ignore| ignore.why.as_str());
    let why = why.filter(|why| !why.is_empty());
    format!(
        "{} of {} at {}: {}{}",
        incident.kind.word(),
        incident.service,
        incident.first_seen.to_rfc3339(),
        incident.title,
        why.map_or_else(String::new, |why| format!(" (to be ignored: {why})"))
    )
}

/// What all scenarios come to.
#[derive(Default)]
struct Sum {
    scenarios: u64,
    numbers: [u64; 6],
    missed: u64,
    wrong: u64,
    seconds: f64,
    watches: Option<Watches>,
}

impl Sum {
    fn add(&mut self, of: &Evaluated) {
        self.scenarios += 1;
        for (sum, number) in self.numbers.iter_mut().zip(numbers(of)) {
            *sum += number;
        }
        let [_, _, missed, wrong, ..] = self.numbers;
        (self.missed, self.wrong) = (missed, wrong);
        self.seconds += of.seconds;
        if let Some(own) = of.watches {
            let sum = self.watches.get_or_insert_default();
            sum.installed += own.installed;
            sum.useful += own.useful;
        }
    }

    fn line(&self) -> String {
        let plural = if self.scenarios == 1 { "" } else { "s" };
        let name = format!("{} scenario{plural}", self.scenarios);
        row(&name, self.numbers, self.seconds)
    }
}
