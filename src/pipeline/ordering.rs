//! From findings to an order for a pull request: the files whole, the owners of the code, what became
//! of earlier rounds. What an order says is `deliver::order`'s business.

use crate::deliver::Case;
use crate::deliver::forge::kind_of;
use crate::deliver::order::{Earlier, Material, codeowners, order};
use crate::model::delivery::{Order, OutcomeKind};
use crate::model::{CommitId, Settings};
use crate::patch;
use crate::pipeline::work::{Found, Worker};
use crate::redact::{self, Redactor};
use crate::store::{Error, PullRow};

impl Worker {
    /// The order for a proposal, or why there is none.
    pub(super) fn order(
        &self,
        case: &Case<'_>,
        settings: &Settings,
        round: u32,
    ) -> Result<Result<Order, String>, Error> {
        let incident = case.incident;
        let rounds = self
            .store
            .rounds(&incident.service, &incident.fingerprint)?;
        Ok(self.try_order(case, settings, round, &rounds))
    }

    fn try_order(
        &self,
        case: &Case<'_>,
        settings: &Settings,
        round: u32,
        rounds: &[PullRow],
    ) -> Result<Order, String> {
        let patch = case.findings.change()?;
        let kind = kind_of(settings).map_err(|fault| fault.to_string())?;
        let (repo, _) = self
            .open(case.incident, settings)
            .map_err(|found: Found| found.why().to_owned())?;
        let files = patch::files::files(&repo, patch).map_err(|fault| fault.to_string())?;
        let base = CommitId::parse(patch.base()).and_then(|id| repo.lookup(&id));
        let owners = match base {
            Some(base) => codeowners::read(&repo, base, kind).map_err(|fault| fault.to_string())?,
            None => None,
        };
        let redactor = Redactor::new(&redact::Settings::from(&settings.redact));
        let redactor = redactor.map_err(|_| {
            "the service's `redact` cannot be used, and nothing leaves unredacted".to_owned()
        })?;
        let earlier: Vec<Earlier> = rounds.iter().map(earlier).collect();
        let made = order(&Material {
            case: *case,
            settings,
            round,
            redactor: &redactor,
            files,
            base_commit: patch.base(),
            kind,
            codeowners: owners.as_deref(),
            earlier: &earlier,
        });
        made.map_err(|why| why.to_string())
    }
}

/// What became of an earlier round.
fn earlier(row: &PullRow) -> Earlier {
    let outcome = match row.outcome {
        Some(OutcomeKind::Held) => "held at first".to_owned(),
        Some(OutcomeKind::CameBack) => format!("merged, and came back {} times", row.returned),
        Some(OutcomeKind::Rejected) => "closed without being merged".to_owned(),
        None => row.state.word().to_owned(),
    };
    Earlier {
        pull: row.url.clone().unwrap_or_else(|| row.order.branch.clone()),
        outcome,
        came_back: row.returned,
    }
}
