//! One incident from its claim to its result: settings from the store, the repository at the
//! deployed commit, the fixer, the report. Used by the slow lane and by `autofix fix`. It
//! decides nothing about the fault; it calls those who do and writes down what they say.

use crate::counters::Counters;
use crate::deliver::{self, Case};
use crate::investigate::{self, Findings};
use crate::model::service::Fixer;
use crate::model::{CommitId, Incident, IncidentId, Kind, Proposal, Settings, Status, Timestamp};
use crate::net::Secret;
use crate::pipeline::clock;
use crate::source::Mirrors;
use crate::source::locate::WITHIN;
use crate::store::{Ending, Error, ErrorKind, Lease, Store};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long one incident may take, clone included. A lease lasts longer.
pub const DEADLINE: Duration = Duration::from_secs(120);

/// A remote that cannot be had is tried this often before the incident is only reported.
const MAX_TRIES: u32 = 4;
/// Pause after the first failed try; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);

/// The span of `Max_Fixes_Per_Hour`.
const HOUR: Duration = Duration::from_secs(3600);
/// How long an incident waits before the hour is looked at again.
const HOUR_PAUSE: Duration = Duration::from_secs(300);
const HOUR_IS_FULL: &str = "the diff waits: this hour's are made (Max_Fixes_Per_Hour); `autofix \
    fix` makes it now";

/// Reads a service's secret for a host at each use; only a door knows where it stands.
pub type Credentials = Box<dyn Fn(&Settings, &str) -> Option<Secret> + Send>;

/// Whoever works on incidents.
pub struct Worker {
    pub store: Store,
    pub mirrors: Mirrors,
    pub credentials: Credentials,
    /// `State_Dir`, absolute.
    pub state_dir: PathBuf,
    /// Diffs made in an hour at most; `None` where a person asked for the work.
    pub fixes_per_hour: Option<u32>,
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
enum Found {
    /// With the full id of the commit that was read.
    Result(Box<Findings>, Option<String>),
    /// Worth another try later.
    Unreachable(String),
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
        let full = self.hour_is_full()?;
        if let (Some(later), true) = (full, incident.location.is_some()) {
            // Located and reported already; only its diff waits.
            return self.postpone(lease, later, HOUR_IS_FULL.to_owned());
        }
        let tries = self.store.tries(incident.id)?;
        match self.investigate(incident, &settings) {
            Found::Unreachable(why) if self.patient && tries < MAX_TRIES => {
                let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(6));
                self.postpone(lease, clock::now().plus(pause), why)
            }
            found => self.deliver(incident, lease, &settings, found, full),
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

    fn postpone(&mut self, lease: &Lease, until: Timestamp, why: String) -> Result<Worked, Error> {
        self.counters.postponed.add(1);
        self.store.postpone(lease, until, &why, clock::now())?;
        Ok(Worked::Later(until, why))
    }

    /// Never fails: what could not be done stands in the findings.
    fn investigate(&self, incident: &Incident, settings: &Settings) -> Found {
        if incident.kind == Kind::Environment {
            return Found::Result(Box::new(investigate::around(incident)), None);
        }
        if incident.is_storm() {
            return Found::Result(Box::new(investigate::of_storm()), None);
        }
        if settings.observe {
            return nothing("Mode is observe: no repository is read".into());
        }
        let Some(repo) = &settings.repo else {
            let why = format!(
                "the service {} is not registered with a repository",
                incident.service
            );
            return nothing(why);
        };
        let Some(commit) = &incident.commit else {
            return nothing("the deployed commit is not known".into());
        };
        self.at_commit(repo, commit, incident, settings)
    }

    fn at_commit(
        &self,
        address: &str,
        commit: &CommitId,
        incident: &Incident,
        settings: &Settings,
    ) -> Found {
        let deadline = Instant::now() + DEADLINE;
        let opened = self.mirrors.open(
            address,
            &|host| (self.credentials)(settings, host),
            deadline,
        );
        let repo = match opened {
            Ok(repo) => repo,
            Err(fault) if fault.is_transient() => return Found::Unreachable(fault.to_string()),
            Err(fault) => return nothing(fault.to_string()),
        };
        let commit = match repo.resolve(commit, &settings.branches) {
            Ok(commit) => commit,
            Err(fault) if fault.is_transient() => return Found::Unreachable(fault.to_string()),
            Err(fault) => return nothing(fault.to_string()),
        };
        let fixer = settings.fixer;
        let trace = incident.trace.as_ref();
        let mut findings = investigate::revert(&repo, commit, trace, settings, None, deadline);
        let until = deadline.min(Instant::now() + WITHIN);
        investigate::look_further(&mut findings, &repo, commit, incident, settings, until);
        let findings = match fixer {
            Fixer::Revert => findings,
            Fixer::Off => Findings {
                patch: None,
                why: "the fixer is off: the fault was located, no diff was made".into(),
                ..findings
            },
        };
        Found::Result(Box::new(findings), Some(commit.to_string()))
    }

    fn deliver(
        &mut self,
        incident: &Incident,
        lease: &Lease,
        settings: &Settings,
        found: Found,
        full: Option<Timestamp>,
    ) -> Result<Worked, Error> {
        let (mut findings, commit) = match found {
            Found::Result(findings, commit) => (*findings, commit),
            Found::Unreachable(why) => (only(why), None),
        };
        // A worker whose lease ended must leave no file behind for an incident of others.
        self.store.renew(lease, clock::now())?;
        let waits = full.filter(|_| findings.patch.is_some());
        if waits.is_some() {
            findings.patch = None;
            findings.why = format!("{HOUR_IS_FULL}; {}", findings.why);
        }
        let status = match (&findings.patch, waits) {
            (Some(_), _) => Status::Proposed,
            (None, Some(_)) => Status::Open,
            (None, None) => Status::Reported,
        };
        let folder = self.state_dir.join("incidents");
        let proposal = proposal(&folder, incident.id, &findings);
        let first_reason = self.first_reason(incident)?;
        let reason = format!("{first_reason}; {}", findings.why);
        let shown = Incident {
            status,
            reason: first_reason,
            location: findings.location.clone(),
            proposal: proposal.clone(),
            ..incident.clone()
        };
        let case = Case {
            incident: &shown,
            findings: &findings,
            repository: settings.repo.as_deref(),
            commit: commit.as_deref(),
        };
        deliver::write(&folder, &case).map_err(|fault| Error::result(fault.to_string()))?;
        let ending = Ending {
            status,
            reason,
            location: findings.location,
            proposal,
        };
        if let Some(until) = waits {
            self.counters.postponed.add(1);
            self.store.shelve(lease, &ending, until, clock::now())?;
            return Ok(Worked::Later(until, HOUR_IS_FULL.to_owned()));
        }
        self.store.finish(lease, &ending, clock::now())?;
        self.counters
            .proposals
            .add(u64::from(status == Status::Proposed));
        Ok(Worked::Done(status))
    }

    /// Why it became an incident; its reason may hold an earlier result as well.
    fn first_reason(&self, incident: &Incident) -> Result<String, Error> {
        let events = self.store.events(incident.id)?;
        let opened = events
            .into_iter()
            .find(|event| event.what == Status::Open.word());
        Ok(opened.map_or_else(|| incident.reason.clone(), |event| event.detail))
    }
}

fn proposal(folder: &Path, id: IncidentId, findings: &Findings) -> Option<Proposal> {
    findings.patch.as_ref().map(|patch| Proposal {
        fixer: "revert".to_owned(),
        patch: deliver::patch_of(folder, id).to_string_lossy().into_owned(),
        files: patch.files().to_vec(),
        pr: None,
    })
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
