//! An incident whose fault has a pull request already is not investigated again: it joins that
//! request, waits for what became of it, or is to be deployed. Which of these, `incident::outcome`
//! says.

use crate::deliver;
use crate::incident::outcome::{self, Next};
use crate::model::delivery::{Delivery, Order};
use crate::model::{Incident, Proposal, Settings, Status};
use crate::pipeline::clock;
use crate::pipeline::work::{Worked, Worker};
use crate::store::{Ending, Error, Lease, PullRow};
use std::time::Duration;

/// How long an incident waits for the lane that looks after its request.
const PAUSE: Duration = Duration::from_secs(10);
/// How often it waits before it is taken for a commit without the fix.
const WAITS: u32 = 30;

/// Whether an incident is worked on.
pub(super) enum Joined {
    /// It has its result.
    Worked(Worked),
    /// It is to be investigated, for a request of this round.
    Investigate { round: u32 },
}

impl Worker {
    pub(super) fn join(
        &mut self,
        incident: &Incident,
        lease: &Lease,
        settings: &Settings,
    ) -> Result<Joined, Error> {
        let first = Joined::Investigate { round: 0 };
        if !settings.deliver {
            return Ok(first);
        }
        let pull = self
            .store
            .pull_of(&incident.service, &incident.fingerprint)?;
        let Some(pull) = pull else { return Ok(first) };
        let fixed = match &incident.commit {
            Some(commit) => self.store.is_fixed_in(pull.id, commit)?,
            None => Some(false),
        };
        let next = match outcome::next(pull.state, pull.outcome, fixed) {
            Next::Wait if !self.patient || self.store.tries(incident.id)? > WAITS => Next::Deploy,
            next => next,
        };
        match next {
            Next::Again => Ok(Joined::Investigate {
                round: pull.round.saturating_add(1),
            }),
            Next::Wait => {
                self.store.hurry_pull(pull.id, clock::now())?;
                let why = format!("what became of {} is looked at first", name(&pull));
                let later = clock::now().plus(PAUSE);
                self.postpone(lease, later, why).map(Joined::Worked)
            }
            Next::Join => {
                let status = match pull.state {
                    Delivery::Open => Status::Delivered,
                    Delivery::Making
                    | Delivery::Theirs
                    | Delivery::Failed
                    | Delivery::Merged
                    | Delivery::Closed => Status::Proposed,
                };
                let why = format!("the fault has its fix in {}", name(&pull));
                self.joined(incident, lease, &pull, status, &why)
            }
            Next::Deploy => {
                let commit = incident
                    .commit
                    .as_ref()
                    .map_or("", |commit| commit.as_str());
                let why = format!(
                    "the fix is merged ({}), and is not in the commit {commit} that was running",
                    name(&pull)
                );
                self.joined(incident, lease, &pull, Status::Merged, &why)
            }
        }
    }

    fn joined(
        &mut self,
        incident: &Incident,
        lease: &Lease,
        pull: &PullRow,
        status: Status,
        why: &str,
    ) -> Result<Joined, Error> {
        let files = pull.order.files.iter().map(|file| file.path.clone());
        let folder = self.state_dir.join("incidents");
        let patch = deliver::patch_of(&folder, pull.order.incident);
        let ending = Ending {
            status,
            reason: format!("{}; {why}", self.first_reason(incident)?),
            location: incident.location.clone(),
            proposal: Some(Proposal {
                fixer: pull.fixer.clone(),
                patch: patch.to_string_lossy().into_owned(),
                files: files.collect(),
                pr: pull.url.clone(),
            }),
            order: Some(Order {
                incident: incident.id,
                ..pull.order.clone()
            }),
        };
        self.store.finish(lease, &ending, clock::now())?;
        Ok(Joined::Worked(Worked::Done(status)))
    }
}

/// For people.
fn name(pull: &PullRow) -> String {
    match &pull.url {
        Some(url) => format!("the pull request {url}"),
        None => format!("the pull request to be opened from {}", pull.order.branch),
    }
}
