//! The source repository: where it comes from, what stands in it at a commit, who changed a
//! line, and which of its files a stack trace speaks of. The only room that knows git2. It
//! writes nothing to a user's repository but a new branch where it is told to make one (`push`),
//! decides nothing about patches and starts no threads.

mod address;
mod carry;
pub mod diff;
mod error;
mod export;
mod git_setup;
pub mod glob;
pub mod history;
mod listing;
pub mod locate;
mod lock;
mod mirror;
mod place;
mod push;
mod read;
mod refs;
mod repo;
mod search;
mod show;
pub mod symbols;
mod text;
mod texts;
mod transport;
mod tree;

pub use carry::Carried;
pub use error::{Error, ErrorKind};
pub use export::{Exported, Snapshot};
pub use listing::{Cut, Entry, EntryKind, Listing};
pub use mirror::{DEPTH, Mirrors, SIZE_LIMIT};
pub use place::{RepoPath, Stands};
pub use push::{NewCommit, Pushed};
pub use read::{CommitInfo, FILE_LIMIT, PATH_LIMIT};
pub use refs::Listed;
pub use repo::{Commit, Repo, top_of};
pub use search::{Asked, FoundIn, Hit, Hits, search};
pub use show::{Shown, ShownFile};
pub use text::{Content, FileText};
pub use texts::{KEPT_BYTES, LONGEST, Looked, TEXT_LIMIT, Text, Texts, clear_texts};
pub use tree::Tree;
