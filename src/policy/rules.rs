//! The rules that ask for an action by themselves, from what the platform told and nothing else:
//! crashes soon after a deploy ask for the roll-back, a crash loop for a restart. A rule only asks: the
//! checks decide.

use crate::model::Timestamp;
use crate::model::recovery::{Fact, FactKind, Policy, Verb};
use crate::policy::release::Health;

/// What a rule asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, as caller.
    pub name: &'static str,
    pub verb: Verb,
    pub why: String,
}

/// The action that the facts ask for, if any. `facts`: oldest first, those of the service that were
/// asked of its platform; `runs`: what was seen of the release that runs now; `before`: whether another
/// release ran before it; `helped`: when the last action ended, where it helped.
pub fn wanted(
    policy: &Policy,
    facts: &[Fact],
    runs: Option<&Health>,
    before: bool,
    helped: Option<Timestamp>,
    now: Timestamp,
) -> Option<Rule> {
    let crashes = |since: Timestamp, release: Option<&str>| {
        facts
            .iter()
            .filter(|fact| fact.asked && fact.at >= since && fact.at <= now && is_crash(fact.kind))
            .filter(|fact| release.is_none() || fact.release.as_deref() == release)
            .count()
    };
    let (count, within) = policy.bad_deploy;
    if let (Some(runs), true, true) = (runs, before, policy.allows(Verb::Rollback.word()))
        && count > 0
        && now.since(runs.first) <= within
    {
        let seen = crashes(runs.first, Some(&runs.release));
        // A restart would bring the same release up: it is this one's turn, or nobody's yet.
        return (seen >= count as usize).then(|| Rule {
            name: "bad-deploy",
            verb: Verb::Rollback,
            why: format!(
                "{seen} crashes within {} s after release {} began",
                now.since(runs.first).as_secs(),
                runs.release
            ),
        });
    }
    let (count, within) = policy.crash_loop;
    // Crashes of another release, and those that an action has helped against, are over.
    let began = runs.map(|runs| runs.first);
    let since = [began, helped].into_iter().flatten().max();
    let since = since.map_or(now.minus(within), |since| since.max(now.minus(within)));
    let seen = crashes(since, None);
    (count > 0 && seen >= count as usize && policy.allows(Verb::Restart.word())).then(|| Rule {
        name: "crash-loop",
        verb: Verb::Restart,
        why: format!("{seen} crashes within {} s", within.as_secs()),
    })
}

fn is_crash(kind: FactKind) -> bool {
    match kind {
        FactKind::Crash | FactKind::Exit | FactKind::Oom => true,
        FactKind::Unhealthy | FactKind::DeployFailed => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{NOW, crash, policy};
    use std::time::Duration;

    fn runs(release: &str, seconds: u64) -> Health {
        Health {
            release: release.to_owned(),
            first: NOW.minus(Duration::from_secs(seconds)),
            last: NOW,
            well_for: Duration::ZERO,
            crashes: 0,
        }
    }

    #[test]
    fn crashes_after_a_deploy_ask_for_the_roll_back_and_others_for_a_restart() {
        let policy = policy();
        let facts: Vec<Fact> = (1..=5).map(|n| crash("a", "7", n * 10)).collect();
        let asked = |facts: &[Fact], runs: &Health, before| {
            wanted(&policy, facts, Some(runs), before, None, NOW).map(|rule| rule.name)
        };
        assert_eq!(asked(&facts, &runs("7", 60), true), Some("bad-deploy"));
        // Nothing to go back to; a deploy of yesterday; crashes of another release.
        assert_eq!(asked(&facts, &runs("7", 60), false), Some("crash-loop"));
        assert_eq!(asked(&facts, &runs("7", 86_400), true), Some("crash-loop"));
        assert_eq!(asked(&facts[..3], &runs("8", 60), true), None);
        assert_eq!(asked(&facts[..2], &runs("7", 60), true), None);
    }

    #[test]
    fn crashes_that_are_over_ask_for_nothing() {
        let policy = policy();
        let facts: Vec<Fact> = (1..=9).map(|n| crash("a", "7", 100 + n)).collect();
        let asked = |runs: &Health, helped| {
            wanted(&policy, &facts, Some(runs), false, helped, NOW).map(|rule| rule.name)
        };
        assert_eq!(asked(&runs("7", 500), None), Some("crash-loop"));
        // Another release runs since, or an action helped.
        assert_eq!(asked(&runs("6", 50), None), None);
        let helped = NOW.minus(Duration::from_secs(60));
        assert_eq!(asked(&runs("7", 500), Some(helped)), None);
    }

    #[test]
    fn what_was_sent_to_us_asks_for_nothing() {
        let sent: Vec<Fact> = (1..=9)
            .map(|n| Fact {
                asked: false,
                ..crash("a", "7", n)
            })
            .collect();
        assert_eq!(
            wanted(&policy(), &sent, Some(&runs("7", 60)), true, None, NOW),
            None
        );
    }

    #[test]
    fn a_verb_that_is_not_allowed_is_not_asked_for() {
        let mut policy = policy();
        policy.verbs.clear();
        let facts: Vec<Fact> = (1..=9).map(|n| crash("a", "7", n)).collect();
        assert_eq!(
            wanted(&policy, &facts, Some(&runs("7", 60)), true, None, NOW),
            None
        );
    }
}
