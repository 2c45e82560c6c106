//! Points in time as values: nanoseconds since the Unix epoch, UTC. Nobody here reads a clock.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Nanoseconds since the Unix epoch, UTC. Covers the years 1677 to 2262.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// From whole seconds and nanoseconds; saturates at the ends of the range.
    pub const fn from_parts(seconds: i64, nanos: u32) -> Timestamp {
        Timestamp(
            seconds
                .saturating_mul(1_000_000_000)
                .saturating_add(nanos as i64),
        )
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// This point moved forward; saturates.
    pub fn plus(self, by: Duration) -> Timestamp {
        let nanos = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_add(nanos))
    }

    /// This point moved back; saturates.
    pub fn minus(self, by: Duration) -> Timestamp {
        let nanos = i64::try_from(by.as_nanos()).unwrap_or(i64::MAX);
        Timestamp(self.0.saturating_sub(nanos))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Timestamp) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// RFC 3339 in UTC, milliseconds where there are any: `2026-03-01T12:00:00.25Z`.
    pub fn to_rfc3339(self) -> String {
        let millis = self.0.div_euclid(1_000_000) as i128 * 1_000_000;
        OffsetDateTime::from_unix_timestamp_nanos(millis)
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| format!("@{}", self.seconds()))
    }

    /// Reads RFC 3339 (any offset). `None` for anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Timestamp> {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        i64::try_from(at.unix_timestamp_nanos()).ok().map(Timestamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_round_trip_keeps_milliseconds() {
        let at = Timestamp::parse_rfc3339("2026-03-01T13:00:00.250+01:00").unwrap();
        assert_eq!(at.to_rfc3339(), "2026-03-01T12:00:00.25Z");
        assert_eq!(Timestamp::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn differences_saturate() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(i64::MAX).plus(Duration::from_secs(1)).0, i64::MAX);
        assert_eq!(Timestamp::from_parts(-1, 500_000_000).seconds(), -1);
    }
}
