//! One `[[service]]` as the registry states it, checked. With `{service}` in its name it is a
//! pattern that stands for many.

use crate::model::Settings;
use crate::model::recovery::Policy;
pub use crate::model::service::Egress;
use crate::model::service::{ForgeSettings, Redact, TokenSource};
use crate::registry::commit::CommitSource;
use crate::registry::complaint::Place;
use crate::registry::recover;
use crate::registry::selector::{CAPTURE, Selector};

/// How far autofix goes for a service, the more careful first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Incidents only: no git, no network, no spend.
    Observe,
    /// A diff in the state folder.
    DryRun,
    /// The diff becomes a pull request.
    Pr,
}

impl Mode {
    pub const fn word(self) -> &'static str {
        match self {
            Mode::Observe => "observe",
            Mode::DryRun => "dry-run",
            Mode::Pr => "pr",
        }
    }
}

/// A service of the registry.
#[derive(Clone, Debug)]
pub struct Service {
    /// Unique in the registry; with `{service}` in it, a pattern.
    pub name: String,
    pub description: Option<String>,
    /// A wall: context, verdicts, budgets, tokens and notifications do not cross it.
    pub owner: Option<String>,
    /// An absolute path, `file://` or `https://` address.
    pub repo: Option<String>,
    pub commit: CommitSource,
    pub selector: Selector,
    /// Folder inside the repository without slashes at its ends; empty: the top.
    pub root: String,
    pub path_prefixes: Vec<String>,
    pub branches: Vec<String>,
    pub context_from: Vec<String>,
    pub egress: Option<Egress>,
    pub test: Option<String>,
    /// Patches are made only where `test` can be run on them: by `autofix fix`.
    pub verify: bool,
    pub mode: Option<Mode>,
    pub allow: Vec<String>,
    pub protect: Vec<String>,
    pub redact: Redact,
    /// Tags under which failure events of its platform come, and nothing else.
    pub inputs: Vec<String>,
    /// Where the secret is read from that each of them must hold.
    pub inputs_secret: Option<TokenSource>,
    pub forge: Option<ForgeSettings>,
    pub recover: Option<Policy>,
    /// Where it stands.
    pub place: Place,
}

impl Service {
    /// A service with a name and nothing else.
    pub fn named(name: &str, selector: Selector, place: Place) -> Service {
        Service {
            name: name.to_owned(),
            description: None,
            owner: None,
            repo: None,
            commit: CommitSource::None,
            selector,
            root: String::new(),
            path_prefixes: Vec::new(),
            branches: Vec::new(),
            context_from: Vec::new(),
            egress: None,
            test: None,
            verify: false,
            mode: None,
            allow: Vec::new(),
            protect: Vec::new(),
            redact: Redact::default(),
            inputs: Vec::new(),
            inputs_secret: None,
            forge: None,
            recover: None,
            place,
        }
    }

    pub fn is_pattern(&self) -> bool {
        self.name.contains(CAPTURE)
    }

    /// The service that a pattern gives for a captured name: `{service}` replaced everywhere.
    pub fn bind(&self, captured: &str) -> Service {
        let replace = |text: &str| text.replace(CAPTURE, captured);
        let each = |texts: &[String]| texts.iter().map(|text| replace(text)).collect();
        Service {
            name: replace(&self.name),
            description: self.description.as_deref().map(replace),
            repo: self.repo.as_deref().map(replace),
            commit: self.commit.bind(&replace),
            root: replace(&self.root),
            path_prefixes: each(&self.path_prefixes),
            branches: each(&self.branches),
            context_from: each(&self.context_from),
            allow: each(&self.allow),
            protect: each(&self.protect),
            inputs: each(&self.inputs),
            forge: self.forge.as_ref().map(|forge| ForgeSettings {
                fork: forge.fork.as_deref().map(replace),
                ..forge.clone()
            }),
            recover: self
                .recover
                .as_ref()
                .map(|policy| recover::bind(policy, &replace)),
            ..self.clone()
        }
    }

    /// What the slow lane needs. The instance's own limits (context, fixer) are added by whoever
    /// knows them. Call it on a bound service, not on a pattern.
    pub fn settings(&self) -> Settings {
        Settings {
            service: self.name.clone(),
            owner: self.owner.clone(),
            description: self.description.clone(),
            repo: self.repo.clone(),
            root: self.root.clone(),
            path_prefixes: self.path_prefixes.clone(),
            branches: self.branches.clone(),
            observe: self.mode == Some(Mode::Observe),
            forge: self.forge.clone().unwrap_or_default(),
            allow: self.allow.clone(),
            protect: self.protect.clone(),
            test: self.test.clone(),
            verify: self.verify,
            context_from: self.context_from.clone(),
            redact: self.redact.clone(),
            recovery: self.recover.clone(),
            ..Settings::default()
        }
    }
}
