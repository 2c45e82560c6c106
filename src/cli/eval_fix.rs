//! `autofix eval fix`: a line for each case as it gets its result, why it is not right under it,
//! and the sums; or one JSON object for each.

use crate::app;
use crate::app::eval::fix::{Checked, EvalFix, Evaluated, Fixed, check, fix};
use crate::cli::arguments::EvalFixArguments;
use crate::cli::eval::only_worries;
use crate::cli::output::{BAD, GOOD, Out, STRONG, safe};
use crate::cli::progress::Progress;
use crate::cli::{Outcome, folder};
use crate::model::service::Usd;
use serde_json::json;

pub(super) fn run(arguments: EvalFixArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let folder = folder()?;
    let json = arguments.json;
    let wanted = EvalFix {
        cases: arguments.cases.map(|path| folder.join(path)),
        names: arguments.names,
        set: arguments.set,
    };
    let progress = Progress::new();
    let log = only_worries(&progress);
    if arguments.check {
        return prove(&wanted, &log, out);
    }
    let mut sum = Sum::default();
    fix(&wanted, &log, &mut |evaluated| match evaluated {
        Evaluated::Skipped { name, why } => log.warn(&format!("SKIPPED {name}: {why}")),
        Evaluated::Fixed(of) => {
            sum.add(of);
            if json {
                out.json(&object(of));
                return;
            }
            if sum.cases == 1 {
                out.line(&out.paint(STRONG, HEAD));
            }
            print(of, out);
        }
    })?;
    if !json {
        out.line(&out.paint(STRONG, &sum.line()));
    }
    Ok(match sum.cases - sum.right {
        0 => Outcome::Done,
        _ => Outcome::Fault,
    })
}

fn prove(wanted: &EvalFix, log: &crate::log::Log, out: &mut Out) -> Result<Outcome, app::Error> {
    let mut outcome = Outcome::Done;
    check(wanted, &mut |of: &Checked| {
        if let Some(why) = &of.skipped {
            log.warn(&format!("SKIPPED {}: {why}", of.name));
            return;
        }
        if of.faults.is_empty() {
            out.line(&out.paint(GOOD, &format!("{:<26} sound", safe(&of.name))));
            return;
        }
        outcome = Outcome::Fault;
        out.line(&out.paint(BAD, &format!("{:<26} not sound", safe(&of.name))));
        for fault in &of.faults {
            out.line(&format!("    {}", safe(fault)));
        }
    })?;
    Ok(outcome)
}

fn object(of: &Fixed) -> serde_json::Value {
    json!({
        "name": of.name,
        "language": of.language,
        "located": of.located,
        "patched": of.patched,
        "passed": of.passed,
        "right": of.right,
        "tokens": of.spent.tokens,
        "usd": dollars(of.spent.usd),
        "seconds": (of.seconds * 1000.0).round() / 1000.0,
    })
}

/// Millionths fit a float to the cent for any sum that a budget allows.
#[allow(
    clippy::cast_precision_loss,
    reason = "budgets are far below 2^53 millionths"
)]
fn dollars(usd: Usd) -> f64 {
    usd.0 as f64 / 1e6
}

const HEAD: &str = "case                       language    located  patched  passed  right   tokens       usd  seconds";

fn row(name: &str, language: &str, told: [String; 4], spent: (u64, f64), seconds: f64) -> String {
    let [located, patched, passed, right] = told;
    let (tokens, usd) = spent;
    format!(
        "{name:<26} {language:<10} {located:>8} {patched:>8} {passed:>7} {right:>6} {tokens:>8} {usd:>9.4} {seconds:>8.1}"
    )
}

fn print(of: &Fixed, out: &mut Out) {
    let style = if of.right { GOOD } else { BAD };
    let word = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    let told = [of.located, of.patched, of.passed, of.right].map(word);
    let spent = (of.spent.tokens, dollars(of.spent.usd));
    let line = row(
        &safe(&of.name),
        &safe(&of.language),
        told,
        spent,
        of.seconds,
    );
    out.line(&out.paint(style, &line));
    if !of.right && !of.note.is_empty() {
        out.line(&format!("    {}", safe(&of.note)));
    }
}

/// What all cases come to.
#[derive(Default)]
struct Sum {
    cases: u64,
    located: u64,
    patched: u64,
    passed: u64,
    right: u64,
    tokens: u64,
    usd: Usd,
    seconds: f64,
}

impl Sum {
    fn add(&mut self, of: &Fixed) {
        self.cases += 1;
        self.located += u64::from(of.located);
        self.patched += u64::from(of.patched);
        self.passed += u64::from(of.passed);
        self.right += u64::from(of.right);
        self.tokens = self.tokens.saturating_add(of.spent.tokens);
        self.usd = self.usd.plus(of.spent.usd);
        self.seconds += of.seconds;
    }

    fn line(&self) -> String {
        let plural = if self.cases == 1 { "" } else { "s" };
        let name = format!("{} case{plural}", self.cases);
        let told = [self.located, self.patched, self.passed, self.right];
        let told = told.map(|number| number.to_string());
        let spent = (self.tokens, dollars(self.usd));
        row(&name, "", told, spent, self.seconds)
    }
}
