//! After a request is open: what became of it at the code host, and, once it is merged and
//! deployed, whether the fault comes back. Nothing that people write there is read.

use super::{Courier, Due, Fault, words};
use crate::deliver::forge::{Forge, Looked};
use crate::incident::outcome::{self, Running};
use crate::model::delivery::{Delivery, OutcomeKind, PullState};
use crate::model::{CommitId, Settings, Timestamp};
use crate::pipeline::clock;
use crate::pipeline::work::DEADLINE;
use crate::source::{Commit, Repo};
use crate::store::{PullLease, PullRow};
use std::time::{Duration, Instant};

/// Commits that are judged in one step.
const JUDGED: usize = 20;
/// How often a merged fix is looked after while it is not known to have held.
const WATCH: Duration = Duration::from_secs(60);
/// How often one that held is looked after: it may come back later.
const HELD: Duration = Duration::from_secs(6 * 3600);

/// What a request's state means for its row.
pub(super) fn follow(row: &mut PullRow, state: &PullState, now: Timestamp) -> Due {
    match state {
        PullState::Open => {
            row.state = Delivery::Open;
            row.why = "the pull request is open".to_owned();
            let since = now.since(row.opened.unwrap_or(now));
            Some(now.plus(outcome::next_look(since)))
        }
        PullState::Merged { commit } => {
            row.state = Delivery::Merged;
            row.merged = Some(now);
            row.merged_commit = commit.clone().or_else(|| row.tip.clone());
            row.why = "the pull request was merged; the fix is not seen running yet".to_owned();
            Some(now)
        }
        PullState::Closed => {
            row.state = Delivery::Closed;
            row.outcome = Some(OutcomeKind::Rejected);
            row.why = "the pull request was closed without being merged".to_owned();
            None
        }
    }
}

impl Courier {
    /// Looks at an open request, and says how often the fault was seen meanwhile.
    pub(super) fn look(
        &mut self,
        row: &mut PullRow,
        lease: &PullLease,
        forge: &dyn Forge,
    ) -> Result<Due, Fault> {
        let Some(number) = row.number else {
            // A row from before its number was written down.
            row.state = Delivery::Making;
            return Ok(Some(clock::now()));
        };
        self.go_on(lease)?;
        let looked = forge.look(&row.order, number, row.seen.as_deref())?;
        let now = clock::now();
        let mut due = Some(now.plus(outcome::next_look(now.since(row.opened.unwrap_or(now)))));
        match looked {
            Looked::Same => {}
            Looked::Now { pull, ci, seen } => {
                row.seen = seen;
                row.ci = ci;
                let pushed = pull.tip.is_some() && row.tip.is_some() && pull.tip != row.tip;
                row.tip = pull.tip.clone().or(row.tip.take());
                due = follow(row, &pull.state, now);
                if pushed {
                    row.why = format!("{}; somebody else pushed to its branch", row.why);
                }
            }
            Looked::Gone => {
                row.state = Delivery::Theirs;
                row.why = "the pull request is no longer there".to_owned();
                due = None;
            }
        }
        if row.state == Delivery::Open {
            self.tell_counts(row, lease, forge, number, now)?;
        }
        Ok(due)
    }

    /// At most one comment a day, and only when there is something new to say.
    fn tell_counts(
        &mut self,
        row: &mut PullRow,
        lease: &PullLease,
        forge: &dyn Forge,
        number: u64,
        now: Timestamp,
    ) -> Result<(), Fault> {
        let counts = self.store.counts(&row.service, &row.fingerprint)?;
        if row.told == Timestamp(0) {
            // The body named these.
            row.told = row.opened.unwrap_or(now);
            row.told_count = counts.times;
            return Ok(());
        }
        if !outcome::counts_are_due(row.told, row.told_count, counts.times, now) {
            return Ok(());
        }
        self.go_on(lease)?;
        let (text, mark) = words::counts(&counts, row.told_count, now);
        forge.comment(&row.order, number, &text, &mark)?;
        row.told = now;
        row.told_count = counts.times;
        Ok(())
    }

    /// Watches whether a merged fix holds.
    pub(super) fn watch(
        &mut self,
        row: &mut PullRow,
        lease: &PullLease,
        settings: &Settings,
        forge: &dyn Forge,
    ) -> Result<Due, Fault> {
        self.judge(row, lease, settings)?;
        let now = clock::now();
        let running = self.store.fix_running(row)?;
        if row.deployed.is_none() {
            let Some(first) = &running else {
                return Ok(Some(now.plus(WATCH)));
            };
            row.deployed = Some(first.first);
            row.deployed_commit = Some(first.commit.as_str().to_owned());
            row.why = format!("the fix runs since {}", first.first.to_rfc3339());
        }
        let number = row.number.unwrap_or_default();
        let returned = self.store.returned(row)?;
        if returned.times > 0 {
            self.go_on(lease)?;
            let (text, mark) = words::came_back(row, &returned);
            forge.comment(&row.order, number, &text, &mark)?;
            row.returned = returned.times;
            row.outcome = Some(OutcomeKind::CameBack);
            row.why = format!("the fault came back {} times with the fix", returned.times);
            return Ok(None);
        }
        let held =
            running.is_some_and(|running: Running| outcome::has_held(row.deployed, &running));
        if held && row.outcome.is_none() {
            self.go_on(lease)?;
            let (text, mark) = words::held(row);
            forge.comment(&row.order, number, &text, &mark)?;
            row.outcome = Some(OutcomeKind::Held);
            row.why = words::held_reason(row);
        }
        let pause = if row.outcome.is_some() { HELD } else { WATCH };
        Ok(Some(now.plus(pause)))
    }

    /// Which of the commits that run, or in which the fault was seen, hold the fix.
    fn judge(
        &mut self,
        row: &PullRow,
        lease: &PullLease,
        settings: &Settings,
    ) -> Result<(), Fault> {
        let commits = self.store.commits_to_judge(row)?;
        if commits.is_empty() {
            return Ok(());
        }
        let Some(address) = &settings.repo else {
            return Ok(());
        };
        self.go_on(lease)?;
        let token = |host: &str| (self.credentials)(settings, host);
        let opened = self
            .mirrors
            .open(address, &token, Instant::now() + DEADLINE);
        let repo = match opened {
            Ok(repo) => repo,
            Err(fault) => {
                self.log.once(
                    &format!("judge-{}", row.id),
                    crate::model::Level::Warn,
                    &format!(
                        "whether a fix of {} runs is not known: {fault}",
                        row.service
                    ),
                );
                return Ok(());
            }
        };
        for commit in commits.into_iter().take(JUDGED) {
            if let Some(fixed) = holds(&repo, row, &commit, &settings.branches) {
                self.store.judge(row.id, &commit, fixed)?;
            }
        }
        Ok(())
    }
}

/// Whether a deployed commit holds the fix: its merge is in the commit's history, or the commit's
/// files are as the fix left them. `None`: it cannot be told now.
fn holds(repo: &Repo, row: &PullRow, commit: &CommitId, branches: &[String]) -> Option<bool> {
    let deployed = repo.resolve(commit, branches).ok()?;
    let fix = row.merged_commit.as_deref().and_then(CommitId::parse);
    let fix: Option<Commit> = fix.and_then(|fix| repo.resolve(&fix, branches).ok());
    if let Some(fix) = fix
        && repo.is_in_history(fix, deployed).ok()?
    {
        return Some(true);
    }
    let as_left = row.order.files.iter().all(|file| {
        let there = repo.read_file(deployed, &file.path).ok().flatten();
        there.as_deref() == file.content.as_deref()
    });
    Some(as_left && !row.order.files.is_empty())
}
