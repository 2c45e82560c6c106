//! The form for whoever has no other: `{"event": "crash", "instance": "web-1", "exit_code": 1}`.
//!
//! | field | |
//! |---|---|
//! | `event` | `crash`, `exit`, `oom`, `unhealthy` or `deploy_failed` |
//! | `instance` | the platform's id of it; without it, the whole service |
//! | `at` | RFC 3339, or seconds or milliseconds since 1970; without it, when it came |
//! | `exit_code`, `signal` | numbers; a `crash` or `exit` with `exit_code` 0 and no signal is none |
//! | `release` | the release that ran |

use super::{Failure, Fields, ended};
use crate::model::recovery::FactKind;

pub(super) fn read(event: &Fields<'_>) -> Vec<Failure> {
    failure(event).into_iter().collect()
}

fn failure(event: &Fields<'_>) -> Option<Failure> {
    let kind = FactKind::from_word(event.text("event")?)?;
    let instance = match event.item("instance") {
        // One that is not safe is no name, and without a name it would be about all of them.
        Some(_) => event.id("instance")?,
        None => String::new(),
    };
    let (code, signal) = (event.int("exit_code"), event.int("signal"));
    let (kind, text) = match kind {
        FactKind::Crash | FactKind::Exit => match ended(code, signal, false)? {
            (FactKind::Exit, _) if kind == FactKind::Crash => (kind, "it crashed".to_owned()),
            told => told,
        },
        FactKind::Oom => ended(code, signal, true)?,
        FactKind::Unhealthy => (kind, "its health check fails".to_owned()),
        FactKind::DeployFailed => (kind, "a deploy failed".to_owned()),
    };
    Some(Failure {
        kind,
        instance,
        at: event.time("at"),
        release: event.id("release"),
        text,
    })
}
