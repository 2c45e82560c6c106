//! An investigation without consequences: what the model would be shown and what that would cost, and a
//! conversation played again from its transcript. Neither claims an incident, spends or writes a result.

use crate::investigate::dossier::Dossier;
use crate::investigate::inquiry::{
    self, Denied, Entry, Estimate, Halted, Inquiry, Ledger, Limits, Outcome,
};
use crate::investigate::tools::LogLine;
use crate::llm::{Endpoint, Error as ModelError, Reply, Talker, Turn, Usage, tokens};
use crate::model::service::{Api, FixerModel, Prices, Usd};
use crate::model::{Incident, Settings};
use crate::pipeline::asking::{self, Beside, MAX_TOKENS, Question};
use crate::pipeline::work::{DOSSIER, KEEP, Worker, look};
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
        let settings = self.settings_of(incident)?;
        let (repo, commit) = self.at_commit(incident, &settings)?;
        let model = settings.model.clone().filter(|model| model.may_be_sent);
        let plain = plain();
        let mut drawn = None;
        self.with_question(
            incident,
            &settings,
            (&repo, commit),
            model.as_ref().unwrap_or(&plain),
            |question, beside, lines| {
                let mut scope = asking::redactor(&settings)?.scope();
                let until = Instant::now() + AGAIN;
                drawn = Some(asking::dossier_of(
                    question, beside, lines, &mut scope, until,
                ));
                Ok(())
            },
        )?;
        let dossier = drawn.ok_or("no dossier was drawn up")?;
        let mut prompt = u64::from(tokens::at_most(dossier.text.as_str()));
        prompt += u64::from(tokens::at_most(inquiry::system().as_str()));
        for tool in inquiry::tools() {
            let text = format!("{} {}", tool.description, tool.schema);
            prompt += u64::from(tokens::at_most(&text));
        }
        let prices = model.as_ref().map(|model| model.prices).unwrap_or_default();
        let first = prices.most(prompt, u64::from(MAX_TOKENS));
        Ok(Drawn {
            dossier,
            tokens: prompt,
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
        let settings = self.settings_of(incident)?;
        let (repo, commit) = self.at_commit(incident, &settings)?;
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
        let mut ledger = Memory::default();
        let mut outcome = None;
        self.with_question(
            incident,
            &settings,
            (&repo, commit),
            &plain(),
            |question, beside, lines| {
                let mut scope = asking::redactor(&settings)?.scope();
                let until = Instant::now() + AGAIN;
                let dossier = asking::dossier_of(question, beside, lines, &mut scope, until);
                question.repo.set_deadline(until);
                let inquiry = Inquiry {
                    repo: question.repo,
                    commit,
                    settings: &settings,
                    trace: incident.trace.as_ref(),
                    lines,
                    dossier: dossier.text,
                    scope,
                    limits: Limits {
                        until,
                        ..asking::limits()
                    },
                };
                let ended = inquiry::run(inquiry, &talker, &said, &mut ledger);
                outcome = Some(ended.map_err(|_| "it was ended".to_owned())?);
                Ok(())
            },
        )?;
        Ok(Again {
            outcome: outcome.ok_or("nothing was played")?,
            entries: ledger.entries,
        })
    }

    fn settings_of(&self, incident: &Incident) -> Result<Settings, String> {
        let known = self.store.settings(&incident.service);
        let known = known.map_err(|fault| fault.to_string())?;
        known.ok_or_else(|| format!("nothing is known of the service {}", incident.service))
    }

    fn at_commit(
        &self,
        incident: &Incident,
        settings: &Settings,
    ) -> Result<(Repo, Commit), String> {
        self.open(incident, settings)
            .map_err(|found| found.why().to_owned())
    }

    /// Does what an investigation does before it asks.
    fn with_question(
        &self,
        incident: &Incident,
        settings: &Settings,
        (repo, commit): (&Repo, Commit),
        model: &FixerModel,
        then: impl FnOnce(&Question<'_>, &Beside, &[LogLine]) -> Result<(), String>,
    ) -> Result<(), String> {
        let say = |fault: crate::store::Error| fault.to_string();
        let last_good = self.store.last_good(incident).map_err(say)?;
        let last_good = last_good.and_then(|good| repo.lookup(&good));
        let until = Instant::now() + DOSSIER;
        let findings = look(repo, commit, incident, settings, last_good, until);
        let question = Question {
            incident,
            settings,
            model,
            repo,
            commit,
            last_good,
            findings: &findings,
            until,
        };
        let lines = asking::lines_of(&self.store, incident, settings).map_err(say)?;
        let beside = Beside::of(&self.store, incident).map_err(say)?;
        then(&question, &beside, &lines)?;
        repo.finish_texts(Instant::now() + KEEP)
            .map_err(|fault| fault.to_string())
    }
}

/// Stands where no model is asked.
fn plain() -> FixerModel {
    FixerModel {
        api: Api::Anthropic,
        url: String::new(),
        region: None,
        model: String::new(),
        key: None,
        prices: Prices::default(),
        may_be_sent: false,
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
