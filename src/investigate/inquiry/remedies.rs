//! What a team lets the model ask for beside looking at the source: its running service, and changes to
//! it. The conversation knows names and results and no more; whether anything may happen is decided, and
//! done, by the corridor behind the trait.

use super::course::Course;
use super::words;
use crate::investigate::page::Page;
use crate::investigate::tools::{Desk, ToolResult};
use crate::llm::Tool;
use crate::redact::{Redacted, Scope};
use serde_json::Value;
use std::time::Instant;

/// Bytes of data that one result holds.
const ROOM: usize = 16 << 10;

/// What may be asked for in one investigation.
pub trait Remedies {
    /// The tools, the same in every turn; none: nothing may be asked for.
    fn tools(&self) -> Vec<Tool>;

    /// Runs a tool, whatever its name is: no tool of the desk has it. Never waits for what it asks for,
    /// and never fails: what could not be done stands in the result.
    fn run(&mut self, name: &str, input: &Value, scope: &mut Scope) -> ToolResult;

    /// A call that was answered before the conversation was broken off. It counts, and is not done again.
    fn again(&mut self, name: &str);
}

/// A result: what it is, words of ours, and data that cannot pass for them.
pub fn fenced(what: &'static str, own: &[Redacted], data: &[Redacted]) -> Redacted {
    let mut page = Page::with_room(&[what.into()], ROOM);
    for line in own {
        page.own(&[line.into()]);
    }
    let all = data.iter().all(|line| page.data(None, line));
    if !all {
        page.own(&["There is more than one result holds; the rest is left out.".into()]);
    }
    page.finish()
}

/// The last lines of data that one result holds.
pub fn newest(data: &[Redacted]) -> &[Redacted] {
    let mut left = ROOM;
    let fits = data.iter().rev().take_while(|line| {
        let cost = Page::cost(line);
        let fits = cost <= left;
        left = left.saturating_sub(cost);
        fits
    });
    let from = data.len() - fits.count();
    data.get(from..).unwrap_or_default()
}

impl Course<'_> {
    /// Runs a tool: of the desk, or of what the team lets the model ask for.
    pub(super) fn run(&mut self, name: &str, input: &Value) -> (Redacted, bool) {
        let (scope, until) = (&mut self.of.scope, self.of.limits.until);
        let remedies = match &mut self.of.remedies {
            Some(remedies) if !Desk::has(name) => remedies,
            Some(_) | None => {
                let done = self.desk.run(name, input, scope, until);
                return (done.content, done.is_error);
            }
        };
        // Its result was kept and is told again in the same words.
        if !self.told.is_empty() {
            remedies.again(name);
            return (Redacted::own(words::ANSWERED), false);
        }
        if Instant::now() >= until {
            return (Redacted::own(words::NO_ROOM), true);
        }
        let done = remedies.run(name, input, scope);
        (done.content, done.is_error)
    }
}
