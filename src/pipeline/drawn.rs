//! An investigation without consequences: what the model would be shown and what that would cost, and a
//! conversation played again from its transcript. Neither claims an incident, spends or writes a result.

use crate::investigate::Findings;
use crate::investigate::dossier::Dossier;
use crate::investigate::inquiry::{self, Denied, Entry, Estimate, Halted, Ledger, Outcome, Prompt};
use crate::investigate::tools::LogLine;
use crate::llm::{Endpoint, Error as ModelError, Reply, Talker, Turn, Usage, tokens};
use crate::model::recovery::Policy;
use crate::model::service::{Fixer, FixerModel, Usd};
use crate::model::{Incident, Settings};
use crate::pipeline::acting;
use crate::pipeline::asking::{self, Beside, MAX_TOKENS, Question};
use crate::pipeline::clock;
use crate::pipeline::work::{DOSSIER, KEEP, Worker, look};
use crate::redact::Scope;
use crate::source::{Commit, Repo};
use std::time::{Duration, Instant};

/// How long playing a conversation again may take; nothing is waited for.
const AGAIN: Duration = Duration::from_secs(300);

/// What a model would be shown, and what it would cost.
#[derive(Clone, Debug)]
pub struct Drawn {
    pub dossier: Dossier,
    /// Of the first call, system prompt and tools included, at most.
    pub tokens: u64,
    /// The tools by which it could ask for recovery; nothing is asked for here.
    pub remedies: Vec<&'static str>,
    /// Who would be asked; `None`: no model is set, or text may not go there.
    pub model: Option<FixerModel>,
    /// What the first call costs at most.
    pub first: Usd,
    /// What all of it costs at most.
    pub most: Usd,
}

/// A conversation that was played again.
#[derive(Debug)]
pub struct Again {
    pub outcome: Outcome,
    /// What was said and judged this time.
    pub entries: Vec<Entry>,
}

impl Worker {
    /// Draws up the dossier of an incident.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    pub fn draw(&self, incident: &Incident) -> Result<Drawn, String> {
        let mut looked = self.looked(incident)?;
        let mut scope = asking::redactor(&looked.settings)?.scope();
        let mut remedies = Vec::new();
        if let Some(policy) = asked_for(&looked.settings) {
            let say = |fault: crate::store::Error| fault.to_string();
            let story = acting::story(&self.store, policy, incident, clock::now()).map_err(say)?;
            remedies = acting::tools(&self.store, policy, incident, &mut scope).map_err(say)?;
            looked.beside.recovery = story;
        }
        let settings = &looked.settings;
        let until = Instant::now() + AGAIN;
        let dossier = looked.dossier(incident, &mut scope, until);
        looked.keep_texts()?;
        let model = settings.model.clone().filter(|model| model.may_be_sent);
        let mut prompt = u64::from(tokens::at_most(dossier.text.as_str()));
        let names = remedies.iter().map(|tool| tool.name).collect();
        let before = Prompt::with(remedies);
        prompt += u64::from(tokens::at_most(before.system.as_str()));
        for tool in &before.tools {
            let text = format!("{} {}", tool.description, tool.schema);
            prompt += u64::from(tokens::at_most(&text));
        }
        let prices = model.as_ref().map(|model| model.prices).unwrap_or_default();
        let first = prices.most(prompt, u64::from(MAX_TOKENS));
        Ok(Drawn {
            dossier,
            tokens: prompt,
            remedies: names,
            first,
            most: match prices.are_none() {
                true => Usd(0),
                false => settings.budget.per_incident(),
            },
            model,
        })
    }

    /// Plays a conversation again: what the model said comes from the entries, everything else is
    /// done anew.
    ///
    /// # Errors
    /// Why it cannot be, in words for people.
    pub fn again(&self, incident: &Incident, past: &[Entry]) -> Result<Again, String> {
        let looked = self.looked(incident)?;
        let endpoint = past.iter().find_map(|entry| match entry {
            Entry::Opened { endpoint, .. } => Some(endpoint.clone()),
            Entry::Ours { .. }
            | Entry::Theirs { .. }
            | Entry::Failed { .. }
            | Entry::Judged { .. }
            | Entry::Closed { .. } => None,
        });
        let talker = Recorded {
            endpoint: endpoint.ok_or("the transcript does not begin with `opened`")?,
        };
        // Only what the model said is taken from it.
        let said: Vec<Entry> = past
            .iter()
            .filter(|entry| matches!(entry, Entry::Theirs { .. }))
            .cloned()
            .collect();
        let mut scope = asking::redactor(&looked.settings)?.scope();
        let until = Instant::now() + AGAIN;
        let dossier = looked.dossier(incident, &mut scope, until);
        looked.repo.set_deadline(until);
        let question = looked.question(incident);
        let inquiry = asking::inquiry_of(&question, &looked.lines, (dossier, scope), until);
        let mut ledger = Memory::default();
        let outcome = inquiry::run(inquiry, &talker, &said, &mut ledger);
        let outcome = outcome.map_err(|_| "it was ended".to_owned())?;
        looked.keep_texts()?;
        Ok(Again {
            outcome,
            entries: ledger.entries,
        })
    }

    /// Does what an investigation does before it asks.
    fn looked(&self, incident: &Incident) -> Result<Looked, String> {
        let say = |fault: crate::store::Error| fault.to_string();
        let settings = self.store.settings(&incident.service).map_err(say)?;
        let settings = settings
            .ok_or_else(|| format!("nothing is known of the service {}", incident.service))?;
        let opened = self.open(incident, &settings);
        let (repo, commit) = opened.map_err(|found| found.why().to_owned())?;
        let last_good = self.last_good(incident, &repo).map_err(say)?;
        let until = Instant::now() + DOSSIER;
        Ok(Looked {
            findings: look(&repo, commit, incident, &settings, last_good, until),
            lines: asking::lines_of(&self.store, incident, &settings).map_err(say)?,
            beside: Beside::of(&self.store, incident).map_err(say)?,
            settings,
            repo,
            commit,
            last_good,
            until,
        })
    }
}

/// The policy by which a model may ask for recovery: where none is asked at all, there is none.
fn asked_for(settings: &Settings) -> Option<&Policy> {
    let asked = match settings.fixer {
        Fixer::Auto | Fixer::Model => !settings.observe,
        Fixer::Revert | Fixer::Off => false,
    };
    settings.recovery.as_ref().filter(|_| asked)
}

/// What was found before anybody is asked.
struct Looked {
    settings: Settings,
    repo: Repo,
    commit: Commit,
    last_good: Option<Commit>,
    findings: Findings,
    lines: Vec<LogLine>,
    beside: Beside,
    until: Instant,
}

impl Looked {
    fn question<'a>(&'a self, incident: &'a Incident) -> Question<'a> {
        Question {
            incident,
            settings: &self.settings,
            repo: &self.repo,
            commit: self.commit,
            last_good: self.last_good,
            findings: &self.findings,
            until: self.until,
        }
    }

    fn dossier(&self, incident: &Incident, scope: &mut Scope, until: Instant) -> Dossier {
        let question = self.question(incident);
        asking::dossier_of(&question, &self.beside, &self.lines, scope, until)
    }

    fn keep_texts(&self) -> Result<(), String> {
        let kept = self.repo.finish_texts(Instant::now() + KEEP);
        kept.map_err(|fault| fault.to_string())
    }
}

/// Has nothing to say beyond what was recorded.
struct Recorded {
    endpoint: Endpoint,
}

impl Talker for Recorded {
    fn turn(&self, _turn: &Turn<'_>) -> Result<Reply, ModelError> {
        Err(ModelError::ended("the transcript ends here"))
    }

    fn endpoint(&self) -> Endpoint {
        self.endpoint.clone()
    }
}

/// A ledger that only remembers.
#[derive(Debug, Default)]
struct Memory {
    entries: Vec<Entry>,
}

impl Ledger for Memory {
    fn book(&mut self, _call: Estimate) -> Result<(), Denied> {
        Ok(())
    }

    fn settle(
        &mut self,
        _used: Option<Usage>,
        entries: &mut dyn FnMut(Usd) -> Vec<Entry>,
    ) -> Result<(), Halted> {
        self.entries.extend(entries(Usd(0)));
        Ok(())
    }

    fn keep(&mut self, entries: Vec<Entry>) -> Result<(), Halted> {
        self.entries.extend(entries);
        Ok(())
    }

    fn has_room_after(&self, _call: Estimate) -> bool {
        true
    }
}
