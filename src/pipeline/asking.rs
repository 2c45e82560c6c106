//! A model's investigation of one incident, between the store and the conversation: what is handed to
//! it, where what was said is kept, and what its outcome means for the findings.

use crate::deliver;
use crate::investigate::dossier::{self, Brief, Past};
use crate::investigate::excerpts;
use crate::investigate::inquiry::{
    self, Entry, Halted, Inquiry, Limits, NoPatch, Outcome, Prompt, Remedies,
};
use crate::investigate::tools::LogLine;
use crate::investigate::{ByModel, Findings};
use crate::llm::{self, Talker};
use crate::model::service::{Fixer, FixerModel};
use crate::model::{CommitId, Incident, Settings, Timestamp};
use crate::pipeline::acting::{self, Door, ModelsDoor};
use crate::pipeline::clock;
use crate::pipeline::fates::fates;
use crate::pipeline::lane::Halt;
use crate::pipeline::ledger::StoreLedger;
use crate::redact::{self, Redactor, Scope};
use crate::source::{Commit, Repo, Tree};
use crate::store::place::{Disk, disk};
use crate::store::{Error, Lease, Store};
use serde_json::Value;
use std::path::Path;
use std::time::{Duration, Instant};

/// Calls to the model in one investigation.
const TURNS: u32 = 24;
/// Tokens of one answer, thinking included.
pub const MAX_TOKENS: u32 = 16_000;
/// How long one call may take.
const CALL: Duration = Duration::from_secs(300);
/// How long all of it may take.
const ALL: Duration = Duration::from_secs(1_200);
/// How long the dossier's own look at the source may take where the time for it is over already.
const LOOK: Duration = Duration::from_millis(200);
/// Functions of the likeliest places that are shown.
const FUNCTIONS: usize = 6;

/// Makes whoever speaks to a model.
pub type Talkers = Box<dyn Fn(&FixerModel) -> Result<Box<dyn Talker>, llm::Error> + Send>;

/// What is asked about.
pub struct Question<'a> {
    pub incident: &'a Incident,
    pub settings: &'a Settings,
    pub repo: &'a Repo,
    pub commit: Commit,
    pub last_good: Option<Commit>,
    pub findings: &'a Findings,
    /// When the dossier is to be there.
    pub until: Instant,
}

/// How asking ended.
pub enum Asked {
    /// With the model's part in the findings.
    Answered(Outcome, Box<ByModel>),
    /// The work has to end.
    Halted(Halted),
}

/// Where an investigation is kept, and what ends it.
pub struct Keeping<'a> {
    pub store: &'a mut Store,
    pub lease: &'a Lease,
    pub state_dir: &'a Path,
    pub halt: &'a Halt,
    /// By which recovery may be asked for; `None`: it may not.
    pub door: Option<&'a mut Door>,
}

/// What of the incident's past the dossier holds.
#[derive(Default)]
pub struct Beside {
    seen: Vec<(Timestamp, Option<CommitId>)>,
    past: Vec<Past>,
    tried: Vec<String>,
    /// What is known of the service's recovery; empty where it has no policy.
    pub recovery: Vec<String>,
}

impl Beside {
    /// # Errors
    /// When the store cannot be read.
    pub fn of(store: &Store, incident: &Incident) -> Result<Beside, Error> {
        let seen = store.occurrences(incident.id)?;
        let past = store.alike(incident)?;
        let events = store.events(incident.id)?;
        // First, so that a long history does not push out what must not be proposed again.
        let mut tried = fates(&store.rounds(&incident.service, &incident.fingerprint)?);
        let done = events
            .into_iter()
            // That work began says nothing of what came of it.
            .filter(|event| !matches!(event.what.as_str(), "open" | "claimed" | "postponed"))
            .map(|event| format!("{}: {}", event.what, event.detail));
        tried.extend(done);
        Ok(Beside {
            seen: seen.into_iter().map(|one| (one.time, one.commit)).collect(),
            past: past
                .into_iter()
                .map(|one| Past {
                    id: one.id.0,
                    same: one.fingerprint == incident.fingerprint,
                    title: one.title,
                    last_seen: one.last_seen,
                    status: one.status.word(),
                    reason: one.reason,
                })
                .collect(),
            tried,
            recovery: Vec::new(),
        })
    }
}

/// Writes the dossier of an incident.
pub fn dossier_of(
    question: &Question<'_>,
    beside: &Beside,
    lines: &[LogLine],
    scope: &mut Scope,
    deadline: Instant,
) -> dossier::Dossier {
    let until = deadline.min(question.until.max(Instant::now() + LOOK));
    question.repo.set_deadline(until);
    let tree = Tree::read(question.repo, question.commit).ok();
    let functions = tree.map_or_else(Vec::new, |tree| {
        excerpts::functions(&question.findings.places, &tree, FUNCTIONS)
    });
    let brief = Brief {
        incident: question.incident,
        settings: question.settings,
        repo: question.repo,
        commit: question.commit,
        findings: question.findings,
        functions: &functions,
        last_good: question.last_good,
        seen: &beside.seen,
        past: &beside.past,
        tried: &beside.tried,
        recovery: &beside.recovery,
        lines,
    };
    dossier::write(&brief, scope, dossier::BYTES, until)
}

/// The lines that may be shown. What neighbours said goes with them only where their own settings let
/// it, and redact it no otherwise than the service's.
///
/// # Errors
/// When the store cannot be read.
pub fn lines_of(
    store: &Store,
    incident: &Incident,
    settings: &Settings,
) -> Result<Vec<LogLine>, Error> {
    let mut shown = incident.clone();
    let mut kept = Vec::new();
    for line in std::mem::take(&mut shown.context) {
        let neighbour = line.from.as_deref().and_then(|from| from.split_once(": "));
        let may = match neighbour {
            None => true,
            Some((name, _)) => store.settings(name)?.is_some_and(|other| {
                other.model.as_ref().is_some_and(|model| model.may_be_sent)
                    && other.redact == settings.redact
            }),
        };
        if may {
            kept.push(line);
        }
    }
    shown.context = kept;
    Ok(dossier::lines_of(&shown))
}

/// The rules by which a service's text is redacted.
///
/// # Errors
/// When they cannot be used: nothing may be sent then.
pub fn redactor(settings: &Settings) -> Result<Redactor, String> {
    let made = Redactor::new(&redact::Settings::from(&settings.redact));
    made.map_err(|_| {
        "the service's rules of redaction cannot be used, so nothing is sent".to_owned()
    })
}

/// Holds the conversation, or goes on with it where it was cut off.
///
/// # Errors
/// When the store or the disk refuses.
pub fn ask(
    question: &Question<'_>,
    model: &FixerModel,
    keeping: &mut Keeping<'_>,
    talker: &dyn Talker,
) -> Result<Asked, Error> {
    let endpoint = talker.endpoint();
    let by = ByModel::of(&endpoint);
    let redactor = match redactor(question.settings) {
        Ok(redactor) => redactor,
        Err(why) => return Ok(Asked::Answered(Outcome::Unavailable(why), Box::new(by))),
    };
    let incident = question.incident;
    let mut scope = redactor.scope();
    let until = Instant::now() + ALL;
    let lines = lines_of(keeping.store, incident, question.settings)?;
    let mut beside = Beside::of(keeping.store, incident)?;
    let model_name = endpoint.model.as_str();
    let policy = question.settings.recovery.as_ref();
    let mut remedies = match (&mut keeping.door, policy) {
        (Some(door), Some(policy)) => {
            beside.recovery = acting::story(keeping.store, policy, incident, clock::now())?;
            ModelsDoor::of(door, policy, incident, model_name, &mut scope)?
        }
        (Some(_) | None, _) => None,
    };
    let dossier = dossier_of(question, &beside, &lines, &mut scope, until);
    question.repo.set_deadline(until);
    let offered = remedies.as_ref().map(Remedies::tools);
    let prompt = Prompt::with(offered.unwrap_or_default()).fingerprint();
    let past = past(question, keeping.store, keeping.lease, (&endpoint, &prompt))?;
    let is_ephemeral = disk(keeping.state_dir) == Disk::Fleeting;
    let mut ledger = StoreLedger::new(
        keeping.store,
        keeping.lease,
        question.settings,
        model,
        is_ephemeral,
        keeping.halt,
    );
    let mut inquiry = inquiry_of(question, &lines, (dossier, scope), until);
    inquiry.remedies = remedies.as_mut().map(|one| one as &mut dyn Remedies);
    let outcome = inquiry::run(inquiry, talker, &past, &mut ledger);
    let asked = match remedies {
        Some(_) => acting::asked_for(keeping.store, incident)?,
        None => Vec::new(),
    };
    write_transcript(keeping, incident, &redactor)?;
    let spent = keeping.store.spent_on(incident.id)?;
    let by = ByModel {
        usd: spent.usd.as_f64(),
        tokens: spent.tokens,
        ..by
    };
    Ok(match outcome {
        Err(halted) => Asked::Halted(halted),
        Ok(outcome) => {
            let by = match &outcome {
                Outcome::Patch(found) => by.proposing(&found.0, &found.1),
                Outcome::NoPatch(end) => by.without_patch(end),
                Outcome::Later { why, .. } | Outcome::Unavailable(why) => ByModel {
                    why_none: Some(why.clone()),
                    ..by
                },
            };
            let by = ByModel { asked, ..by };
            Asked::Answered(outcome, Box::new(by))
        }
    })
}

/// What is investigated, with the dossier and the scope that it was redacted in.
pub fn inquiry_of<'a>(
    question: &Question<'a>,
    lines: &'a [LogLine],
    (dossier, scope): (dossier::Dossier, Scope),
    until: Instant,
) -> Inquiry<'a> {
    Inquiry {
        repo: question.repo,
        commit: question.commit,
        settings: question.settings,
        trace: question.incident.trace.as_ref(),
        lines,
        dossier: dossier.text,
        scope,
        remedies: None,
        limits: Limits {
            turns: TURNS,
            max_tokens: MAX_TOKENS,
            call: CALL,
            until,
        },
    }
}

/// What was said before, where it was with the same model about the same commit. One that is over is
/// still there where its result was not delivered: then nothing needs to be paid again.
fn past(
    question: &Question<'_>,
    store: &mut Store,
    lease: &Lease,
    (endpoint, prompt): (&llm::Endpoint, &str),
) -> Result<Vec<Entry>, Error> {
    let kept = store.conversation(question.incident.id)?;
    if kept.is_empty() {
        return Ok(Vec::new());
    }
    let entries: Result<Vec<Entry>, _> = kept
        .iter()
        .map(|line| serde_json::from_str::<Entry>(line))
        .collect();
    let goes_on = |entries: &[Entry]| match entries.first() {
        Some(Entry::Opened {
            endpoint: with,
            commit,
            prompt_sha256,
            ..
        }) => {
            with == endpoint && *commit == question.commit.to_string() && *prompt_sha256 == prompt
        }
        Some(_) | None => false,
    };
    match entries {
        Ok(entries) if goes_on(&entries) => Ok(entries),
        Ok(_) | Err(_) => {
            store.forget_conversation(lease, clock::now())?;
            Ok(Vec::new())
        }
    }
}

/// Leaves everything that was said beside the report, redacted once more: a model may have made up
/// what looks like a secret.
fn write_transcript(
    keeping: &Keeping<'_>,
    incident: &Incident,
    redactor: &Redactor,
) -> Result<(), Error> {
    let mut scope = redactor.scope();
    let mut text = String::new();
    for line in keeping.store.conversation(incident.id)? {
        // What is no JSON was not written by us.
        let Ok(mut value) = serde_json::from_str::<Value>(&line) else {
            continue;
        };
        if value["entry"] != "ours" && value["entry"] != "opened" {
            redacted(&mut value, &mut scope);
        }
        text.push_str(&value.to_string());
        text.push('\n');
    }
    let folder = keeping.state_dir.join("incidents");
    deliver::transcript(&folder, incident.id, &text)
        .map_err(|fault| Error::result(fault.to_string()))
}

fn redacted(value: &mut Value, scope: &mut Scope) {
    match value {
        Value::String(text) => *text = scope.text(text).as_str().to_owned(),
        Value::Array(all) => all.iter_mut().for_each(|one| redacted(one, scope)),
        Value::Object(all) => all.values_mut().for_each(|one| redacted(one, scope)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What an outcome means for what was found without a model.
pub fn settle(findings: &mut Findings, fixer: Fixer, outcome: Outcome, by: ByModel) {
    let why_none = by.why_none.clone().unwrap_or_default();
    let words = format!("{} at {}", by.model, by.api);
    findings.tried.push(match by.proposed {
        true => format!("asked {words}: {}", first_sentence(&by.cause)),
        false => format!("asked {words}: {why_none}"),
    });
    findings.tried.extend(by.asked.iter().cloned());
    findings.notes.extend(by.notes.iter().cloned());
    match outcome {
        Outcome::Patch(found) => {
            let (answer, judged) = *found;
            findings.patch = Some(judged.patch);
            findings.why = first_sentence(&answer.cause);
        }
        Outcome::NoPatch(end) if is_a_word(&end) => {
            findings.patch = None;
            findings.why = why_none;
        }
        Outcome::NoPatch(_) | Outcome::Later { .. } | Outcome::Unavailable(_) => {
            if fixer == Fixer::Model {
                findings.patch = None;
                findings.why = why_none;
            } else if !why_none.is_empty() {
                findings.why = format!("{}; {why_none}", findings.why);
            }
        }
    }
    findings.by_model = Some(by);
}

/// A model that gave up for a reason has looked: nothing is taken back against its word.
fn is_a_word(end: &NoPatch) -> bool {
    end.gave_up.is_some()
}

fn first_sentence(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let end = line.find(". ").map_or(line.len(), |at| at + 1);
    line.get(..end).unwrap_or(line).to_owned()
}
