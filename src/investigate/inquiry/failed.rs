//! A call to the model that brought no answer: what it may have cost, and how the conversation goes on.

use super::Outcome;
use super::course::{Course, Step, end};
use crate::llm::{Error, ErrorKind, Usage};
use std::time::Duration;

/// Calls that broke off and were made again.
const INTERRUPTED: u32 = 2;

impl Course<'_> {
    /// What a call that failed means for the conversation.
    pub(super) fn after(&mut self, fault: &Error) -> Step {
        match fault.kind {
            // A new turn; what broke off cannot be taken up in its middle.
            ErrorKind::Interrupted if self.interrupted < INTERRUPTED => {
                self.interrupted += 1;
                Step::GoOn
            }
            ErrorKind::TooLong | ErrorKind::Truncated => end(format!(
                "the conversation became longer than the model's context ({fault})"
            )),
            ErrorKind::Interrupted
            | ErrorKind::Settings
            | ErrorKind::Unreachable
            | ErrorKind::TimedOut
            | ErrorKind::Busy { .. }
            | ErrorKind::Loading
            | ErrorKind::ModelMissing
            | ErrorKind::Cut
            | ErrorKind::Denied
            | ErrorKind::SpendLimit
            | ErrorKind::Malformed
            | ErrorKind::Server { .. }
            | ErrorKind::Refused { .. }
            | ErrorKind::Garbage => {
                let why = fault.to_string();
                Step::End(match fault.is_retryable() {
                    true => Outcome::Later {
                        after: fault.retry_after().unwrap_or(Duration::ZERO),
                        why,
                    },
                    false => Outcome::Unavailable(why),
                })
            }
        }
    }
}

/// What a failed call used: nothing where no answer had begun, what was counted with an answer of
/// full length where one had, and `None` where nobody can say.
pub(super) fn used(fault: &Error, most_output: u64) -> Option<Usage> {
    if let Some(known) = fault.used() {
        return Some(Usage {
            output: most_output,
            ..known
        });
    }
    match fault.kind {
        ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::Garbage | ErrorKind::Cut => None,
        ErrorKind::Settings
        | ErrorKind::Unreachable
        | ErrorKind::Busy { .. }
        | ErrorKind::Loading
        | ErrorKind::ModelMissing
        | ErrorKind::TooLong
        | ErrorKind::Truncated
        | ErrorKind::Denied
        | ErrorKind::SpendLimit
        | ErrorKind::Malformed
        | ErrorKind::Server { .. }
        | ErrorKind::Refused { .. } => Some(Usage::default()),
    }
}
