//! A conversation under way: what was said, what was used, how often what went wrong. Each step asks
//! the model or takes what it said before, and does what it calls for.

use super::{
    Denied, Entry, Estimate, Halted, Inquiry, Ledger, NoPatch, Outcome, Prompt, Spoken, failed,
    words,
};
use crate::investigate::tools::Desk;
use crate::llm::{Effort, Message, Part, Reply, Stop, Talker, Turn, Usage, tokens};
use crate::patch::answer::{Answer, GaveUp};
use crate::patch::gate::Stopped;
use crate::redact::Redacted;
use std::collections::{BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// Calls that are done in one turn.
const CALLS: usize = 16;
/// Calls in one turn that are answered at all: each answer is paid for in every turn that follows.
const MOST_CALLS: usize = 256;
/// Answers without a tool before the conversation is over.
const NUDGES: u32 = 2;
/// Answers that were cut before the conversation is over.
const CUTS: u32 = 2;
/// Proposals whose form was wrong before the conversation is over.
const MALFORMED: u32 = 3;
/// Turns that the server paused.
const PAUSES: u32 = 5;
/// Bytes of everything that we say; beyond them tools give nothing.
const ROOM: usize = 600 << 10;
/// Shorter calls than this are not begun.
const SHORTEST: Duration = Duration::from_secs(5);

/// A conversation under way.
pub(super) struct Course<'a> {
    pub(super) desk: Desk<'a>,
    pub(super) of: Inquiry<'a>,
    talker: &'a dyn Talker,
    pub(super) ledger: &'a mut dyn Ledger,
    prompt: Prompt,
    messages: Vec<Message>,
    /// Replies that were given before, to be taken instead of asking.
    recorded: VecDeque<Reply>,
    /// What we said before, to be said again in the same words: what the model said rests on it, and
    /// a log that went on, or a search that met its deadline, would give others now.
    pub(super) told: VecDeque<Vec<Spoken>>,
    /// Whether the conversation was begun before.
    opened: bool,
    /// Entries of ours that were kept before: whether each said that it is the last turn.
    kept: Vec<bool>,
    /// Entries of ours so far.
    said: usize,
    /// Bytes of everything that we said.
    bytes: usize,
    /// Tokens of the conversation up to the last reply, where the server counted.
    counted: u64,
    /// Tokens of what we said since, at most.
    since: u64,
    max_tokens: u32,
    turns: u32,
    nudges: u32,
    cuts: u32,
    pauses: u32,
    pub(super) malformed: u32,
    pub(super) interrupted: u32,
    pub(super) stopped: Vec<Stopped>,
    pub(super) answer: Option<Answer>,
    last: bool,
}

/// How a step of the conversation ended.
pub(super) enum Step {
    GoOn,
    End(Outcome),
}

pub(super) fn end(why: impl Into<String>) -> Step {
    Step::End(Outcome::NoPatch(Box::new(NoPatch {
        why: why.into(),
        ..NoPatch::default()
    })))
}

impl<'a> Course<'a> {
    pub(super) fn new(
        inquiry: Inquiry<'a>,
        talker: &'a dyn Talker,
        past: &[Entry],
        ledger: &'a mut dyn Ledger,
    ) -> Course<'a> {
        let ours = past
            .iter()
            .filter(|entry| matches!(entry, Entry::Ours { .. } | Entry::Judged { .. }));
        let opened = |entry: &Entry| matches!(entry, Entry::Opened { .. });
        let prompt = Prompt::of(inquiry.remedies.as_deref());
        let fixed = prompt.tools.iter();
        let fixed = fixed.map(|tool| tool.description.len() + tool.schema.to_string().len());
        let fixed: usize = fixed.sum();
        Course {
            desk: Desk::new(
                inquiry.repo,
                inquiry.commit,
                inquiry.settings,
                inquiry.lines,
            ),
            talker,
            ledger,
            since: u64::from(tokens::at_most(prompt.system.as_str())) + (fixed as u64).div_ceil(2),
            prompt,
            messages: Vec::new(),
            recorded: past.iter().filter_map(Entry::reply).collect(),
            told: past.iter().filter_map(Entry::ours).collect(),
            opened: past.iter().any(opened) || ours.clone().next().is_some(),
            kept: ours.map(|entry| entry.says(words::LAST)).collect(),
            said: 0,
            bytes: 0,
            counted: 0,
            max_tokens: inquiry.limits.max_tokens,
            turns: 0,
            nudges: 0,
            cuts: 0,
            pauses: 0,
            malformed: 0,
            interrupted: 0,
            stopped: Vec::new(),
            answer: None,
            last: false,
            of: inquiry,
        }
    }

    pub(super) fn hold(&mut self) -> Result<Outcome, Halted> {
        if !self.opened {
            let opened = Entry::Opened {
                endpoint: self.talker.endpoint(),
                commit: self.of.commit.to_string(),
                prompt_sha256: self.prompt.fingerprint(),
                system: self.prompt.system.as_str().to_owned(),
            };
            self.ledger.keep(vec![opened])?;
        }
        let dossier = std::mem::take(&mut self.of.dossier);
        self.say(vec![(Part::Text(dossier), String::new())])?;
        loop {
            let step = match self.next()? {
                Ok(reply) => self.take(reply)?,
                Err(step) => step,
            };
            if let Step::End(outcome) = step {
                return Ok(self.with_what_was_stopped(outcome));
            }
        }
    }

    /// An end without a patch tells of the proposals before it.
    fn with_what_was_stopped(&mut self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::NoPatch(mut no) => {
                no.stopped = std::mem::take(&mut self.stopped);
                no.answer = no.answer.or_else(|| self.answer.take());
                Outcome::NoPatch(no)
            }
            Outcome::Patch(_) | Outcome::Later { .. } | Outcome::Unavailable(_) => outcome,
        }
    }

    /// What the model says next: from before, or asked for now.
    fn next(&mut self) -> Result<Result<Reply, Step>, Halted> {
        if self.turns >= self.of.limits.turns {
            return Ok(Err(end(format!(
                "the model came to no end in {} turns",
                self.of.limits.turns
            ))));
        }
        self.turns += 1;
        if let Some(reply) = self.recorded.pop_front() {
            self.count(&reply.usage);
            return Ok(Ok(reply));
        }
        let left = self
            .of
            .limits
            .until
            .saturating_duration_since(Instant::now());
        if left < SHORTEST {
            return Ok(Err(end("the time for the investigation was over")));
        }
        let call = Estimate {
            prompt: self.counted.saturating_add(self.since),
            output: u64::from(self.max_tokens),
            within: left.min(self.of.limits.call),
        };
        match self.ledger.book(call) {
            Ok(()) => self.ask(call),
            Err(Denied::Halted(halted)) => Err(halted),
            Err(Denied::OverBudget(why)) => Ok(Err(Step::End(Outcome::Unavailable(why)))),
        }
    }

    fn ask(&mut self, call: Estimate) -> Result<Result<Reply, Step>, Halted> {
        let turn = Turn {
            system: &self.prompt.system,
            tools: &self.prompt.tools,
            messages: &self.messages,
            max_tokens: self.max_tokens,
            effort: Effort::default(),
            deadline: Instant::now() + call.within,
        };
        match self.talker.turn(&turn) {
            Ok(reply) => {
                self.ledger.settle(Some(reply.usage), &mut |usd| {
                    vec![Entry::theirs(&reply, usd)]
                })?;
                self.count(&reply.usage);
                Ok(Ok(reply))
            }
            Err(fault) => {
                let used = failed::used(&fault, call.output);
                let why = fault.to_string();
                self.ledger.settle(used, &mut |usd| {
                    vec![Entry::Failed {
                        why: why.clone(),
                        usd,
                    }]
                })?;
                Ok(Err(self.after(&fault)))
            }
        }
    }

    /// Holds what the server counted against what we estimate from now on.
    fn count(&mut self, usage: &Usage) {
        // What a server says of itself need not be possible.
        let prompt = usage
            .input
            .saturating_add(usage.cache_read)
            .saturating_add(usage.cache_write);
        if prompt > 0 {
            self.counted = prompt.saturating_add(usage.output);
            self.since = 0;
        } else {
            self.since += u64::from(self.max_tokens);
        }
    }

    /// Takes one reply.
    fn take(&mut self, reply: Reply) -> Result<Step, Halted> {
        if reply.calls.len() > MOST_CALLS {
            return Ok(end(format!(
                "the model made {} calls in one turn",
                reply.calls.len()
            )));
        }
        let ids: BTreeSet<&str> = reply.calls.iter().map(|call| call.id.as_str()).collect();
        if ids.len() < reply.calls.len() {
            return Ok(end("the model gave two of its calls one id"));
        }
        match &reply.stop {
            Stop::Refusal(words) => {
                let words = words.as_deref().unwrap_or("without a reason");
                let words = self.of.scope.text(words);
                return Ok(end(format!(
                    "the model refused to investigate: {}",
                    words.cut(300)
                )));
            }
            Stop::ContextFull => {
                return Ok(end(
                    "the conversation became longer than the model's context",
                ));
            }
            // With calls it waits for their results, whatever it says.
            Stop::Pause if reply.calls.is_empty() => {
                self.pauses += 1;
                self.messages.push(Message::Theirs(reply.said));
                return Ok(match self.pauses > PAUSES {
                    true => end("the server paused the model again and again"),
                    false => Step::GoOn,
                });
            }
            Stop::Length => return self.cut(reply),
            Stop::End | Stop::Tools | Stop::Pause => {}
        }
        if reply.calls.is_empty() {
            self.nudges += 1;
            if self.nudges > NUDGES || self.last {
                return Ok(end("the model ended without a proposal"));
            }
            self.push(reply);
            self.say_own(words::NUDGE, Vec::new())?;
            return Ok(Step::GoOn);
        }
        self.answer(reply)
    }

    /// An answer that reached its limit: nothing of it is done, and the next may be longer.
    fn cut(&mut self, reply: Reply) -> Result<Step, Halted> {
        self.cuts += 1;
        if self.cuts > CUTS {
            return Ok(end(format!(
                "the model's answers did not fit {} tokens",
                self.max_tokens
            )));
        }
        self.max_tokens = self.max_tokens.saturating_mul(2);
        let results = reply
            .calls
            .iter()
            .map(|call| {
                let content = Redacted::own(words::CUT_CALL);
                (result(&call.id, content, true), call.name.clone())
            })
            .collect();
        self.push(reply);
        self.say_own(words::CUT, results)?;
        Ok(Step::GoOn)
    }

    /// An empty reply cannot be told again; then what we say next is one message with what we
    /// said before.
    fn push(&mut self, reply: Reply) {
        let empty = match &reply.said.0 {
            serde_json::Value::Array(blocks) => blocks.is_empty(),
            serde_json::Value::Null => true,
            _ => false,
        };
        if !empty {
            self.messages.push(Message::Theirs(reply.said));
        }
    }

    /// Does what the model calls for.
    fn answer(&mut self, mut reply: Reply) -> Result<Step, Halted> {
        let calls = std::mem::take(&mut reply.calls);
        self.push(reply);
        let mut results = Vec::new();
        for (at, call) in calls.into_iter().enumerate() {
            let (content, is_error) = match call.name.as_str() {
                _ if at >= CALLS => (Redacted::own(words::TOO_MANY), true),
                words::PROPOSE => match self.propose(&call.input)? {
                    Ok(outcome) => return Ok(Step::End(outcome)),
                    Err(Some(why)) => (why, true),
                    Err(None) => {
                        return Ok(end("no proposal passed the checks"));
                    }
                },
                words::GIVE_UP => match GaveUp::read(&call.input) {
                    Ok(gave_up) => {
                        let why = format!("the model gave up: {}", gave_up.reason);
                        return Ok(Step::End(Outcome::NoPatch(Box::new(NoPatch {
                            why,
                            gave_up: Some(gave_up),
                            ..NoPatch::default()
                        }))));
                    }
                    Err(complaints) => {
                        self.malformed += 1;
                        (self.of.scope.text(&complaints.to_string()), true)
                    }
                },
                _ if self.last || self.bytes > ROOM => (Redacted::own(words::NO_ROOM), true),
                name => self.run(name, &call.input),
            };
            results.push((result(&call.id, content, is_error), call.name));
        }
        if self.malformed > MALFORMED {
            return Ok(end(
                "the model's proposals had a wrong form again and again",
            ));
        }
        if self.is_the_last_turn() {
            self.last = true;
            self.say_own(words::LAST, results)?;
        } else {
            self.say(results)?;
        }
        Ok(Step::GoOn)
    }

    fn is_the_last_turn(&self) -> bool {
        // What was said before is said again, though there may be more time or money now.
        if let Some(said) = self.kept.get(self.said) {
            return *said;
        }
        let left = self
            .of
            .limits
            .until
            .saturating_duration_since(Instant::now());
        let call = Estimate {
            prompt: self.counted.saturating_add(self.since),
            output: u64::from(self.max_tokens),
            within: self.of.limits.call,
        };
        // One turn is left after this one; what is recorded costs nothing.
        let recorded = !self.recorded.is_empty();
        self.turns + 1 >= self.of.limits.turns
            || left < self.of.limits.call.min(Duration::from_secs(60))
            || (!recorded && !self.ledger.has_room_after(call))
    }

    fn say_own(
        &mut self,
        words: &'static str,
        mut results: Vec<(Part, String)>,
    ) -> Result<(), Halted> {
        results.push((Part::Text(Redacted::own(words)), String::new()));
        self.say(results)
    }

    /// Says something, and keeps it unless it was kept before. Each part with the tool it is of.
    fn say(&mut self, parts: Vec<(Part, String)>) -> Result<(), Halted> {
        let parts = match self.told.pop_front() {
            Some(told) => self.in_the_same_words(told),
            None => parts,
        };
        let mut spoken = Vec::new();
        for (part, tool) in &parts {
            let (text, one) = match part {
                Part::Text(text) => (text, Spoken::Text(text.as_str().to_owned())),
                Part::Result {
                    call,
                    content,
                    is_error,
                } => (
                    content,
                    Spoken::Result {
                        call: call.clone(),
                        tool: tool.clone(),
                        content: content.as_str().to_owned(),
                        is_error: *is_error,
                    },
                ),
            };
            self.bytes += text.len();
            self.since += u64::from(tokens::at_most(text.as_str()));
            spoken.push(one);
        }
        let parts: Vec<Part> = parts.into_iter().map(|(part, _)| part).collect();
        match self.messages.last_mut() {
            Some(Message::Ours(before)) => before.extend(parts),
            Some(Message::Theirs(_)) | None => self.messages.push(Message::Ours(parts)),
        }
        self.note(Entry::Ours { parts: spoken })
    }

    /// What was kept was redacted as it was sent; that is done again, since only so may it be sent.
    fn in_the_same_words(&mut self, told: Vec<Spoken>) -> Vec<(Part, String)> {
        let scope = &mut self.of.scope;
        let again = told.into_iter().map(|one| match one {
            Spoken::Text(text) => (Part::Text(scope.text(&text)), String::new()),
            Spoken::Result {
                call,
                tool,
                content,
                is_error,
            } => (result(&call, scope.text(&content), is_error), tool),
        });
        again.collect()
    }

    /// Keeps an entry of ours unless it was kept before.
    pub(super) fn note(&mut self, entry: Entry) -> Result<(), Halted> {
        self.said += 1;
        if self.said <= self.kept.len() {
            return Ok(());
        }
        self.ledger.keep(vec![entry])
    }
}

fn result(call: &str, content: Redacted, is_error: bool) -> Part {
    Part::Result {
        call: call.to_owned(),
        content,
        is_error,
    }
}
