//! What the fast lane and the triage lane tell each other beside signals: the one may not touch
//! a disk, the other may not touch the watches. Both ways are bounded and never waited for.

use crate::model::recovery::Fact;
use crate::model::{Signal, Timestamp};
use crate::pipeline::streams::Runs;
use crate::pipeline::unread::Pace;
use crate::rate::Deploy;
use crate::record::failure::{Failure, Presented};
use crate::store::Learnt;
use crate::triage::entry::Batch;
use crate::watch::{Watch, WatchState};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Notes that may wait. What does not fit is counted, and written the next time.
const MAX_NOTES: usize = 1_024;
/// Orders that may wait. One that does not fit is given again.
const MAX_ORDERS: usize = 16;

/// From the fast lane: something for the store.
#[derive(Debug)]
pub enum Note {
    /// What was learnt of a service.
    Learnt(Learnt),
    /// The newest word on a rollout.
    Deploy {
        service: String,
        deploy: Box<Deploy>,
    },
    /// A service was seen running.
    Running(Runs),
    /// What watches counted since the last note.
    Watches(Vec<WatchState>),
    /// What a record on a declared input told of failures.
    Failures(Box<Reported>),
}

/// Failures that one record told of, not yet believed: who sent it shows by its secret.
#[derive(Debug)]
pub struct Reported {
    /// The service that declares the input.
    pub service: String,
    pub failures: Vec<Failure>,
    pub presented: Option<Presented>,
    /// The record's time.
    pub came: Timestamp,
}

/// Whether there is room for failures: half of it is left to what is learnt of services, however many
/// events somebody sends.
pub fn takes_failures(notes: &Sender<Note>) -> bool {
    notes.len() < MAX_NOTES / 2
}

/// To the fast lane: something to do differently.
#[derive(Debug)]
pub enum Order {
    /// The team's own watches, in the place of those before.
    Team(Vec<Watch>),
    /// A watch that a model programs.
    Model(Box<Watch>),
}

/// To the lane that reads: batches of news, and when one is full.
#[derive(Clone, Debug)]
pub struct NewsOut {
    pub to: Sender<Batch>,
    pub pace: Pace,
    pub progress: Arc<Progress>,
}

/// How far the lane that reads is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Batches that it was given.
    pub sent: AtomicU64,
    /// Batches of which nothing waits any more.
    pub done: AtomicU64,
}

impl Progress {
    pub fn is_behind(&self) -> bool {
        self.done.load(Ordering::Acquire) < self.sent.load(Ordering::Acquire)
    }
}

/// Batches that may wait in the channel, of up to 300 KB each; the fast lane keeps what does not fit,
/// within its limits.
const MAX_BATCHES: usize = 4;

/// Incidents that the lane that reads may have waiting for the triage lane.
const MAX_FINDS: usize = 256;

/// Facts that the lane of recovery may have waiting for the triage lane; it has them in the store.
const MAX_FACTS: usize = 1_024;

/// From the lane of recovery to the triage lane.
pub fn facts() -> (Sender<Fact>, Receiver<Fact>) {
    bounded(MAX_FACTS)
}

/// From the lane that reads to the triage lane.
pub fn finds() -> (Sender<Signal>, Receiver<Signal>) {
    bounded(MAX_FINDS)
}

pub fn news(pace: Pace) -> (NewsOut, Receiver<Batch>) {
    let (to, from) = bounded(MAX_BATCHES);
    let progress = Arc::default();
    (NewsOut { to, pace, progress }, from)
}

pub fn notes() -> (Sender<Note>, Receiver<Note>) {
    bounded(MAX_NOTES)
}

pub fn orders() -> (Sender<Order>, Receiver<Order>) {
    bounded(MAX_ORDERS)
}
