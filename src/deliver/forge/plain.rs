//! A git server without a code host: a branch is pushed with git, over https or into a folder, and
//! there is no request. The branch itself stands for one: its number is 0, and what became of it is
//! told from the branches that the server lists. In the base's history, or its change found in a
//! commit of the base (a squash): merged. Gone without that: closed. Else open.
//! Nothing can be said under it: `comment` does nothing, and drafts, labels and reviewers are left
//! out. It moves no branch that is there, its own included.
//!
//! The least that the token needs: to fetch the repository, and to push new branches to it (the
//! fork, where one is set). git has no rights by branch: the server's own rules (a hook such as
//! gitolite's or `update`) must keep the user from pushing to the base branch; `rights` cannot tell
//! whether they do.

use super::site::Site;
use super::{Branch, Error, ErrorKind, Forge, Looked, Opened, Reader, Rights};
use crate::model::delivery::{Ci, Order, Pull, PullState};
use crate::model::{CommitId, Settings};
use crate::net::Secret;
use crate::source::{self, Listed, Mirrors, Pushed, Repo};
use std::time::{Duration, Instant};

/// How long one call may take, with all that it fetches.
const TIME: Duration = Duration::from_secs(300);

/// A repository that is reached with git alone.
pub struct PlainGit {
    mirrors: Mirrors,
    repo: String,
    fork: Option<String>,
    token: Reader,
}

/// What the server has just now.
struct Now {
    base: String,
    base_tip: Option<String>,
    tip: Option<String>,
}

impl PlainGit {
    /// # Errors
    /// When there is no repository, or the fork is on another host.
    pub fn new(mirrors: Mirrors, settings: &Settings, token: Reader) -> Result<PlainGit, Error> {
        let Some(repo) = settings.repo.clone() else {
            let what = format!("service {:?} has no repo to push to", settings.service);
            return Err(Error::new(ErrorKind::Settings, what));
        };
        let fork = settings.forge.fork.clone();
        if let Some(fork) = &fork {
            let is_remote =
                |text: &str| text.trim().contains("://") && !text.trim().starts_with("file:");
            let same = match (is_remote(&repo), is_remote(fork)) {
                (false, false) => true,
                (true, true) => {
                    let key = "fork of [service.forge]";
                    Site::parse(&repo, "repo")?.is_beside(&Site::parse(fork, key)?)
                }
                (true, false) | (false, true) => false,
            };
            if !same {
                let what = "fork of [service.forge]: it must be on the repository's own host";
                return Err(Error::new(ErrorKind::Settings, what.to_owned()));
            }
        }
        Ok(PlainGit {
            mirrors,
            repo,
            fork,
            token,
        })
    }

    /// Where branches are made.
    fn source(&self) -> &str {
        self.fork.as_deref().unwrap_or(&self.repo)
    }

    fn branches(&self, address: &str, deadline: Instant) -> Result<Listed, Error> {
        let listed = self.mirrors.branches(address, &|_| self.secret(), deadline);
        listed.map_err(|e| told(&e))
    }

    /// Asked for the repository's own host only: its fork is on the same.
    fn secret(&self) -> Option<Secret> {
        (self.token)()
    }

    fn open_repo(&self, address: &str, deadline: Instant) -> Result<Repo, Error> {
        let opened = self.mirrors.open(address, &|_| self.secret(), deadline);
        opened.map_err(|e| told(&e))
    }

    fn now(&self, order: &Order, deadline: Instant) -> Result<Now, Error> {
        let listed = self.branches(&self.repo, deadline)?;
        let base = base_of(order.base.as_deref(), &listed)?;
        let base_tip = listed.tip(&base).map(str::to_owned);
        let tip = match &self.fork {
            None => listed.tip(&order.branch).map(str::to_owned),
            Some(fork) => {
                let listed = self.branches(fork, deadline)?;
                listed.tip(&order.branch).map(str::to_owned)
            }
        };
        Ok(Now {
            base,
            base_tip,
            tip,
        })
    }

    fn whose(&self, order: &Order, tip: String, deadline: Instant) -> Result<Branch, Error> {
        let opened = self
            .mirrors
            .open_with(self.source(), &tip, &|_| self.secret(), deadline);
        let (repo, commit) = opened.map_err(|e| told(&e))?;
        let (message, parents) = repo.message_of(commit).map_err(|e| told(&e))?;
        Ok(Branch::there(order, tip, &message, parents))
    }

    /// The commit that brought the order's change to the base, if it is there.
    fn merged(&self, order: &Order, now: &Now, deadline: Instant) -> Result<Option<String>, Error> {
        let Some(base_tip) = &now.base_tip else {
            let what = format!("{}: there is no branch {}", self.repo, now.base);
            return Err(Error::new(ErrorKind::Missing, what));
        };
        let repo = self.open_repo(&self.repo, deadline)?;
        let found = || -> Result<Option<String>, source::Error> {
            let base_tip = repo.brought(base_tip)?;
            // What people added to the branch came with it, so its end is asked for first.
            if let Some(tip) = &now.tip
                && let Some(commit) = repo.lookup(&commit_id(tip)?)
                && repo.is_in_history(commit, base_tip)?
            {
                return Ok(Some(tip.clone()));
            }
            let id = commit_id(&order.base_commit)?;
            let base = match repo.resolve(&id, &[]) {
                Ok(base) => base,
                // The base was rewritten: there is no telling what came to it since.
                Err(e) if is_gone(&e) => return Ok(None),
                Err(e) => return Err(e),
            };
            let ours = repo.new_commit(&id, &order.files, &order.message)?.id();
            if let Some(commit) = repo.lookup(&commit_id(&ours)?)
                && repo.is_in_history(commit, base_tip)?
            {
                return Ok(Some(ours));
            }
            let landed = repo.landed(base_tip, base, &order.files)?;
            Ok(landed.map(|commit| commit.to_string()))
        };
        found().map_err(|e| told(&e))
    }

    fn pull(&self, order: &Order, now: &Now, deadline: Instant) -> Result<Pull, Error> {
        let state = match (self.merged(order, now, deadline)?, &now.tip) {
            (Some(commit), _) => PullState::Merged {
                commit: Some(commit),
            },
            (None, Some(_)) => PullState::Open,
            (None, None) => PullState::Closed,
        };
        Ok(Pull {
            number: 0,
            url: format!("{}, branch {}", self.source(), order.branch),
            tip: now.tip.clone(),
            state,
        })
    }
}

impl Forge for PlainGit {
    fn make_branch(&self, order: &Order) -> Result<Branch, Error> {
        let deadline = Instant::now() + TIME;
        // A branch that is there needs no commit, whose base may be gone by now.
        let listed = self.branches(self.source(), deadline)?;
        if let Some(tip) = listed.tip(&order.branch) {
            return self.whose(order, tip.to_owned(), deadline);
        }
        let repo = self.open_repo(&self.repo, deadline)?;
        let push = || -> Result<(String, Pushed), source::Error> {
            let base = commit_id(&order.base_commit)?;
            let new = repo.new_commit(&base, &order.files, &order.message)?;
            let to = (&self.mirrors, self.source());
            let pushed = repo.push_new(&new, &order.branch, to, &|_| self.secret())?;
            Ok((new.id(), pushed))
        };
        match push().map_err(|e| told(&e))? {
            (tip, Pushed::Made) => Ok(Branch::Made { tip }),
            (_, Pushed::There(tip)) => self.whose(order, tip, deadline),
        }
    }

    /// A branch that is there, or one that is gone and whose change is in the base.
    fn find(&self, order: &Order) -> Result<Option<Pull>, Error> {
        let deadline = Instant::now() + TIME;
        let now = self.now(order, deadline)?;
        let pull = self.pull(order, &now, deadline)?;
        Ok((pull.state != PullState::Closed).then_some(pull))
    }

    fn open(&self, order: &Order) -> Result<Opened, Error> {
        let deadline = Instant::now() + TIME;
        let now = self.now(order, deadline)?;
        let pull = self.pull(order, &now, deadline)?;
        if pull.state == PullState::Closed {
            let what = format!("{}: there is no branch {}", self.source(), order.branch);
            return Err(Error::new(ErrorKind::Missing, what));
        }
        let mut left_out = vec![
            "the request itself: a git server has none; the branch is for whoever looks".to_owned(),
        ];
        for (is_wanted, what) in [
            (!order.labels.is_empty(), "labels"),
            (!order.reviewers.is_empty(), "reviewers"),
        ] {
            if is_wanted {
                left_out.push(format!("{what}: a git server has none"));
            }
        }
        Ok(Opened { pull, left_out })
    }

    fn look(&self, order: &Order, _number: u64, seen: Option<&str>) -> Result<Looked, Error> {
        let deadline = Instant::now() + TIME;
        let now = self.now(order, deadline)?;
        let end = |tip: &Option<String>| tip.clone().unwrap_or_else(|| "none".to_owned());
        let mark = format!("{} {}", end(&now.tip), end(&now.base_tip));
        if seen == Some(mark.as_str()) {
            return Ok(Looked::Same);
        }
        Ok(Looked::Now {
            pull: self.pull(order, &now, deadline)?,
            ci: Ci::Unknown,
            seen: Some(mark),
        })
    }

    /// There is nothing to say it under.
    fn comment(&self, _: &Order, _: u64, _: &str, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn rights(&self, base: Option<&str>) -> Result<Rights, Error> {
        let deadline = Instant::now() + TIME;
        let listed = self.branches(&self.repo, deadline)?;
        let base = base_of(base, &listed)?;
        let (mut missing, mut unknown) = (Vec::new(), Vec::new());
        if listed.tip(&base).is_none() {
            missing.push(format!("there is no branch {base} to take a change"));
        }
        let takes =
            |address: &str| match self
                .mirrors
                .would_take(address, &|_| self.secret(), deadline)
            {
                Ok(_) => Ok(true),
                Err(e) if e.kind == source::ErrorKind::Denied => Ok(false),
                Err(e) => Err(told(&e)),
            };
        let source = self.source();
        if !takes(source)? {
            missing.push(format!(
                "{source} takes no pushes from this token: allow it to push new branches"
            ));
        }
        if !source.contains("://") || source.starts_with("file:") {
            unknown.push(format!(
                "whether {source} may be written: only a push tells"
            ));
        }
        let may_push_to_base = takes(&self.repo)?;
        if may_push_to_base {
            unknown.push(format!(
                "whether the server itself keeps {base} from being pushed to: git does not tell"
            ));
        }
        Ok(Rights {
            missing,
            may_push_to_base,
            unknown,
        })
    }
}

fn base_of(base: Option<&str>, listed: &Listed) -> Result<String, Error> {
    base.or_else(|| listed.default_branch())
        .map(str::to_owned)
        .ok_or_else(|| {
            let what = "the repository has no default branch: set `base` in [service.forge]";
            Error::new(ErrorKind::Missing, what.to_owned())
        })
}

fn commit_id(text: &str) -> Result<CommitId, source::Error> {
    CommitId::parse(text).ok_or_else(|| source::Error::not_a_commit(text))
}

fn is_gone(e: &source::Error) -> bool {
    matches!(
        e.kind,
        source::ErrorKind::UnknownCommit | source::ErrorKind::OutsideBranches
    )
}

/// In this room's words.
fn told(e: &source::Error) -> Error {
    let kind = match e.kind {
        source::ErrorKind::NoRepository | source::ErrorKind::UnknownCommit => ErrorKind::Missing,
        source::ErrorKind::NotOwner | source::ErrorKind::Denied => ErrorKind::Refused,
        source::ErrorKind::Network | source::ErrorKind::Deadline => ErrorKind::Unreachable,
        source::ErrorKind::Disk => ErrorKind::Settings,
        source::ErrorKind::TooLarge
        | source::ErrorKind::AmbiguousCommit
        | source::ErrorKind::OutsideBranches
        | source::ErrorKind::Git => ErrorKind::Invalid,
    };
    Error::new(kind, e.to_string())
}
