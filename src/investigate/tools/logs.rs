//! `read_logs`.

use super::code::count;
use super::input::Input;
use super::{Desk, Failed, Filled, LogLine, Redacted, Scope, Seen};
use crate::investigate::page::{BYTES, Page};
use regex::RegexBuilder;
use std::time::Instant;

/// Bytes that a compiled pattern may take.
const SIZE: usize = 1 << 20;

impl Desk<'_> {
    pub(super) fn read_logs(
        &mut self,
        input: &Input<'_>,
        scope: &mut Scope,
        deadline: Instant,
    ) -> Filled {
        let lines = self.lines;
        let (Some(oldest), Some(newest)) = (lines.first(), lines.last()) else {
            return Err("no log lines are kept with this incident".into());
        };
        let from = find(lines, input.text("from"), oldest, newest, scope)?.unwrap_or(0);
        let to = find(lines, input.text("to"), oldest, newest, scope)?;
        let to = to.unwrap_or(lines.len() - 1);
        let Some(range) = lines.get(from..=to.max(from)).filter(|_| from <= to) else {
            return Err("from is newer than to; swap them".into());
        };
        let pattern = input.text("pattern").map(regex).transpose()?;
        let mut fit = Vec::new();
        let mut late = false;
        for line in range {
            if Instant::now() >= deadline {
                late = true;
                break;
            }
            if pattern.as_ref().is_none_or(|p| p.is_match(&line.text)) {
                fit.push(line);
            }
        }
        let mut page = Page::new(&[
            count(fit.len()).into(),
            " of ".into(),
            count(lines.len()).into(),
            " log lines around the incident, oldest first, each with its id and time".into(),
        ]);
        let mut seen = Vec::new();
        for line in &fit {
            let shown = shown(line, scope);
            if !page.data(None, &shown) {
                break;
            }
            seen.push(Seen::Log(line.id.clone()));
        }
        if seen.len() < fit.len() {
            page.own(&[
                count(fit.len() - seen.len()).into(),
                " more are not shown, because one result holds no more; ask for them with from or \
                 a narrower pattern."
                    .into(),
            ]);
        }
        if late {
            page.own(&["Not every line was looked at, because the time was over.".into()]);
        }
        Ok((page, seen))
    }
}

fn regex(text: &str) -> Result<regex::Regex, Failed> {
    let built = RegexBuilder::new(text)
        .size_limit(SIZE)
        .dfa_size_limit(SIZE)
        .build();
    built.map_err(|_| {
        "the pattern is no regular expression of Rust's regex crate, or too large; escape signs \
         with a backslash, and use no look-around or back-references"
            .into()
    })
}

/// The place of a line by its id.
fn find(
    lines: &[LogLine],
    id: Option<&str>,
    oldest: &LogLine,
    newest: &LogLine,
    scope: &mut Scope,
) -> Result<Option<usize>, Failed> {
    let Some(id) = id else { return Ok(None) };
    match lines.iter().position(|line| line.id == id) {
        Some(at) => Ok(Some(at)),
        None => Err(Failed::Call(Redacted::join(&[
            "there is no line with that id; they go from ".into(),
            (&scope.text(&oldest.id).quoted(60, 60)).into(),
            " to ".into(),
            (&scope.text(&newest.id).quoted(60, 60)).into(),
        ]))),
    }
}

/// Id, time and text on one line.
fn shown(line: &LogLine, scope: &mut Scope) -> Redacted {
    let text = line.text.get(..line.text.floor_char_boundary(BYTES));
    let text = scope.text(text.unwrap_or_default());
    let mut whole = scope.text(&line.id).plain(60, 60);
    whole.push(" ");
    if let Some(time) = line.time {
        whole.push(&scope.text(&time.to_rfc3339()));
        whole.push(" ");
    }
    whole.push(&text);
    whole
}
