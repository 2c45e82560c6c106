//! Whether the small model of triage can be asked: its server is there, has the model and takes
//! the key. Nothing is shown to it.

use crate::config::{Complaint, Options, Place, environment};
use crate::llm::{Error, ErrorKind};
use crate::net::Http;
use crate::plugin;
use std::time::Duration;

/// Time for its answer.
const WITHIN: Duration = Duration::from_secs(10);
/// Fewer tokens hold less than a dozen entries and their answer.
const FEW: u32 = 4_096;

/// `None`: there is nothing to ask.
pub(super) fn check(settings: &Options, offline: bool) -> Option<Result<String, Complaint>> {
    let model = settings.triage.model.as_ref()?;
    if offline {
        return None;
    }
    // Settings of the network are complained about where repositories are asked.
    let http = Http::new(&environment::network()).ok()?;
    let looked = plugin::model(model, &http).and_then(|asked| asked.look(WITHIN));
    let name = format!("Triage: {} at {}", model.model, model.url);
    Some(match looked {
        Err(fault) => Err(complaint(&fault)),
        Ok(about) => match about.context {
            Some(context) if context < FEW => Err(Complaint::warning(
                Place::default(),
                format!(
                    "{name} has a context of {context} tokens, so it reads few entries at once"
                ),
                "give it 8192",
            )),
            Some(context) => Ok(format!("{name}: there, {context} tokens of context")),
            None => Ok(format!("{name}: there")),
        },
    })
}

/// A server may be started after this; what it says for certain is a fault.
fn complaint(fault: &Error) -> Complaint {
    let what = format!("Triage: {fault}");
    match fault.kind {
        ErrorKind::ModelMissing
        | ErrorKind::Denied
        | ErrorKind::SpendLimit
        | ErrorKind::Settings => Complaint::fault(Place::default(), what, ""),
        ErrorKind::Unreachable
        | ErrorKind::TimedOut
        | ErrorKind::Busy { .. }
        | ErrorKind::Loading
        | ErrorKind::TooLong
        | ErrorKind::Truncated
        | ErrorKind::Cut
        | ErrorKind::Interrupted
        | ErrorKind::Malformed
        | ErrorKind::Server { .. }
        | ErrorKind::Refused { .. }
        | ErrorKind::Garbage => Complaint::warning(Place::default(), what, ""),
    }
}
