//! One pull request as an order: its branch, commit message, title, body and what else belongs to
//! it, made of what was found out. All text of others is redacted and made harmless here. Reads no
//! file and no clock; the order is carried out elsewhere (`forge`).

mod account;
mod body;
pub mod codeowners;
mod links;
mod names;
mod rest;
mod words;

use super::Case;
use crate::model::Settings;
use crate::model::delivery::{FileChange, ForgeKind, Order};
use crate::redact::Redactor;
use crate::registry::check_name;
pub use body::HEADINGS;
pub use names::change;

/// Most characters of a body, and of each comment. Bytes are bounded too, see
/// [`super::markdown::size`].
pub const LIMIT: usize = 60_000;
/// Most comments that hold what has no room in the body.
pub const COMMENTS: usize = 5;
/// Most reviewers that are asked.
pub const REVIEWERS: usize = 5;

/// What an order is made of.
pub struct Material<'a> {
    pub case: Case<'a>,
    pub settings: &'a Settings,
    /// How many fixes of this fault were merged and did not hold.
    pub round: u32,
    pub redactor: &'a Redactor,
    /// The files of [`change`](crate::investigate::Findings::change), whole.
    pub files: Vec<FileChange>,
    /// Full id of the commit that the files were made on.
    pub base_commit: &'a str,
    /// For links.
    pub kind: ForgeKind,
    /// The text of CODEOWNERS at the base.
    pub codeowners: Option<&'a str>,
    /// Oldest first; empty in round 0.
    pub earlier: &'a [Earlier],
}

/// An earlier request for the same fault, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its address, for people.
    pub pull: String,
    /// `merged`, `came back 3 times`.
    pub outcome: String,
    /// How often the fault came back after it.
    pub came_back: u64,
}

/// Why there is no order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no patch for the branch that would take it.
    #[error("no pull request: {0}")]
    NoChange(String),
    /// The files are not those of the patch, or made on another commit.
    #[error("no pull request: the files are not those of the patch: {0}")]
    OtherFiles(String),
    #[error(
        "no pull request: {0:?} is no name that the registry allows, and no branch can be called so"
    )]
    Service(String),
    #[error("no pull request: {0:?} is no fingerprint (v1: and hexadecimal digits)")]
    Fingerprint(String),
    #[error("no pull request: the {what} came to {size} characters, more than {LIMIT}; report it")]
    TooLong { what: &'static str, size: usize },
}

/// Makes the order.
///
/// # Errors
/// Where there is no change to propose, and for names that no branch can be made of.
pub fn order(of: &Material<'_>) -> Result<Order, Why> {
    let incident = of.case.incident;
    let patch = of.case.findings.change().map_err(Why::NoChange)?;
    if patch.base() != of.base_commit {
        let what = format!("made on {}, not on {}", of.base_commit, patch.base());
        return Err(Why::OtherFiles(what));
    }
    let paths: Vec<&str> = of.files.iter().map(|file| file.path.as_str()).collect();
    if paths.is_empty() || !paths.iter().eq(patch.files()) {
        return Err(Why::OtherFiles(paths.join(", ")));
    }
    if check_name(&incident.service).is_err() {
        return Err(Why::Service(incident.service.clone()));
    }
    let branch = names::branch(&incident.service, &incident.fingerprint, of.round)
        .ok_or_else(|| Why::Fingerprint(incident.fingerprint.clone()))?;
    let mut words = words::Words::new(of.redactor);
    let title = names::title(of, &mut words);
    let message = names::message(of, &mut words);
    let (body, rest) = body::write(of, patch, &mut words);
    for (what, text) in std::iter::once(("body", &body)).chain(rest.iter().map(|r| ("comment", r)))
    {
        let size = super::markdown::size(text);
        if size > LIMIT {
            return Err(Why::TooLong { what, size });
        }
    }
    Ok(Order {
        incident: incident.id,
        service: incident.service.clone(),
        fingerprint: incident.fingerprint.clone(),
        round: of.round,
        branch,
        base: of.settings.forge.base.clone(),
        base_commit: of.base_commit.to_owned(),
        files: of.files.clone(),
        message,
        title,
        body,
        rest,
        reviewers: reviewers(of, &paths),
        labels: of.settings.forge.labels.clone(),
        draft: of.settings.forge.draft,
    })
}

/// The owners of the files, else those of the registry.
fn reviewers(of: &Material<'_>, paths: &[&str]) -> Vec<String> {
    let owners = of
        .codeowners
        .map(|text| codeowners::owners(text, paths))
        .unwrap_or_default();
    if !owners.is_empty() {
        return owners;
    }
    let named = of.settings.forge.reviewers.iter();
    let named = named.map(|name| name.strip_prefix('@').unwrap_or(name));
    let named = named.filter(|name| codeowners::is_name(name));
    named.take(REVIEWERS).map(str::to_owned).collect()
}
