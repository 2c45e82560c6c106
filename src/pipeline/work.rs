//! One incident from its claim to its result: settings from the store, the repository at the
//! deployed commit, the fixer, the report. Used by the slow lane and by `autofix fix`. It
//! decides nothing about the fault; it calls those who do and writes down what they say.

use crate::counters::Counters;
use crate::investigate::inquiry::{Halted, Outcome};
use crate::investigate::{self, Findings};
use crate::model::service::{Fixer, FixerModel};
use crate::model::{Incident, Kind, Settings, Status, Timestamp};
use crate::net::Secret;
use crate::patch::verify;
use crate::pipeline::acting::Door;
use crate::pipeline::asking::{self, Asked, Keeping, Question, Talkers};
use crate::pipeline::clock;
use crate::pipeline::joining::Joined;
use crate::pipeline::lane::Halt;
use crate::pipeline::proving;
use crate::source::{self, Commit, Mirrors, Repo};
use crate::store::{Error, ErrorKind, Lease, Store};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Digits of a commit in words for people.
const SHORT: usize = 12;

/// How long one incident may take, clone included. A lease lasts longer.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// How long it may take until a model has its dossier: the walk through the history, the search for
/// texts, the dossier itself.
pub const DOSSIER: Duration = Duration::from_millis(1_900);
/// What the search leaves of it for the dossier.
const REST: Duration = Duration::from_millis(200);
/// The least that the search has where the walk was slow.
const LEAST: Duration = Duration::from_millis(200);
/// How long keeping the texts of a commit may take once the incident needs them no more.
pub(super) const KEEP: Duration = Duration::from_secs(5);

/// A remote that cannot be had is tried this often before the incident is only reported.
const MAX_TRIES: u32 = 4;
/// Pause after the first failed try; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// How often, and how long, a busy model is waited for where nobody comes back later.
const WAITS: u32 = 3;
const SHORTEST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// The span of `Max_Fixes_Per_Hour`.
const HOUR: Duration = Duration::from_secs(3600);
/// How long an incident waits before the hour is looked at again.
const HOUR_PAUSE: Duration = Duration::from_secs(300);
pub(super) const HOUR_IS_FULL: &str = "the diff waits: this hour's are made (Max_Fixes_Per_Hour); `autofix \
    fix` makes it now";

/// Reads a service's secret for a host at each use; only a door knows where it stands.
pub type Credentials = Box<dyn Fn(&Settings, &str) -> Option<Secret> + Send + Sync>;

/// Whoever works on incidents.
pub struct Worker {
    pub store: Store,
    pub mirrors: Mirrors,
    pub credentials: Arc<Credentials>,
    /// `State_Dir`, absolute.
    pub state_dir: PathBuf,
    /// Diffs made in an hour at most; `None` where a person asked for the work.
    pub fixes_per_hour: Option<u32>,
    pub talkers: Talkers,
    /// By which a model may ask for recovery; `None`: it may not.
    pub door: Option<Door>,
    /// Bounds of a run of a service's tests; `None` inside the host's process, where none is run.
    pub verifies: Option<verify::Limits>,
    /// Ends an investigation between two calls.
    pub halt: Halt,
    /// Come back later to a remote that cannot be had; else report at once.
    pub patient: bool,
    pub counters: Arc<Counters>,
}

/// How the work on one incident ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worked {
    /// It has a result.
    Done(Status),
    /// A remote cannot be had, or the hour's diffs are made; taken up again at this time.
    Later(Timestamp, String),
    /// The lease ended meanwhile; nothing was delivered.
    Lost,
}

/// What the investigation came to.
pub(super) enum Found {
    /// With the full id of the commit that was read.
    Result(Box<Findings>, Option<String>),
    /// Worth another try later, not before so long.
    Unreachable(String, Duration),
    /// The model would be asked, but this hour's diffs are made.
    Waits(Box<Findings>, Option<String>),
    Halted(Halted),
}

impl Found {
    /// In words for people.
    pub(super) fn why(&self) -> &str {
        match self {
            Found::Result(findings, _) | Found::Waits(findings, _) => &findings.why,
            Found::Unreachable(why, _) => why,
            Found::Halted(_) => "the process ends",
        }
    }
}

impl Worker {
    /// Works on one claimed incident.
    ///
    /// # Errors
    /// When the store or the disk refuses the result; the incident stays open.
    pub fn work(&mut self, incident: &Incident, lease: &Lease) -> Result<Worked, Error> {
        self.counters.investigations.add(1);
        let worked = self.try_work(incident, lease);
        match worked {
            Err(fault) if fault.kind == ErrorKind::LeaseLost => Ok(Worked::Lost),
            other => other,
        }
    }

    fn try_work(&mut self, incident: &Incident, lease: &Lease) -> Result<Worked, Error> {
        let settings = self.settings(&incident.service)?;
        let round = match self.join(incident, lease, &settings)? {
            Joined::Worked(worked) => return Ok(worked),
            Joined::Investigate { round } => round,
        };
        let full = self.hour_is_full()?;
        if let (Some(later), true) = (full, incident.location.is_some()) {
            // Located and reported already; only its diff waits.
            return self.postpone(lease, later, HOUR_IS_FULL.to_owned());
        }
        let tries = self.store.tries(incident.id)?;
        let last = !self.patient || tries >= MAX_TRIES;
        match self.investigate(incident, lease, &settings, full.is_some(), last)? {
            Found::Unreachable(why, after) if !last => {
                let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(6)).max(after);
                self.postpone(lease, clock::now().plus(pause), why)
            }
            Found::Halted(Halted::Ending) => {
                let why = "the process ends; the investigation goes on in the next".to_owned();
                self.postpone(lease, clock::now(), why)
            }
            Found::Halted(Halted::Lost) => Ok(Worked::Lost),
            Found::Halted(Halted::Store(why)) => Err(Error::result(why)),
            Found::Unreachable(why, _) => {
                self.deliver(incident, lease, &settings, (only(why), None), (round, None))
            }
            Found::Waits(findings, commit) => self.deliver(
                incident,
                lease,
                &settings,
                (*findings, commit),
                (round, full),
            ),
            Found::Result(findings, commit) => {
                let waits = full.filter(|_| findings.patch.is_some());
                self.deliver(
                    incident,
                    lease,
                    &settings,
                    (*findings, commit),
                    (round, waits),
                )
            }
        }
    }

    fn settings(&self, service: &str) -> Result<Settings, Error> {
        let known = self.store.settings(service)?;
        Ok(known.unwrap_or_else(|| Settings {
            service: service.to_owned(),
            ..Settings::default()
        }))
    }

    /// When a diff may be made again, where this hour's are made.
    fn hour_is_full(&self) -> Result<Option<Timestamp>, Error> {
        let Some(limit) = self.fixes_per_hour else {
            return Ok(None);
        };
        let now = clock::now();
        let made = self.store.proposals_since(now.minus(HOUR))?;
        Ok((made >= limit).then(|| now.plus(HOUR_PAUSE)))
    }

    pub(super) fn postpone(
        &mut self,
        lease: &Lease,
        until: Timestamp,
        why: String,
    ) -> Result<Worked, Error> {
        self.counters.postponed.add(1);
        self.store.postpone(lease, until, &why, clock::now())?;
        Ok(Worked::Later(until, why))
    }

    /// What could not be done stands in the findings. `full`: no diff may be made this hour; `last`: a
    /// remote that cannot be had is not waited for.
    fn investigate(
        &mut self,
        incident: &Incident,
        lease: &Lease,
        settings: &Settings,
        full: bool,
        last: bool,
    ) -> Result<Found, Error> {
        if incident.kind == Kind::Environment {
            return Ok(Found::Result(Box::new(investigate::around(incident)), None));
        }
        if incident.is_storm() {
            return Ok(Found::Result(Box::new(investigate::of_storm()), None));
        }
        if settings.observe {
            return Ok(nothing("Mode is observe: no repository is read".into()));
        }
        let (repo, commit) = match self.open(incident, settings) {
            Ok(opened) => opened,
            Err(found) => return Ok(found),
        };
        let last_good = self.last_good(incident, &repo)?;
        let until = Instant::now() + DOSSIER;
        let mut findings = look(&repo, commit, incident, settings, last_good, until);
        self.keep_earlier_fixes(&mut findings, incident)?;
        let id = Some(commit.to_string());
        if settings.fixer == Fixer::Off {
            keep_texts(&mut findings, &repo);
            findings.patch = None;
            findings.why = "the fixer is off: the fault was located, no diff was made".into();
            return Ok(Found::Result(Box::new(findings), id));
        }
        let Some(model) = asked(settings, &mut findings) else {
            keep_texts(&mut findings, &repo);
            self.prove(&mut findings, &repo, settings, lease)?;
            return Ok(Found::Result(Box::new(findings), id));
        };
        if full {
            return Ok(Found::Waits(Box::new(findings), id));
        }
        let question = Question {
            incident,
            settings,
            repo: &repo,
            commit,
            last_good,
            findings: &findings,
            until,
        };
        let (outcome, by) = match self.ask(&question, &model, lease, last)? {
            Asked::Halted(halted) => return Ok(Found::Halted(halted)),
            Asked::Answered(Outcome::Later { after, why }, _) if !last => {
                return Ok(Found::Unreachable(why, after));
            }
            Asked::Answered(outcome, by) => (outcome, by),
        };
        asking::settle(&mut findings, settings.fixer, outcome, *by);
        keep_texts(&mut findings, &repo);
        self.prove(&mut findings, &repo, settings, lease)?;
        Ok(Found::Result(Box::new(findings), id))
    }

    /// A fix of an earlier round that did not hold is still not taken back: that would bring the fault
    /// back that it was made for.
    fn keep_earlier_fixes(
        &self,
        findings: &mut Findings,
        incident: &Incident,
    ) -> Result<(), Error> {
        if findings.patch.is_none() {
            return Ok(());
        }
        let rounds = self
            .store
            .rounds(&incident.service, &incident.fingerprint)?;
        let commits = rounds.iter().flat_map(|row| [&row.merged_commit, &row.tip]);
        for commit in commits.flatten() {
            let short: String = commit.chars().take(SHORT).collect();
            if short.len() == SHORT && findings.why.contains(&short) {
                let why = format!("{short} is an earlier fix of this fault, and is not taken back");
                findings.patch = None;
                findings.tried.push(why.clone());
                findings.why = why;
                return Ok(());
            }
        }
        Ok(())
    }

    /// Carries a patch to the default branch, and runs the service's tests on it.
    fn prove(
        &mut self,
        findings: &mut Findings,
        repo: &Repo,
        settings: &Settings,
        lease: &Lease,
    ) -> Result<(), Error> {
        if findings.patch.is_none() {
            return Ok(());
        }
        let within = proving::VERIFY + DEADLINE;
        self.store.renew_for(lease, within, clock::now())?;
        proving::carry(findings, repo, settings);
        let scratch = self.state_dir.join("scratch");
        proving::prove(findings, repo, settings, self.verifies.as_ref(), &scratch);
        Ok(())
    }

    /// Asks the model. Where nobody comes back later, a server that is busy is waited for a little.
    fn ask(
        &mut self,
        question: &Question<'_>,
        model: &FixerModel,
        lease: &Lease,
        last: bool,
    ) -> Result<Asked, Error> {
        let talker = match (self.talkers)(model) {
            Ok(talker) => talker,
            Err(fault) => {
                let why = fault.to_string();
                let by = investigate::ByModel {
                    api: model.api.word().to_owned(),
                    model: model.model.clone(),
                    why_none: Some(why.clone()),
                    ..investigate::ByModel::default()
                };
                return Ok(Asked::Answered(Outcome::Unavailable(why), Box::new(by)));
            }
        };
        let mut waits = if last { WAITS } else { 0 };
        loop {
            let mut keeping = Keeping {
                store: &mut self.store,
                lease,
                state_dir: &self.state_dir,
                halt: &self.halt,
                door: self.door.as_mut(),
            };
            let asked = asking::ask(question, model, &mut keeping, talker.as_ref())?;
            match asked {
                Asked::Answered(Outcome::Later { after, .. }, _)
                    if waits > 0 && after <= LONGEST_WAIT =>
                {
                    waits -= 1;
                    std::thread::sleep(after.max(SHORTEST_WAIT));
                }
                asked => return Ok(asked),
            }
        }
    }

    /// The newest commit known to have run without the fault, where the repository has it.
    pub(super) fn last_good(
        &self,
        incident: &Incident,
        repo: &Repo,
    ) -> Result<Option<Commit>, Error> {
        let good = self.store.last_good(incident)?;
        Ok(good.and_then(|good| repo.lookup(&good)))
    }

    /// The repository at the deployed commit.
    pub(super) fn open(
        &self,
        incident: &Incident,
        settings: &Settings,
    ) -> Result<(Repo, Commit), Found> {
        let Some(address) = &settings.repo else {
            let why = format!(
                "the service {} is not registered with a repository",
                incident.service
            );
            return Err(nothing(why));
        };
        let Some(commit) = &incident.commit else {
            return Err(nothing("the deployed commit is not known".into()));
        };
        let fault = |fault: source::Error| match fault.is_transient() {
            true => Found::Unreachable(fault.to_string(), Duration::ZERO),
            false => nothing(fault.to_string()),
        };
        let deadline = Instant::now() + DEADLINE;
        let token = |host: &str| (self.credentials)(settings, host);
        let repo = self
            .mirrors
            .open(address, &token, deadline)
            .map_err(fault)?;
        let commit = repo.resolve(commit, &settings.branches).map_err(fault)?;
        Ok((repo, commit))
    }
}

/// What is found without a model: places, suspects, and the suspect change taken back. `until`: when a
/// dossier of it is to be there.
pub fn look(
    repo: &Repo,
    commit: Commit,
    incident: &Incident,
    settings: &Settings,
    last_good: Option<Commit>,
    until: Instant,
) -> Findings {
    let deadline = Instant::now() + DEADLINE;
    let trace = incident.trace.as_ref();
    let mut findings = investigate::revert(repo, commit, trace, settings, last_good, deadline);
    let least = Instant::now() + LEAST;
    let until = until
        .checked_sub(REST)
        .map_or(least, |until| until.max(least));
    investigate::look_further(&mut findings, repo, commit, incident, settings, until);
    findings
}

/// Has finished what searches began to keep, so that the next one at this commit sees everything.
fn keep_texts(findings: &mut Findings, repo: &Repo) {
    if let Err(fault) = repo.finish_texts(Instant::now() + KEEP) {
        let what = format!("the texts of the commit are not kept for later searches: {fault}");
        findings.notes.push(what);
    }
}

/// The model that is to be asked, where one is set and text may go to it.
fn asked(settings: &Settings, findings: &mut Findings) -> Option<FixerModel> {
    let model = match settings.fixer {
        Fixer::Auto | Fixer::Model => settings.model.clone()?,
        Fixer::Revert | Fixer::Off => return None,
    };
    if model.may_be_sent {
        return Some(model);
    }
    let why = format!(
        "{} at {} was not asked: Egress, or the service's egress, keeps its text from there",
        model.model,
        model.api.word()
    );
    if settings.fixer == Fixer::Model {
        findings.patch = None;
        findings.why.clone_from(&why);
    }
    findings.tried.push(why);
    None
}

fn nothing(why: String) -> Found {
    Found::Result(Box::new(only(why)), None)
}

/// Findings that consist of a reason why there are none.
fn only(why: String) -> Findings {
    Findings {
        why,
        ..Findings::default()
    }
}
