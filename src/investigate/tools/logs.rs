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
        let texts = shown(lines, scope);
        let texts = texts.get(from..).unwrap_or_default();
        let mut fit = Vec::new();
        let mut late = false;
        for (line, text) in range.iter().zip(texts) {
            if Instant::now() >= deadline {
                late = true;
                break;
            }
            // What is shown is searched: a pattern finds out nothing of what is not.
            if pattern.as_ref().is_none_or(|p| p.is_match(text.as_str())) {
                fit.push((line, text));
            }
        }
        let mut page = Page::new(&[
            count(fit.len()).into(),
            " of ".into(),
            count(lines.len()).into(),
            " log lines around the incident, oldest first, each with its id and time".into(),
        ]);
        let mut seen = Vec::new();
        for (line, text) in &fit {
            if !page.data(None, &on_line(line, text, scope)) {
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

/// What every line shows, redacted within the lines of its kind around it: a key that was printed over
/// many lines shows no part of itself. The same wherever a line is shown or cited.
pub(in crate::investigate) fn shown(lines: &[LogLine], scope: &mut Scope) -> Vec<Redacted> {
    let mut out = vec![Redacted::default(); lines.len()];
    let kind = |line: &LogLine| line.id.chars().next();
    let mut kinds: Vec<Option<char>> = lines.iter().map(kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for one in kinds {
        let of: Vec<usize> = (0..lines.len())
            .filter(|at| lines.get(*at).is_some_and(|line| kind(line) == one))
            .collect();
        let texts = of.iter().filter_map(|at| lines.get(*at)).map(|line| {
            let cut = line.text.floor_char_boundary(BYTES);
            line.text.get(..cut).unwrap_or_default()
        });
        let texts: Vec<&str> = texts.collect();
        let mut parts = scope.lines(&texts.join("\n")).into_iter();
        for (at, text) in of.into_iter().zip(texts) {
            let mut whole = Redacted::default();
            for part in 0..=text.matches('\n').count() {
                whole.push(if part == 0 { "" } else { "\n" });
                match parts.next() {
                    Some(Some(part)) => whole.push(&part),
                    Some(None) => whole.push("(part of the value above)"),
                    // An empty line at the very end is none.
                    None => {}
                }
            }
            if let Some(place) = out.get_mut(at) {
                *place = whole;
            }
        }
    }
    out
}

/// Id, time and text on one line.
pub(in crate::investigate) fn on_line(
    line: &LogLine,
    text: &Redacted,
    scope: &mut Scope,
) -> Redacted {
    let mut whole = scope.text(&line.id).plain(60, 60);
    whole.push(" ");
    if let Some(time) = line.time {
        whole.push(&scope.text(&time.to_rfc3339()));
        whole.push(" ");
    }
    whole.push(text);
    whole
}
