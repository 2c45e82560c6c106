//! What a platform told of a failure, beside what the log says of the same end: which incident it is
//! about, or the signal of a new one. Log lines say more, so they give the incident its name.

use crate::model::recovery::{Fact, FactKind};
use crate::model::{IncidentId, Kind, Signal, Status, Timestamp};
use std::time::Duration;

/// What is this near in event time tells of the same end.
pub const JOIN_WITHIN: Duration = Duration::from_secs(60);

/// The beginning of the labels of incidents that a platform's word opened.
pub const LABEL: &str = "platform:";

/// An incident of the service, as it stands for the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Near {
    pub id: IncidentId,
    pub kind: Kind,
    pub status: Status,
    /// Where its lines came from.
    pub stream: String,
    pub watch: Option<String>,
    /// Event time of its newest occurrence.
    pub last_seen: Timestamp,
    /// Work on it was begun.
    pub begun: bool,
}

impl Near {
    fn is_of_platform(&self) -> bool {
        let label = self.watch.as_deref();
        label.is_some_and(|label| label.starts_with(LABEL))
    }

    fn is_near(&self, at: Timestamp) -> bool {
        at.since(self.last_seen) <= JOIN_WITHIN && self.last_seen.since(at) <= JOIN_WITHIN
    }
}

/// The incident that a fact is noted on: of the same instance before others, one that tells of an end
/// before others, then the nearest. None where the same is told again: that is one more occurrence.
pub fn beside(near: &[Near], fact: &Fact) -> Option<IncidentId> {
    let own = label(fact.kind);
    let takes = |one: &&Near| {
        let open = !matches!(one.status, Status::Muted | Status::Resolved);
        let again = one.watch.as_deref() == Some(own.as_str());
        open && !again && one.is_near(fact.at) && may_be_of(&one.stream, &fact.instance)
    };
    let best = near.iter().filter(takes).min_by_key(|one| {
        let same = instance_of(&one.stream).is_some() && !fact.instance.is_empty();
        let distance = fact.at.since(one.last_seen) + one.last_seen.since(fact.at);
        (!same, !tells_of_an_end(one.kind), distance)
    });
    best.map(|one| one.id)
}

/// The incident that a platform's word opened and that this signal, out of the log, tells more of.
pub fn taken_over(near: &[Near], signal: &Signal) -> Option<IncidentId> {
    let of_log = signal.watch.is_none() && (tells_of_an_end(signal.kind) || signal.trace.is_some());
    let takes = |one: &&Near| {
        let instance = one.stream.strip_prefix(STREAM).unwrap_or_default();
        let untouched = one.status == Status::Open && !one.begun;
        one.is_of_platform()
            && untouched
            && one.is_near(signal.time)
            && may_be_of(&signal.stream, instance)
    };
    let mut near = near.iter().filter(|_| of_log);
    near.find(takes).map(|one| one.id)
}

fn tells_of_an_end(kind: Kind) -> bool {
    match kind {
        Kind::Crash | Kind::Oom | Kind::Exit => true,
        Kind::Error | Kind::Watch | Kind::Rate | Kind::Environment => false,
    }
}

const STREAM: &str = "platform/";

fn label(kind: FactKind) -> String {
    format!("{LABEL}{}", kind.word())
}

/// The signal of a fact that no line of a log told of. What no other kind fits has a label that says
/// what it is: it is counted as a watch that the platform keeps.
pub fn signal_of(fact: &Fact) -> Signal {
    let kind = match fact.kind {
        FactKind::Crash | FactKind::Exit => Kind::Exit,
        FactKind::Oom => Kind::Oom,
        FactKind::Unhealthy | FactKind::DeployFailed => Kind::Watch,
    };
    Signal {
        kind,
        service: fact.service.clone(),
        stream: format!("{STREAM}{}", fact.instance),
        container: None,
        time: fact.at,
        last: fact.at,
        title: format!("the platform reports: {}", fact.text),
        reason: "its platform reports it, and no line of the log does".to_owned(),
        watch: Some(label(fact.kind)),
        trace: None,
        lines: vec![sentence(fact, 1)],
        context: Vec::new(),
        commit: None,
    }
}

/// A fact in a sentence, for an incident's history.
pub fn sentence(fact: &Fact, times: u64) -> String {
    let whose = match fact.asked {
        true => "the platform, asked, shows",
        // It was sent to us.
        false => "the platform reports",
    };
    let mut text = format!("{whose}: {}", fact.text);
    let mut add = |word: &str, what: &str| {
        if !what.is_empty() {
            text.push_str(&format!(", {word} {what}"));
        }
    };
    add("instance", &fact.instance);
    add("release", fact.release.as_deref().unwrap_or_default());
    add("at", &fact.at.to_rfc3339());
    if times > 1 {
        text.push_str(&format!(", {times} times"));
    }
    text
}

/// Whether a stream's lines may be of an instance: where both are known, they must be the same.
fn may_be_of(stream: &str, instance: &str) -> bool {
    match (instance_of(stream), instance) {
        (None, _) | (_, "") => true,
        // A task's id is the end of its whole name.
        (Some(own), instance) => instance.rsplit('/').next() == own.rsplit('/').next(),
    }
}

/// The instance in a stream's name: the task of FireLens, the pod of a file of Kubernetes, a machine of
/// fly.io, or what a platform's word was about.
fn instance_of(stream: &str) -> Option<&str> {
    if let Some(instance) = stream.strip_prefix(STREAM) {
        return Some(instance).filter(|instance| !instance.is_empty());
    }
    if let Some((_, rest)) = stream.split_once("-firelens-") {
        return rest.split('/').next();
    }
    if let Some((_, rest)) = stream.split_once("containers.")
        && let Some((pod, _)) = rest.split_once('_')
    {
        return Some(pod);
    }
    let machine = |part: &&str| part.len() == 14 && part.bytes().all(|b| b.is_ascii_hexdigit());
    stream.split('/').find(machine)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_772_366_400 + seconds, 0)
    }

    fn near(id: i64, kind: Kind, stream: &str, seconds: i64) -> Near {
        Near {
            id: IncidentId(id),
            kind,
            status: Status::Open,
            stream: stream.to_owned(),
            watch: None,
            last_seen: at(seconds),
            begun: false,
        }
    }

    fn fact(kind: FactKind, instance: &str) -> Fact {
        Fact {
            service: "shop".to_owned(),
            kind,
            instance: instance.to_owned(),
            at: at(0),
            release: None,
            text: "exit status 1".to_owned(),
            asked: false,
        }
    }

    const MACHINE: &str = "148ed123c67289";

    #[test]
    fn a_fact_joins_what_its_instance_said_within_a_minute() {
        let crash = fact(FactKind::Crash, MACHINE);
        let of = |near: &[Near]| beside(near, &crash).map(|id| id.0);
        assert_eq!(of(&[near(1, Kind::Crash, "app/stderr", -60)]), Some(1));
        assert_eq!(of(&[near(1, Kind::Crash, "app/stderr", 60)]), Some(1));
        assert_eq!(of(&[near(1, Kind::Crash, "app/stderr", -61)]), None);
        assert_eq!(of(&[near(1, Kind::Crash, "app/stderr", 61)]), None);
        assert_eq!(
            of(&[near(1, Kind::Crash, "app/148ed123c6728a/stderr", 0)]),
            None
        );
        let both = [
            near(1, Kind::Crash, "app/stderr", 0),
            near(2, Kind::Error, &format!("app/{MACHINE}/stderr"), -30),
        ];
        assert_eq!(of(&both), Some(2));
        let kinds = [
            near(1, Kind::Error, "app", -1),
            near(2, Kind::Exit, "app", -9),
        ];
        assert_eq!(of(&kinds), Some(2));
        for status in [Status::Muted, Status::Resolved] {
            let closed = Near {
                status,
                ..near(1, Kind::Crash, "app", 0)
            };
            assert_eq!(of(&[closed]), None);
        }
        let again = Near {
            watch: Some("platform:crash".to_owned()),
            ..near(1, Kind::Exit, &format!("platform/{MACHINE}"), 0)
        };
        assert_eq!(of(std::slice::from_ref(&again)), None);
        let other = Near {
            watch: Some("platform:oom".to_owned()),
            ..again
        };
        assert_eq!(of(&[other]), Some(1));
    }

    #[test]
    fn what_the_log_says_takes_over_what_nobody_works_on() {
        let opened = Near {
            watch: Some("platform:crash".to_owned()),
            ..near(7, Kind::Exit, &format!("platform/{MACHINE}"), 0)
        };
        let signal = |stream: &str, kind, seconds| Signal {
            kind,
            watch: None,
            stream: stream.to_owned(),
            time: at(seconds),
            ..signal_of(&fact(FactKind::Crash, ""))
        };
        let takes = |near: &Near, signal: &Signal| taken_over(std::slice::from_ref(near), signal);
        assert_eq!(
            takes(&opened, &signal("app/stderr", Kind::Crash, 59)),
            Some(IncidentId(7))
        );
        assert_eq!(takes(&opened, &signal("app/stderr", Kind::Crash, 61)), None);
        assert_eq!(
            takes(&opened, &signal("app/148ed123c6728a/x", Kind::Crash, 1)),
            None
        );
        assert_eq!(takes(&opened, &signal("app/stderr", Kind::Rate, 1)), None);
        let begun = Near {
            begun: true,
            ..opened.clone()
        };
        assert_eq!(takes(&begun, &signal("app/stderr", Kind::Crash, 1)), None);
        let of_log = Near {
            watch: None,
            ..opened
        };
        assert_eq!(takes(&of_log, &signal("app/stderr", Kind::Crash, 1)), None);
    }

    #[test]
    fn instances_are_read_out_of_what_the_host_named_a_stream() {
        let id = "0123456789abcdef0123456789abcdef";
        let arn = format!("arn:aws:ecs:eu-west-1:1:task/shop/{id}");
        assert!(may_be_of(&format!("web-firelens-{id}/web/stdout"), &arn));
        assert!(!may_be_of(
            &format!("web-firelens-{}/web", "f".repeat(32)),
            &arn
        ));
        let pod = "kube.var.log.containers.web-7d9c5b-x2x4z_shop_web-0.log/web/stderr";
        assert!(may_be_of(pod, "web-7d9c5b-x2x4z"));
        assert!(!may_be_of(pod, "web-7d9c5b-aaaaa"));
        assert!(may_be_of("app/web/stderr", "web-1"));
        assert!(may_be_of(pod, ""));
    }

    #[test]
    fn the_words_are_ours() {
        let signal = signal_of(&fact(FactKind::Unhealthy, "web-1"));
        assert_eq!(
            (signal.kind, signal.watch.as_deref()),
            (Kind::Watch, Some("platform:unhealthy"))
        );
        assert_eq!(
            signal.lines,
            ["the platform reports: exit status 1, instance web-1, at 2026-03-01T12:00:00Z"]
        );
    }
}
