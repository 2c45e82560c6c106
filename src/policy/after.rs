//! Whether an action helped: by what the platform shows afterwards and by whether the log says the
//! fault again. One of the two is not enough.

use crate::model::Timestamp;
use crate::model::recovery::{Aftermath, Instance, InstanceState, Policy, State};

/// What is known after an action.
#[derive(Clone, Copy, Debug)]
pub struct After<'a> {
    /// The service before the action.
    pub before: Option<&'a State>,
    /// And now; `None`: the platform does not say.
    pub state: Option<&'a State>,
    /// When the platform was done with the action.
    pub acted: Timestamp,
    /// How often the fault was logged since, by event time.
    pub seen: u64,
    /// Since when the service has been well.
    pub well_since: Option<Timestamp>,
    pub now: Timestamp,
}

/// What that means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Helped {
    /// Not known yet: since when it is well.
    Wait(Option<Timestamp>),
    Is(Aftermath, String),
}

/// Judges what came of an action.
pub fn helped(policy: &Policy, after: &After<'_>) -> Helped {
    let (now, acted) = (after.now, after.acted);
    let bad = |why: String| {
        let worse = after
            .before
            .zip(after.state)
            .is_some_and(|(before, now)| well(now) < well(before));
        let aftermath = match worse {
            true => Aftermath::Worse,
            false => Aftermath::NoChange,
        };
        Helped::Is(aftermath, why)
    };
    if after.seen > 0 {
        let times = after.seen;
        return bad(format!("the fault was logged {times} times after it"));
    }
    if let Some(state) = after.state {
        let crash = state
            .instances
            .iter()
            .flat_map(|instance| &instance.exits)
            .find(|exit| exit.is_crash() && exit.at > acted);
        if let Some(exit) = crash {
            return bad(format!("it crashed again after it: {exit}"));
        }
        if state.is_well() {
            let since = after.well_since.unwrap_or(now);
            if now.since(since) >= policy.well_for {
                let why = format!(
                    "well for {} s, and the fault was not logged again",
                    now.since(since).as_secs()
                );
                return Helped::Is(Aftermath::Healthy, why);
            }
            return Helped::Wait(Some(since));
        }
    }
    if now.since(acted) < policy.well_within {
        return Helped::Wait(None);
    }
    let seconds = policy.well_within.as_secs();
    bad(match after.state {
        Some(_) => format!("the platform does not show it as well after {seconds} s"),
        None => format!("the platform did not say within {seconds} s how it is"),
    })
}

/// Instances that run and are not known to be ill.
fn well(state: &State) -> usize {
    let runs = |one: &&Instance| one.state == InstanceState::Running && one.healthy != Some(false);
    state.instances.iter().filter(runs).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::recovery::Exit;
    use crate::policy::tests::{NOW, instance, policy};
    use std::time::Duration;

    fn ago(seconds: u64) -> Timestamp {
        NOW.minus(Duration::from_secs(seconds))
    }

    fn state(well: usize, ill: usize) -> State {
        let mut state = State {
            wanted: Some((well + ill) as u32),
            ..State::default()
        };
        for n in 0..well + ill {
            let mut one = instance(&n.to_string());
            if n >= well {
                one.state = InstanceState::Failed;
            }
            state.instances.push(one);
        }
        state
    }

    fn after<'a>(before: &'a State, state: Option<&'a State>) -> After<'a> {
        After {
            before: Some(before),
            state,
            acted: ago(100),
            seen: 0,
            well_since: None,
            now: NOW,
        }
    }

    #[test]
    fn it_helped_when_both_the_platform_and_the_log_are_quiet_for_long_enough() {
        let (before, now) = (state(1, 1), state(2, 0));
        let quiet = after(&before, Some(&now));
        assert_eq!(helped(&policy(), &quiet), Helped::Wait(Some(NOW)));
        let long = After {
            well_since: Some(ago(60)),
            ..quiet
        };
        assert!(matches!(
            helped(&policy(), &long),
            Helped::Is(Aftermath::Healthy, _)
        ));
        // The platform says well, the log does not.
        let lied = After { seen: 1, ..long };
        assert!(matches!(
            helped(&policy(), &lied),
            Helped::Is(Aftermath::NoChange, _)
        ));
        // Within its time it may still come up.
        let still = state(1, 1);
        assert_eq!(
            helped(&policy(), &after(&before, Some(&still))),
            Helped::Wait(None)
        );
        let late = After {
            acted: ago(301),
            ..after(&before, Some(&still))
        };
        assert!(matches!(
            helped(&policy(), &late),
            Helped::Is(Aftermath::NoChange, _)
        ));
        let silent = After {
            acted: ago(301),
            ..after(&before, None)
        };
        assert!(matches!(
            helped(&policy(), &silent),
            Helped::Is(Aftermath::NoChange, _)
        ));
    }

    #[test]
    fn a_crash_after_it_or_fewer_that_run_is_seen() {
        let (before, mut now) = (state(1, 1), state(2, 0));
        now.instances[0].exits.push(Exit {
            at: ago(50),
            code: Some(1),
            signal: None,
            oom: false,
            wanted: false,
        });
        let crashed = After {
            well_since: Some(ago(90)),
            ..after(&before, Some(&now))
        };
        assert!(matches!(
            helped(&policy(), &crashed),
            Helped::Is(Aftermath::NoChange, _)
        ));
        let none = state(0, 2);
        let worse = After {
            acted: ago(301),
            ..after(&before, Some(&none))
        };
        assert!(matches!(
            helped(&policy(), &worse),
            Helped::Is(Aftermath::Worse, _)
        ));
    }
}
