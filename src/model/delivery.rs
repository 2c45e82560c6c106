//! What goes to a code host and what comes back from it: an order for one pull request, complete
//! enough to be carried out by whoever finds it in the store, and the state of a request. Says
//! "pull request" for what GitLab calls a merge request.

use crate::model::incident::IncidentId;
use crate::model::service::AppSource;
use serde::{Deserialize, Serialize};

/// What kind of server holds the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ForgeKind {
    /// github.com and GitHub Enterprise Server.
    Github,
    Gitlab,
    /// Gitea and Forgejo.
    Gitea,
    /// No code host: a branch is pushed with git, and there is no request.
    Git,
}

impl ForgeKind {
    pub const ALL: [ForgeKind; 4] = [
        ForgeKind::Github,
        ForgeKind::Gitlab,
        ForgeKind::Gitea,
        ForgeKind::Git,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            ForgeKind::Github => "github",
            ForgeKind::Gitlab => "gitlab",
            ForgeKind::Gitea => "gitea",
            ForgeKind::Git => "git",
        }
    }
}

/// `[service.forge]`, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForgeSettings {
    /// `None`: told from the repository's address.
    pub kind: Option<ForgeKind>,
    /// Address of the API; `None`: told from the repository's address.
    pub api: Option<String>,
    /// The branch that takes the change; `None`: the repository's default branch.
    pub base: Option<String>,
    /// `https://` address of the bot's own fork, where branches are made; `None`: in the repository.
    pub fork: Option<String>,
    /// User names; empty: the owners that CODEOWNERS names for the files.
    pub reviewers: Vec<String>,
    pub labels: Vec<String>,
    pub draft: bool,
    /// Who asks there for a token, where none is set.
    pub app: Option<AppSource>,
}

impl Default for ForgeSettings {
    fn default() -> ForgeSettings {
        ForgeSettings {
            kind: None,
            api: None,
            base: None,
            fork: None,
            reviewers: Vec::new(),
            labels: Vec::new(),
            draft: true,
            app: None,
        }
    }
}

/// One file of a change, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// Path inside the repository, with `/`.
    pub path: String,
    /// As git writes it: `0o100644`, `0o100755`.
    pub mode: u32,
    /// `None` removes the file.
    pub content: Option<Vec<u8>>,
    /// Whether the base has the file: some code hosts tell making one from changing one.
    pub exists: bool,
}

/// Everything that one pull request is made of. Written to the store with the proposal, so that
/// nobody has to be asked again, and no repository read, to deliver it. All its text is redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub incident: IncidentId,
    pub service: String,
    /// With the version of its algorithm: `v1:…`.
    pub fingerprint: String,
    /// How many fixes of this fault were merged and did not hold.
    pub round: u32,
    /// Made of service, fingerprint and round; the same for every process and store.
    pub branch: String,
    /// The branch that takes the change; `None`: the repository's default branch.
    pub base: Option<String>,
    /// Full id of the commit that the change is made on.
    pub base_commit: String,
    pub files: Vec<FileChange>,
    /// Of the commit. Ends with the trailers that tell whose branch it is.
    pub message: String,
    pub title: String,
    /// Markdown, under 60,000 characters.
    pub body: String,
    /// What had no room there: Markdown for comments, each under 60,000 characters.
    pub rest: Vec<String>,
    /// User names, and teams as `org/team`.
    pub reviewers: Vec<String>,
    pub labels: Vec<String>,
    pub draft: bool,
}

/// A pull request as its code host shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pull {
    /// 0 where there is no code host.
    pub number: u64,
    /// For people.
    pub url: String,
    /// Full id of the newest commit of its branch, where it is known.
    pub tip: Option<String>,
    pub state: PullState,
}

/// Where a pull request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    Open,
    /// With the full id of the commit that brought it to the base, where the host says it.
    Merged {
        commit: Option<String>,
    },
    Closed,
}

/// What the code host's checks say of a request's newest commit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ci {
    /// There are none, or the token may not see them.
    #[default]
    Unknown,
    Pending,
    Passed,
    Failed,
}

impl Ci {
    pub const fn word(self) -> &'static str {
        match self {
            Ci::Unknown => "unknown",
            Ci::Pending => "pending",
            Ci::Passed => "passed",
            Ci::Failed => "failed",
        }
    }

    pub fn from_word(word: &str) -> Option<Ci> {
        [Ci::Unknown, Ci::Pending, Ci::Passed, Ci::Failed]
            .into_iter()
            .find(|ci| ci.word() == word)
    }
}

/// Where our own work on a pull request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It is not open yet.
    Making,
    Open,
    Merged,
    /// Closed without being merged.
    Closed,
    /// Somebody else pushed to its branch, or it went away: left to them.
    Theirs,
    /// A person must mend something; tried again now and then.
    Failed,
}

impl Delivery {
    pub const ALL: [Delivery; 6] = [
        Delivery::Making,
        Delivery::Open,
        Delivery::Merged,
        Delivery::Closed,
        Delivery::Theirs,
        Delivery::Failed,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Delivery::Making => "making",
            Delivery::Open => "open",
            Delivery::Merged => "merged",
            Delivery::Closed => "closed",
            Delivery::Theirs => "theirs",
            Delivery::Failed => "failed",
        }
    }

    pub fn from_word(word: &str) -> Option<Delivery> {
        Delivery::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// What became of a fix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    Held,
    CameBack,
    Rejected,
}

impl OutcomeKind {
    pub const ALL: [OutcomeKind; 3] = [
        OutcomeKind::Held,
        OutcomeKind::CameBack,
        OutcomeKind::Rejected,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            OutcomeKind::Held => "held",
            OutcomeKind::CameBack => "came_back",
            OutcomeKind::Rejected => "rejected",
        }
    }

    pub fn from_word(word: &str) -> Option<OutcomeKind> {
        OutcomeKind::ALL.into_iter().find(|one| one.word() == word)
    }
}
