//! A service as the slow lane needs it: its name and the settings that hold for it, resolved.

pub use crate::model::delivery::ForgeSettings;
pub use crate::model::fixer::{Api, Budget, Egress, Fixer, FixerModel, Prices, Usd};
use crate::model::recovery::Policy;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;

/// A commit's full or abbreviated id: 7 to 40 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

impl CommitId {
    /// `None` unless the text is 7 to 40 hexadecimal digits.
    pub fn parse(text: &str) -> Option<CommitId> {
        let text = text.trim();
        let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
        (hex && (7..=40).contains(&text.len())).then(|| CommitId(text.to_ascii_lowercase()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CommitId {
    type Error = String;
    fn try_from(text: String) -> Result<CommitId, String> {
        CommitId::parse(&text).ok_or_else(|| format!("not a commit id: {text:?}"))
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> String {
        id.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What holds for one service when its incident is worked on. Written to the store when the
/// plugin starts, so that `autofix fix` finishes the work with the same settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub service: String,
    /// Whose service it is; what is of one owner is looked at together.
    pub owner: Option<String>,
    pub description: Option<String>,
    /// A path, `file://` or `https://` address of the repository; `None`: unregistered.
    pub repo: Option<String>,
    /// Folder of the service inside the repository, without slashes at its ends; `""`: the top.
    pub root: String,
    /// Prefixes of printed paths that stand for `root`, such as `/app`.
    pub path_prefixes: Vec<String>,
    /// Branches from which a deployed commit must be reachable; empty: any own branch or tag.
    pub branches: Vec<String>,
    /// Work is looked at but nothing is fetched and no diff is made.
    pub observe: bool,
    pub fixer: Fixer,
    /// The model that investigates, where one is set.
    pub model: Option<FixerModel>,
    pub budget: Budget,
    /// Paths that patches may touch although a rule protects them.
    pub allow: Vec<String>,
    /// Paths that patches never touch.
    pub protect: Vec<String>,
    /// Command that runs the tests, as a shell would take it.
    pub test: Option<String>,
    /// Its incidents are left to `autofix fix`, which runs the tests on each patch.
    pub verify: bool,
    /// Services whose lines may be shown beside this one's.
    pub context_from: Vec<String>,
    /// Lines of context kept with an incident.
    pub context_lines: usize,
    pub redact: Redact,
    /// Where the token for the repository's host is read from, at each use.
    pub token: Option<TokenSource>,
    /// A proposal becomes a pull request.
    pub deliver: bool,
    pub forge: ForgeSettings,
    /// What may be done to bring it back; `None`: nothing.
    pub recovery: Option<Policy>,
    /// The path of the registry that says so.
    pub registry: Option<String>,
}

/// What a service adds to the rules of redaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Redact {
    /// Public IP addresses are replaced too.
    pub ip: bool,
    /// Regular expressions whose matches are replaced.
    pub patterns: Vec<String>,
    /// Values that stay, or `/regular expressions/` of them.
    pub allow: Vec<String>,
}

/// Where a secret is read from; never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenSource {
    Variable(String),
    File(PathBuf),
    /// A program and its arguments; it prints the secret.
    Command(Vec<String>),
}

/// An App of a code host, which is given tokens of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppSource {
    /// Its id or client id.
    pub id: String,
    /// Its private key.
    pub key: TokenSource,
    /// `None`: the code host says which installation a repository has.
    pub installation: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commit_ids_are_hexadecimal_and_bounded() {
        assert_eq!(CommitId::parse(" ABCDEF1 ").unwrap().as_str(), "abcdef1");
        assert!(CommitId::parse("abcdef").is_none());
        assert!(CommitId::parse("v1.2.3-rc").is_none());
        assert!(CommitId::parse(&"a".repeat(41)).is_none());
    }
}
