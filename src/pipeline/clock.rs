//! The wall clock, read in this room and handed to the brain as a value.

use crate::model::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by the system's clock; the epoch where that stands before it.
pub fn now() -> Timestamp {
    stamp(SystemTime::now())
}

/// A time of the system's as a value, such as a file's age.
pub fn stamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
