//! Which release is gone back to: the newest before the one that runs that is known to have run well,
//! by what autofix saw of it or by what the platform itself says.

use crate::model::Timestamp;
use crate::model::recovery::{Policy, Release};
use std::time::Duration;

/// What was seen of a release while it ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    pub release: String,
    pub first: Timestamp,
    pub last: Timestamp,
    /// How long it had run well, without a crash, when it was last seen.
    pub well_for: Duration,
    pub crashes: u64,
}

/// The release to go back to.
///
/// # Errors
/// Why there is none, in a sentence that names the newest that came near.
pub fn choose<'a>(
    policy: &Policy,
    releases: &'a [Release],
    health: &[Health],
    now: Timestamp,
) -> Result<&'a Release, String> {
    let mut near = None;
    for release in before_current(releases) {
        match fits(policy, release, health, now) {
            Ok(_) => return Ok(release),
            Err(why) => near = near.or(Some(format!("{}: {why}", release.id))),
        }
    }
    Err(match near {
        Some(near) => format!("no earlier release is known to have run well; {near}"),
        None => "the platform shows no earlier release".to_owned(),
    })
}

/// The releases behind the one that runs, newest first. Where none is marked: none, as nobody can say
/// what is earlier.
fn before_current(releases: &[Release]) -> impl Iterator<Item = &Release> {
    let at = releases.iter().position(|release| release.current);
    let from = at.map_or(releases.len(), |at| at + 1);
    releases.iter().skip(from)
}

/// Whether a release may be gone back to: what is known of it, or why not.
pub(super) fn fits(
    policy: &Policy,
    release: &Release,
    health: &[Health],
    now: Timestamp,
) -> Result<String, String> {
    let seen = health.iter().find(|seen| seen.release == release.id);
    if release.good == Some(false) {
        return Err("the platform says that it did not run well".to_owned());
    }
    // What was in use lately is not old, however long ago it was made.
    let used = [release.made, seen.map(|seen| seen.last)];
    let age = used.into_iter().flatten().max().map(|at| now.since(at));
    match age {
        Some(age) if age <= policy.oldest_release => {}
        Some(age) => {
            return Err(format!(
                "it is {} old, the oldest that is allowed is {}",
                days(age),
                days(policy.oldest_release)
            ));
        }
        None => return Err("nobody says how old it is".to_owned()),
    }
    match seen {
        Some(seen) if seen.well_for >= policy.healthy_after => Ok(format!(
            "it was seen to run well for {} s until {}",
            seen.well_for.as_secs(),
            seen.last.to_rfc3339()
        )),
        _ if release.good == Some(true) => Ok("the platform says that it ran well".to_owned()),
        Some(seen) => Err(format!(
            "it was seen to run well for {} s only, and {} s are wanted",
            seen.well_for.as_secs(),
            policy.healthy_after.as_secs()
        )),
        None => Err("it was never seen to run".to_owned()),
    }
}

/// Whether a release stands behind the one that runs.
pub(super) fn is_earlier(releases: &[Release], id: &str) -> bool {
    before_current(releases).any(|release| release.id == id)
}

fn days(time: Duration) -> String {
    match time.as_secs() / 86_400 {
        0 => format!("{} h", time.as_secs() / 3_600),
        days => format!("{days} d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{NOW, policy};

    fn release(id: &str, hours_ago: u64, current: bool, good: Option<bool>) -> Release {
        Release {
            id: id.to_owned(),
            name: id.to_owned(),
            made: Some(NOW.minus(Duration::from_secs(hours_ago * 3600))),
            current,
            commit: None,
            good,
        }
    }

    fn seen(id: &str, minutes: u64) -> Health {
        Health {
            release: id.to_owned(),
            first: NOW.minus(Duration::from_secs(7200)),
            last: NOW.minus(Duration::from_secs(3600)),
            well_for: Duration::from_secs(minutes * 60),
            crashes: 0,
        }
    }

    #[test]
    fn the_newest_that_ran_well_is_chosen() {
        let releases = [
            release("5", 0, false, Some(true)),
            release("4", 1, true, None),
            release("3", 2, false, None),
            release("2", 3, false, None),
            release("1", 4, false, None),
        ];
        let health = [seen("3", 1), seen("2", 60), seen("1", 90)];
        let found = choose(&policy(), &releases, &health, NOW).unwrap();
        // 5 is newer than what runs, and 3 did not run well for long enough.
        assert_eq!(found.id, "2");
    }

    #[test]
    fn without_a_good_one_there_is_none_and_it_is_said_why() {
        let mut releases = [release("2", 1, true, None), release("1", 2, false, None)];
        let none = |releases: &[Release], health: &[Health]| {
            choose(&policy(), releases, health, NOW).unwrap_err()
        };
        assert!(none(&releases, &[]).contains("never seen to run"));
        assert!(none(&releases, &[seen("1", 1)]).contains("60 s only"));
        releases[1].good = Some(false);
        assert!(none(&releases, &[seen("1", 60)]).contains("did not run well"));
        releases[1].good = Some(true);
        assert_eq!(choose(&policy(), &releases, &[], NOW).unwrap().id, "1");
        releases[1].made = Some(NOW.minus(Duration::from_secs(40 * 86_400)));
        assert!(none(&releases, &[]).contains("40 d old"));
        releases[0].current = false;
        assert!(none(&releases, &[]).contains("no earlier release"));
    }
}
