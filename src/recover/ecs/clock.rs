//! What time it is on this host, for what ECS tells with a time of its own.

use crate::model::Timestamp;
use std::time::SystemTime;

/// Before 1970 it is 1970.
pub(super) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(Timestamp(0), |since| Timestamp(0).plus(since))
}
