//! What is counted, by whom it may: one set of numbers per running instance, shared by its
//! threads, read by `status` and by the line that is logged every ten minutes.

use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows, or (`set`, `sub`) a level.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, by: u64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    pub fn sub(&self, by: u64) {
        self.0.fetch_sub(by, Ordering::Relaxed);
    }

    pub fn set(&self, to: u64) {
        self.0.store(to, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// All counters of one instance.
        #[derive(Debug, Default)]
        pub struct Counters { $($(#[$doc])* pub $name: Counter),+ }

        impl Counters {
            /// Every counter with its name, in a fixed order.
            pub fn all(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name.get())),+]
            }
        }
    };
}

counters! {
    /// Records that the fast lane read.
    records_seen,
    /// Records in chunks that were dropped because a queue was full or autofix was off.
    records_dropped,
    /// Chunks taken over from the host.
    chunks_seen,
    /// Chunks dropped because the queue was full.
    chunks_dropped,
    /// Bytes of those chunks.
    bytes_dropped,
    /// Bytes waiting in the queue now.
    queue_bytes,
    /// Chunks or records that could not be read.
    decode_faults,
    /// Messages, traces or nesting that a limit cut.
    cut_by_limit,
    /// Whole stack traces put together.
    traces,
    /// Signals handed to triage.
    signals,
    /// Signals dropped because triage was too far behind.
    signals_dropped,
    /// Message templates known now.
    templates,
    /// States of services that could not be handed to the store at once.
    notes_dropped,
    /// Watches installed now.
    watches,
    /// Windows and groups of watches that gave way to a limit.
    windows_dropped,
    /// Bytes that rings, open traces, templates, the past and windows take now.
    memory_bytes,
    /// Watches of models that were taken out because they matched most of what a service logs.
    watches_too_broad,
    /// Watches of models that a cap refused.
    watches_refused,
    /// News that the lane that reads could not be given.
    news_dropped,
    /// News that wait for the model now.
    news_waiting,
    /// Kinds of lines that a model was shown.
    entries_read,
    /// Kinds of lines that gave way to more important ones because the model was behind.
    entries_given_up,
    /// Requests to the model of triage.
    triage_requests,
    /// Characters that it was shown, its own rules counted.
    triage_characters,
    /// Tokens that its server counted, of prompts and of answers.
    triage_tokens,
    /// Batches on which the built-in rules decided alone because no answer could be used.
    triage_failed,
    /// Failures that platforms told of on declared inputs.
    events,
    /// Of those: without the secret that their service asks for.
    events_refused,
    /// Of those: given up because more came than are taken.
    events_dropped,
    /// Times a watch reached its threshold.
    watches_fired,
    /// New incidents refused by the cap per service and hour.
    incidents_capped,
    /// Panics caught at a fence.
    panics,
    /// Incidents that the slow lane began to work on.
    investigations,
    /// Diffs made.
    proposals,
    /// Incidents put off because a remote could not be had.
    postponed,
    /// Faults of the store (disk full, read-only, locked).
    store_faults,
}
