//! A conversation with a model in few lines, for `why` and for one that was played again.

use crate::investigate::inquiry::{Entry, Spoken};

/// Longest piece of a text that is shown, in characters.
const PIECE: usize = 160;

/// An entry in one line.
pub(super) fn line(entry: &Entry) -> String {
    match entry {
        Entry::Opened {
            endpoint, commit, ..
        } => {
            let region = endpoint.region.as_ref().map(|name| format!(" in {name}"));
            format!(
                "asked {} at {}{} about {}",
                endpoint.model,
                endpoint.host,
                region.unwrap_or_default(),
                piece(commit, 12)
            )
        }
        Entry::Ours { parts } => {
            let parts: Vec<String> = parts.iter().map(spoken).collect();
            format!("we: {}", parts.join("; "))
        }
        Entry::Theirs {
            text,
            calls,
            usage,
            usd,
            ..
        } => {
            let calls: Vec<String> = calls
                .iter()
                .map(|call| format!("{} {}", call.name, piece(&call.input.to_string(), PIECE)))
                .collect();
            let mut said: Vec<String> = Vec::new();
            if !text.trim().is_empty() {
                said.push(piece(text.trim(), PIECE));
            }
            said.extend(calls);
            let read = usage.input + usage.cache_read + usage.cache_write;
            format!(
                "model: {} ({read} tokens read, {} of them cached, {} written, {usd})",
                said.join("; "),
                usage.cache_read,
                usage.output
            )
        }
        Entry::Failed { why, usd } => format!("no answer: {} ({usd})", piece(why, PIECE)),
        Entry::Judged { passed, stopped } => match stopped {
            None => format!("checked: all {} checks passed", passed.len()),
            Some((gate, why)) => format!("checked: stopped by {gate}: {}", piece(why, PIECE)),
        },
        Entry::Closed { why } => format!("over: {}", piece(why, PIECE)),
    }
}

fn spoken(part: &Spoken) -> String {
    match part {
        Spoken::Text(text) => format!("{} characters: {}", text.chars().count(), piece(text, 60)),
        Spoken::Result {
            tool,
            content,
            is_error,
            ..
        } => {
            let how = if *is_error { ", an error" } else { "" };
            format!("result of {tool} ({} bytes{how})", content.len())
        }
    }
}

/// The beginning of it, on one line.
fn piece(text: &str, most: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| if c == '\n' { ' ' } else { c })
        .take(most)
        .collect();
    match text.chars().nth(most) {
        Some(_) => format!("{line}…"),
        None => line,
    }
}
