//! Whether each webhook's address can be read here and could be one. Nothing is sent, and no word of
//! an address is shown.

use crate::config::credentials;
use crate::deliver::notify::check_address;
use crate::model::service::TokenSource;
use crate::registry::{Complaint, Notify, Registry};

/// Complaints, and lines about what is good.
pub(super) fn check(registry: &Registry) -> (Vec<Complaint>, Vec<String>) {
    let (mut complaints, mut good) = (Vec::new(), Vec::new());
    for notify in registry.notify() {
        match one(notify) {
            Ok(line) => good.push(line),
            Err(complaint) => complaints.push(complaint),
        }
    }
    (complaints, good)
}

fn one(notify: &Notify) -> Result<String, Complaint> {
    let target = &notify.target;
    let fault = |what: String, remedy: &str| {
        let what = format!("[[notify]] `{}`: {what}", target.name);
        Complaint::fault(notify.place.clone(), what, remedy)
    };
    let url = credentials::try_read(&target.url).map_err(|why| {
        let remedy = match target.url {
            TokenSource::Variable(_) => "set it in the host's environment",
            TokenSource::File(_) | TokenSource::Command(_) => {
                "write the address into it, where the host can read it"
            }
        };
        fault(format!("its address cannot be read: {why}"), remedy)
    })?;
    check_address(&url).map_err(|why| {
        let remedy =
            "put the address there that the service gave for its webhook, and nothing else";
        fault(why.to_string(), remedy)
    })?;
    let kind = target.kind.word();
    Ok(format!("[[notify]] {}: an address for {kind}", target.name))
}
