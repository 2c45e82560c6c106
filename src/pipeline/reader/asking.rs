//! One question to the model: what it is shown, and what became of it. Not here: what an answer
//! leads to.

use super::{DEADLINE, Reader};
use crate::llm::{Ask, Error, ErrorKind};
use crate::pipeline::clock;
use crate::pipeline::verdicts;
use crate::redact::{Redacted, Scope};
use crate::registry::Service;
use crate::store::{self, Reading};
use crate::triage::answer::{self, Answer, Asked};
use crate::triage::entry::{Batch, Entry};
use crate::triage::prompt::{self, Active, Prompt, SYSTEM};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Bytes of a prompt: about 3,000 tokens, which a small model on two busy cores reads within a
/// minute.
const PROMPT_BYTES: usize = 8_000;
/// Tokens of an answer: for each entry, and at most.
const TOKENS_EACH: usize = 90;
const MOST_TOKENS: usize = 2_048;
/// Bytes of an answer that are kept.
const ANSWER_KEPT: usize = 4_096;
/// How long a new commit is worth a word.
const FRESH: Duration = Duration::from_secs(3_600);

/// How asking ended.
pub(super) enum Asking {
    Read(Answer, Reading),
    /// No answer can be used: the rules decide.
    Failed(Reading),
    /// Not now; the batch goes on waiting.
    Later(Error),
    /// It was too long: fewer entries, at once.
    Shorter,
}

impl Reader {
    /// The prompt for the first entries of a batch, and those entries. What did not fit goes on
    /// waiting.
    pub(super) fn prompt(&mut self, mut batch: Batch, scope: &mut Scope) -> (Prompt, Batch) {
        let registry = self.parts.services.get();
        let found = registry.named(&batch.service);
        let service = found.as_ref().map(|found| &*found.service);
        let owner = owner(service, &batch.service);
        let (past, active) = self.known(&owner, &batch.service);
        let newest = batch.entries.iter().map(|entry| entry.last_seen).max();
        let ask = prompt::Ask {
            service: &batch.service,
            description: service.and_then(|service| service.description.as_deref()),
            deployed: self.deployed(&batch.service),
            watches: &active,
            past: &past,
            entries: &batch.entries,
            now: newest.unwrap_or_default(),
        };
        let prompt = prompt::write(&ask, scope, PROMPT_BYTES);
        let rest = batch
            .entries
            .split_off(prompt.shown.min(batch.entries.len()));
        if !rest.is_empty() {
            self.waiting.push(Batch {
                service: batch.service.clone(),
                since: batch.since,
                entries: rest,
            });
        }
        (prompt, batch)
    }

    /// Past verdicts of the owner, and the watches that are active for the service.
    fn known(&self, owner: &str, service: &str) -> (Vec<prompt::Past>, Vec<Active>) {
        let past = self.parts.store.past_verdicts(owner).unwrap_or_default();
        let past = past.iter().map(verdicts::past).collect();
        let now = clock::now();
        let rows = self.parts.store.watches().unwrap_or_default();
        let here = |row: &store::WatchRow| {
            row.service.as_deref().is_none_or(|own| own == service)
                && row.expires.is_none_or(|end| end > now)
        };
        let active = rows.into_iter().filter(here).map(|row| Active {
            label: row.label,
            matched: row.matched,
            fired: row.fired,
        });
        (past, active.collect())
    }

    fn deployed(&self, service: &str) -> Option<Duration> {
        let (_, since) = self.commits.get(service)?;
        let ago = clock::now().since(*since);
        (ago < FRESH).then_some(ago)
    }

    /// Asks, and once more where the answer cannot be used.
    pub(super) fn ask(&mut self, batch: &Batch, prompt: &Prompt, scope: &mut Scope) -> Asking {
        let asked = Asked {
            service: batch.service.clone(),
            entries: batch.entries.len(),
            fields: fields(&batch.entries),
            now: clock::now(),
        };
        let mut reading = self.reading(&batch.service);
        let mut user = prompt.user.clone();
        let mut usable = None;
        for _ in 0..2 {
            let fault = match self.ask_once(&user, &asked, &mut reading) {
                Ok(text) => match answer::read(&text, &asked) {
                    Ok(answer) => return Asking::Read(answer, reading),
                    Err(fault) => {
                        usable = answer::salvage(&text, &asked).or(usable);
                        fault.0
                    }
                },
                Err(fault) if fault.is_of_the_server() => return Asking::Later(fault),
                Err(fault) => {
                    let long = matches!(fault.kind, ErrorKind::TooLong | ErrorKind::Truncated);
                    if long && batch.entries.len() > 1 {
                        return Asking::Shorter;
                    }
                    fault.to_string()
                }
            };
            user = prompt::again(&prompt.user, &fault, scope);
            reading.fault = Some(fault);
        }
        match usable {
            Some(answer) => Asking::Read(answer, reading),
            None => Asking::Failed(reading),
        }
    }

    fn ask_once(
        &mut self,
        user: &Redacted,
        asked: &Asked,
        reading: &mut Reading,
    ) -> Result<String, Error> {
        let characters = (SYSTEM.len() + user.len()) as u64;
        let counters = Arc::clone(&self.parts.counters);
        counters.triage_requests.add(1);
        counters.triage_characters.add(characters);
        reading.prompt_hash = hash(user);
        reading.prompt_chars += characters;
        let tokens = (TOKENS_EACH * asked.entries + TOKENS_EACH).min(MOST_TOKENS);
        let started = Instant::now();
        let answered = self.parts.model.ask(&Ask {
            system: &self.rules,
            user,
            schema: &answer::schema(asked.entries),
            max_tokens: u32::try_from(tokens).unwrap_or(u32::MAX),
            context_tokens: self.context,
            deadline: DEADLINE,
        });
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        reading.millis += millis;
        self.breaker.heard(clock::now(), &answered);
        let answered = answered?;
        let (prompt, answer) = (answered.prompt_tokens, answered.answer_tokens);
        let (prompt, answer) = (prompt.unwrap_or(0), answer.unwrap_or(0));
        reading.prompt_tokens += prompt;
        reading.answer_tokens += answer;
        counters.triage_tokens.add(prompt + answer);
        reading.answer = answered.text.chars().take(ANSWER_KEPT).collect();
        Ok(answered.text)
    }

    fn reading(&self, service: &str) -> Reading {
        let registry = self.parts.services.get();
        let found = registry.named(service);
        Reading {
            owner: owner(found.as_ref().map(|found| &*found.service), service),
            model: self.parts.name.clone(),
            ..Reading::default()
        }
    }
}

/// Whose verdicts these are: they do not cross it.
fn owner(service: Option<&Service>, name: &str) -> String {
    let owner = service.and_then(|service| service.owner.clone());
    owner.unwrap_or_else(|| format!("service {name}"))
}

fn fields(entries: &[Entry]) -> BTreeSet<String> {
    let examples = entries.iter().filter_map(|entry| entry.example.as_ref());
    let fields = examples.flat_map(|example| &example.fields);
    fields.map(|(path, _)| path.clone()).collect()
}

fn hash(user: &Redacted) -> String {
    let mut hash = Sha256::new();
    hash.update(SYSTEM);
    hash.update([0]);
    hash.update(user.as_str());
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
