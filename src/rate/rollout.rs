//! When a rollout begins, who takes part in it and when it is over. Time is the book's minute.
//! Not here: which of two commits is worse (`deploy`).

use crate::model::{CommitId, Timestamp};
use crate::rate::deploy::{Deploy, Evidence, NewError, Tally, Verdict, most_frequent};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A commit that wrote nothing for so many minutes is gone.
const SILENT: i64 = 10;
/// Before so many minutes no word is said: starts and stops are noisy.
const EARLIEST: i64 = 5;
/// A canary that runs for longer is compared no more.
const LONGEST: i64 = 24 * 60;
/// The newest past of a commit is kept in two parts of an hour.
const PART: i64 = 60;
/// Fewer records than this of the new commit are worth no word.
const WORTH_A_WORD: u64 = 20;
/// Pairs of commits that were called worse and are remembered.
const MAX_TOLD: usize = 16;

/// Which commit wrote a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Old,
    New,
    /// No rollout, or a third commit.
    Neither,
}

/// The commit that is deployed, and the one that takes its place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rollout {
    current: Option<CommitId>,
    /// What the current commit wrote in this part of an hour and in the one before.
    recent: [Tally; 2],
    /// Minutes in each.
    minutes: [u32; 2],
    part: i64,
    running: Option<Running>,
    told: VecDeque<(CommitId, CommitId)>,
    /// Grows with each rollout.
    pub number: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Running {
    new: CommitId,
    started: Timestamps,
    begun: i64,
    /// What each wrote, and when last.
    tallies: [Tally; 2],
    last: [i64; 2],
    said_worse: bool,
}

/// Event times of the first and of the newest record.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Timestamps(i64, i64);

/// One record, for its commit's tally.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    pub error: bool,
    pub request: bool,
    pub server_error: bool,
}

impl Tally {
    fn count(&mut self, record: Counted) {
        self.records += 1;
        self.errors += u64::from(record.error);
        self.requests += u64::from(record.request);
        self.server_errors += u64::from(record.server_error);
    }
}

impl Rollout {
    /// When the running one began, in event time.
    pub fn started(&self) -> Option<Timestamp> {
        let running = self.running.as_ref()?;
        Some(Timestamp(running.started.0))
    }

    /// Counts a record of a commit, and begins a rollout with the first of another one.
    pub fn count(
        &mut self,
        commit: &CommitId,
        record: Counted,
        time: Timestamp,
        minute: i64,
    ) -> Side {
        if let Some(running) = &mut self.running {
            let side = match commit {
                id if *id == running.new => Side::New,
                id if self.current.as_ref() == Some(id) => Side::Old,
                _ => return Side::Neither,
            };
            let at = usize::from(side == Side::New);
            running.tallies[at].count(record);
            running.last[at] = minute;
            running.started.1 = running.started.1.max(time.0);
            return side;
        }
        match &self.current {
            Some(current) if current == commit => {
                self.recent[0].count(record);
                Side::Neither
            }
            Some(_) => self.begin(commit, record, time, minute),
            None => {
                self.current = Some(commit.clone());
                self.recent[0].count(record);
                Side::Neither
            }
        }
    }

    fn begin(&mut self, commit: &CommitId, record: Counted, time: Timestamp, minute: i64) -> Side {
        let mut running = Running {
            new: commit.clone(),
            started: Timestamps(time.0, time.0),
            begun: minute,
            tallies: [Tally::default(); 2],
            last: [minute; 2],
            said_worse: false,
        };
        running.tallies[1].count(record);
        self.running = Some(running);
        self.number = self.number.wrapping_add(1);
        Side::New
    }

    /// Whether the end of this minute is worth a look: then [`Rollout::judge`] wants to know the
    /// error entries that only the new commit has.
    pub fn wants_judging(&self, minute: i64) -> bool {
        let old_enough = |running: &Running| minute - running.begun >= EARLIEST;
        self.running.as_ref().is_some_and(old_enough)
    }

    /// Ends a minute: moves the recent past on.
    pub fn close_minute(&mut self, minute: i64) {
        if self.running.is_some() {
            return;
        }
        self.minutes[0] += 1;
        let part = minute.div_euclid(PART);
        if part != self.part {
            self.part = part;
            self.recent = [Tally::default(), self.recent[0]];
            self.minutes = [0, self.minutes[0]];
        }
    }

    /// Looks at the two commits. A word comes back when the new one is certainly worse, and when
    /// the rollout is over.
    pub fn judge(&mut self, minute: i64, new_errors: Vec<NewError>, clump: f64) -> Option<Deploy> {
        let running = self.running.as_ref()?;
        let silent = running.last.map(|last| minute - last >= SILENT);
        let over = silent[0] || silent[1] || minute - running.begun >= LONGEST;
        let deploy = self.deploy(minute, new_errors, clump, over)?;
        if !over {
            let running = self.running.as_mut()?;
            let first = deploy.verdict == Verdict::Worse && !running.said_worse;
            running.said_worse |= first;
            return first.then(|| self.with_alarm(deploy));
        }
        let back = silent[1] && !silent[0];
        self.finish(back);
        let worth = deploy.after.records >= WORTH_A_WORD;
        worth.then(|| self.with_alarm(deploy))
    }

    fn deploy(
        &self,
        minute: i64,
        new_errors: Vec<NewError>,
        clump: f64,
        over: bool,
    ) -> Option<Deploy> {
        let running = self.running.as_ref()?;
        let [beside, after] = running.tallies;
        let past = self.recent[0].plus(self.recent[1]);
        // Side by side is the better measure, where the old commit still wrote enough.
        let enough = beside.records >= 200.max(after.records / 10);
        let before = if enough { beside } else { beside.plus(past) };
        let minutes = f64::from(self.minutes[0] + self.minutes[1]);
        let lasted = (minute - running.begun + 1).max(1) as f64;
        let was = past.errors as f64 / minutes.max(1.0);
        let is = (beside.errors + after.errors) as f64 / lasted;
        let evidence = Evidence {
            before,
            after,
            new_errors: &new_errors,
            clump,
            per_minute: (minutes >= 10.0).then_some((was, is)),
            over,
        };
        Some(Deploy {
            verdict: evidence.verdict(),
            old: self.current.clone()?,
            new: running.new.clone(),
            started: running.started.0,
            until: running.started.1,
            before,
            after,
            new_errors: most_frequent(new_errors),
            over,
            first_alarm: false,
        })
    }

    /// The commit that still writes is the current one.
    fn finish(&mut self, back: bool) {
        let Some(running) = self.running.take() else {
            return;
        };
        if !back {
            self.current = Some(running.new);
            self.recent = [running.tallies[1], Tally::default()];
            self.minutes = [(running.last[1] - running.begun).clamp(1, 10_000) as u32, 0];
        }
    }

    /// A pair of commits is called worse once, however often the two take turns.
    fn with_alarm(&mut self, mut deploy: Deploy) -> Deploy {
        let pair = (deploy.old.clone(), deploy.new.clone());
        deploy.first_alarm = deploy.verdict == Verdict::Worse && !self.told.contains(&pair);
        if deploy.first_alarm {
            if self.told.len() >= MAX_TOLD {
                self.told.pop_front();
            }
            self.told.push_back(pair);
        }
        deploy
    }

    /// One that was read from a text, within limits.
    pub fn bounded(mut self) -> Rollout {
        self.told.truncate(MAX_TOLD);
        self
    }

    /// The clock jumped: minutes of before and after cannot be compared.
    pub fn rebase(&mut self, minute: i64) {
        self.part = minute.div_euclid(PART);
        if let Some(running) = &mut self.running {
            running.begun = minute;
            running.last = [minute; 2];
        }
    }
}
