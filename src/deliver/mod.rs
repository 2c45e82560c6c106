//! What a person gets of an incident: `report.md`, `report.json` and `fix.patch` in the
//! incident's folder. Decides nothing and finds nothing out: it says what others found.

mod error;
mod files;
pub mod forge;
pub mod markdown;
pub mod notify;
pub mod order;
pub mod report;

pub use error::Error;
pub use files::{Delivered, PATCH_LIMIT, TRANSCRIPT, folder_of, patch_of, transcript, write};

use crate::investigate::Findings;
use crate::model::Incident;

/// An incident with all that was found out about it.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    pub incident: &'a Incident,
    pub findings: &'a Findings,
    /// The repository as the registry names it; a secret in the address is left out.
    pub repository: Option<&'a str>,
    /// The full id of the commit that was read; `None`: the incident's own, or none was resolved.
    pub commit: Option<&'a str>,
}

impl Case<'_> {
    /// The commit that the findings speak of.
    pub fn commit_text(&self) -> Option<&str> {
        let stated = self.incident.commit.as_ref().map(|id| id.as_str());
        self.commit.or(stated)
    }

    /// The repository without user and password.
    pub fn repository_text(&self) -> Option<String> {
        self.repository.map(without_userinfo)
    }
}

/// `https://user:secret@host/x` becomes `https://host/x`.
fn without_userinfo(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let host_end = rest.find('/').unwrap_or(rest.len());
    let (host, path) = rest.split_at(host_end);
    let host = host.rsplit('@').next().unwrap_or(host);
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_secrets() {
        for (from, to) in [
            ("https://u:p@git.example/a/b", "https://git.example/a/b"),
            ("https://u:p@q@git.example", "https://git.example"),
            ("file:///srv/a@b.git", "file:///srv/a@b.git"),
            ("/srv/a@b.git", "/srv/a@b.git"),
        ] {
            assert_eq!(without_userinfo(from), to);
        }
    }
}
