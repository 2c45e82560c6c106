//! Rust's error reports: what `color-eyre` and `anyhow` print for an error that left `main`,
//! and color-eyre's own form of a panic.

use super::grammar::{Begin, Grammar, Reading, State, Step, no_frame};
use super::rust::{backtrace, numbered};
use super::text;
use crate::model::{Frame, Language, Raised};

pub(super) static GRAMMAR: Grammar = Grammar {
    language: Language::Rust,
    begin,
    adopt,
    frame: no_frame,
    step,
    read,
    printed_by_runtime: true,
};

/// The errors of the chain, one a line.
const CHAIN: u8 = 0;
/// Sections below it.
const SECTIONS: u8 = 1;

const PANICKED: &str = "The application panicked (crashed).";

fn begin(line: &str) -> Option<Begin> {
    let own = line.trim_end();
    let chain = own.starts_with("   0: ") || own == "Error:";
    let at = if chain {
        0
    } else {
        own.find(PANICKED)
            .filter(|at| text::is_own_text(own, *at))?
    };
    Some(Begin {
        at,
        state: State::at(CHAIN),
    })
}

/// anyhow prints `Error: message` and its causes below.
fn adopt(line: &str) -> Option<State> {
    let own = line.trim_end();
    matches!(own, "Caused by:" | "Stack backtrace:").then_some(State {
        proven: true,
        ..State::at(SECTIONS)
    })
}

fn step(state: &mut State, line: &str) -> Step {
    let own = line.trim();
    let rule = own.starts_with("━━");
    let heading = matches!(
        own,
        "Location:" | "Caused by:" | "Stack backtrace:" | "Error:"
    ) || own.starts_with("Backtrace omitted.");
    if rule || heading || own.starts_with("Message: ") || own.starts_with("Location: ") {
        state.phase = SECTIONS;
        state.proven |= own != "Error:";
        return Step::Part;
    }
    if own.is_empty() {
        return if state.unsure < 3 {
            Step::Maybe
        } else {
            Step::End
        };
    }
    if state.phase == CHAIN {
        let error = numbered(own).is_some() && line.starts_with(' ');
        return if error { Step::Part } else { Step::End };
    }
    const REMARKS: [&str; 4] = ["Run with ", "Note: ", "Warning: ", "Suggestion: "];
    let remark = REMARKS.iter().any(|word| own.starts_with(word));
    if remark || line.starts_with("  ") || numbered(own).is_some() {
        return Step::Part;
    }
    Step::End
}

fn read(lines: &[&str]) -> Reading {
    let panicked = lines.first().is_some_and(|line| line.contains(PANICKED));
    let rule = |line: &str| line.trim().starts_with("━━") || line.trim() == "Stack backtrace:";
    let below = lines
        .iter()
        .position(|line| rule(line))
        .unwrap_or(lines.len());
    let (head, rest) = lines.split_at_checked(below).unwrap_or((lines, &[]));
    let mut frames: Vec<Frame> = place(head).into_iter().collect();
    backtrace(rest, &mut frames);
    for frame in &mut frames {
        // A span's fields follow its name.
        if let Some((name, _)) = frame
            .function
            .as_deref()
            .and_then(|name| name.split_once(" with "))
        {
            frame.function = Some(name.to_owned());
        }
    }
    let kind = if panicked {
        "panic"
    } else if lines
        .first()
        .is_some_and(|line| line.trim_end().starts_with("Error: "))
    {
        "Error"
    } else {
        "eyre::Report"
    };
    let raised = Raised {
        kind: Some(kind.to_owned()),
        message: message(head),
    };
    Reading {
        uncaught: panicked.then_some(true),
        ..Reading::single(raised, frames)
    }
}

/// The first error of the chain, or the panic's message.
fn message(head: &[&str]) -> Option<String> {
    let words = |line: &&str| {
        let own = line.trim();
        numbered(own)
            .or_else(|| own.strip_prefix("Message: "))
            .or_else(|| own.strip_prefix("Error: "))
            .map(|text| text.trim().to_owned())
    };
    head.iter().find_map(words)
}

/// What stands under `Location:` or after it.
fn place(head: &[&str]) -> Option<Frame> {
    let at = head
        .iter()
        .position(|line| line.trim().starts_with("Location:"))?;
    let inline = head.get(at)?.trim().strip_prefix("Location:")?.trim();
    let text = if inline.is_empty() {
        head.get(at + 1)?.trim()
    } else {
        inline
    };
    let (file, line) = text::location(text)?;
    Some(Frame {
        file: Some(file.to_owned()),
        line: Some(line),
        function: None,
    })
}
