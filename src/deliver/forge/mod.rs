//! Code hosts: makes a branch with one commit, opens a pull request for it, looks what became of
//! it. One file or folder a host, all behind [`Forge`]. It merges nothing, pushes over nothing, and
//! starts nothing of what it is told there: what people write on a code host is read by nobody here.

mod again;
mod call;
mod choose;
mod error;
mod gitea;
pub mod github;
mod gitlab;
pub mod ours;
mod plain;
mod site;

pub use choose::kind_of;
pub use error::{Error, ErrorKind};
pub use gitea::Gitea;
pub use github::Reader;
pub use gitlab::Gitlab;
pub use plain::PlainGit;

use crate::model::delivery::{Ci, Order, Pull};

/// One repository at its code host. Every call may be repeated: a lost answer, or a process that
/// was killed in it, leads to the same end.
pub trait Forge: Send {
    /// Makes the order's branch with one commit on the order's base commit. Creating the ref is the
    /// lock: of several processes one makes it.
    ///
    /// # Errors
    /// When the host refuses or cannot be had; the branch may be there all the same.
    fn make_branch(&self, order: &Order) -> Result<Branch, Error>;

    /// The newest request from the order's branch into its base, whatever its state.
    ///
    /// # Errors
    /// When the host refuses or cannot be had.
    fn find(&self, order: &Order) -> Result<Option<Pull>, Error>;

    /// Opens the request for a branch that is there: a draft where the order says so and the host
    /// has drafts. Labels and reviewers that the host does not take are named in the answer.
    ///
    /// # Errors
    /// When the host refuses or cannot be had; the request may be open all the same.
    fn open(&self, order: &Order) -> Result<Opened, Error>;

    /// Where a request stands. `seen`: what an earlier look gave, so that nothing new costs nothing.
    ///
    /// # Errors
    /// When the host refuses or cannot be had.
    fn look(&self, order: &Order, number: u64, seen: Option<&str>) -> Result<Looked, Error>;

    /// Says something under a request, once: `mark` tells a comment that is there already.
    ///
    /// # Errors
    /// When the host refuses or cannot be had.
    fn comment(&self, order: &Order, number: u64, text: &str, mark: &str) -> Result<(), Error>;

    /// What the token may do, without writing anything.
    ///
    /// # Errors
    /// When the host refuses or cannot be had.
    fn rights(&self, base: Option<&str>) -> Result<Rights, Error>;
}

/// What became of a branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Branch {
    Made {
        tip: String,
    },
    /// It was there: one commit of ours for this fault and round, by this or another process.
    /// `same`: its message says that its change is the order's.
    Ours {
        tip: String,
        same: bool,
    },
    /// It was there, and somebody else pushed to it: it is theirs now.
    Theirs {
        tip: String,
    },
}

impl Branch {
    /// A branch that was there, by the message of its newest commit and the number of its parents.
    pub(super) fn there(order: &Order, tip: String, message: &str, parents: usize) -> Branch {
        match ours::whose(&order.message, message, parents) {
            ours::Whose::Ours { same } => Branch::Ours { tip, same },
            ours::Whose::Theirs => Branch::Theirs { tip },
        }
    }
}

/// An opened request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    pub pull: Pull,
    /// What the host did not take, a sentence each: a label, a reviewer, a draft.
    pub left_out: Vec<String>,
}

/// What a look at a request showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Nothing new since the look that gave `seen`.
    Same,
    Now {
        pull: Pull,
        ci: Ci,
        seen: Option<String>,
    },
    /// The host has no such request any more.
    Gone,
}

/// What a token may do in a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// What is missing for a pull request, a sentence with the remedy each.
    pub missing: Vec<String>,
    /// It could push to the branch that takes the change: nothing but our code keeps it from that.
    pub may_push_to_base: bool,
    /// What could not be told without writing.
    pub unknown: Vec<String>,
}
