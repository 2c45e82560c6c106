//! The wall clock, read in this room and handed to the brain as a value.

use crate::model::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now, by the system's clock; the epoch where that stands before it.
pub fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
