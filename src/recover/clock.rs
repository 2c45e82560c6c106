//! What time it is on this host, for what platforms tell with a time of their own.

use crate::model::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// Before 1970 it is 1970.
pub(super) fn now() -> Timestamp {
    stamp(SystemTime::now())
}

/// A time of the system's as a value.
pub(super) fn stamp(at: SystemTime) -> Timestamp {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
