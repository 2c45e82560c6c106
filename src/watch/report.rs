//! What the engine tells: of a watch that reached its threshold, and of what became of each
//! watch, for the store. Not here: where either goes.

use super::engine::{Engine, Slot};
use super::parse::Watch;
use super::{Owner, Scope};
use crate::model::Timestamp;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Reports of watches that were taken out, kept until they are asked for.
const MOST_LEFT: usize = 20_000;

/// A watch reached its threshold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    pub label: String,
    pub owner: Owner,
    pub summary: String,
    pub service: String,
    /// Events in the window: the threshold.
    pub count: usize,
    pub window: Duration,
    /// Event times of the first and the last event in the window.
    pub first: Timestamp,
    pub last: Timestamp,
    /// Fields of `group_by` with the values of the group that fired, cut at 200 bytes. Values are
    /// log text.
    pub group: Vec<(String, String)>,
    /// Messages of the newest events, oldest first, each cut at 1,000 bytes.
    pub lines: Vec<String>,
}

impl Fired {
    /// Why it fired, in a sentence without log text: the fields of a group, not their values.
    pub fn reason(&self) -> String {
        let fields: Vec<&str> = self.group.iter().map(|(field, _)| field.as_str()).collect();
        let group = match fields.as_slice() {
            [] => String::new(),
            fields => format!(" with the same {}", fields.join(" and ")),
        };
        format!(
            "watch {}: {} matching records{group} in {} s (threshold {} in {} s)",
            self.label,
            self.count,
            self.last.since(self.first).as_secs().max(1),
            self.count,
            self.window.as_secs(),
        )
    }
}

/// What became of a watch since the last report, for the store.
#[derive(Clone, Debug)]
pub struct WatchState {
    /// The same for a watch of the same owner, label and scope, in every process; see [`id_of`].
    pub id: String,
    pub label: String,
    pub owner: Owner,
    pub scope: Scope,
    /// As it is written in a team's file.
    pub json: String,
    /// Wall clock.
    pub installed: Timestamp,
    /// Wall clock.
    pub expires: Option<Timestamp>,
    /// Records that it matched since the last report.
    pub matched: u64,
    /// How often it fired since the last report.
    pub fired: u64,
    /// Of those matched since the last report, records without a field of `group_by`.
    pub ungrouped: u64,
    /// Event time of the last time, of those since the last report.
    pub last_fired: Option<Timestamp>,
    /// The team took it out of its file.
    pub gone: bool,
}

/// Names a watch in the store and on the command line: twelve hexadecimal digits, made from its
/// owner, label and scope.
pub fn id_of(watch: &Watch) -> String {
    let mut hash = Sha256::new();
    hash.update(watch.owner.word());
    hash.update([0]);
    hash.update(&watch.label);
    hash.update([0]);
    if let Scope::Service(name) = &watch.scope {
        hash.update([1]);
        hash.update(name);
    }
    let digits = hash.finalize();
    digits.iter().take(6).map(|b| format!("{b:02x}")).collect()
}

impl Engine {
    /// What changed since the last report. The counts are differences: a report that could not be
    /// saved must be saved later. Costs as much as there is to tell.
    pub fn report(&mut self) -> Vec<WatchState> {
        let mut states = std::mem::take(&mut self.left);
        for at in std::mem::take(&mut self.changed) {
            let Some(slot) = self.slot_mut(at).filter(|slot| slot.changed) else {
                continue;
            };
            states.push(state(slot, false));
            slot.changed = false;
            (slot.matched, slot.fired, slot.ungrouped) = (0, 0, 0);
            slot.last_fired = None;
        }
        states
    }

    /// Something of a watch is to be reported.
    pub(super) fn mark(&mut self, at: u32) {
        if let Some(slot) = self.slot_mut(at)
            && !slot.changed
        {
            slot.changed = true;
            self.changed.push(at);
        }
    }

    /// Keeps what a watch that is taken out has not reported.
    pub(super) fn leave(&mut self, slot: &Slot, gone: bool) {
        if self.left.len() < MOST_LEFT {
            self.left.push(state(slot, gone));
        }
    }
}

fn state(slot: &Slot, gone: bool) -> WatchState {
    let watch = &slot.watch;
    WatchState {
        id: id_of(watch),
        label: watch.label.clone(),
        owner: watch.owner,
        scope: watch.scope.clone(),
        json: watch.to_json().to_string(),
        installed: slot.installed,
        expires: watch.expires,
        matched: slot.matched,
        fired: slot.fired,
        ungrouped: slot.ungrouped,
        last_fired: slot.last_fired,
        gone,
    }
}
