//! What an investigation came to, written down: report and diff in the incident's folder, the incident's
//! end in the store, and with a proposal the order for its pull request.

use crate::deliver::{self, Case};
use crate::investigate::Findings;
use crate::model::{Incident, IncidentId, Proposal, Settings, Status, Timestamp};
use crate::pipeline::clock;
use crate::pipeline::work::{HOUR_IS_FULL, Worked, Worker};
use crate::store::{Ending, Error, Lease};
use std::path::Path;

impl Worker {
    /// Writes the results down, with the order for a pull request of this round where one is to be
    /// made. `waits`: the diff, or the model that may find one, waits until then.
    pub(super) fn deliver(
        &mut self,
        incident: &Incident,
        lease: &Lease,
        settings: &Settings,
        (mut findings, commit): (Findings, Option<String>),
        (round, waits): (u32, Option<Timestamp>),
    ) -> Result<Worked, Error> {
        // A worker whose lease ended must leave no file behind for an incident of others.
        self.store.renew(lease, clock::now())?;
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
        let mut reason = format!("{first_reason}; {}", findings.why);
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
        let mut order = None;
        if settings.deliver && status == Status::Proposed {
            match self.order(&case, settings, round)? {
                Ok(made) => order = Some(made),
                Err(why) => reason = format!("{reason}; {why}"),
            }
        }
        let ending = Ending {
            status,
            reason,
            location: findings.location,
            proposal,
            order,
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
    pub(super) fn first_reason(&self, incident: &Incident) -> Result<String, Error> {
        let events = self.store.events(incident.id)?;
        let opened = events
            .into_iter()
            .find(|event| event.what == Status::Open.word());
        Ok(opened.map_or_else(|| incident.reason.clone(), |event| event.detail))
    }
}

fn proposal(folder: &Path, id: IncidentId, findings: &Findings) -> Option<Proposal> {
    findings.patch.as_ref().map(|patch| Proposal {
        fixer: match &findings.by_model {
            Some(by) if by.proposed => by.api.clone(),
            Some(_) | None => "revert".to_owned(),
        },
        patch: deliver::patch_of(folder, id).to_string_lossy().into_owned(),
        files: patch.files().to_vec(),
        pr: None,
    })
}
