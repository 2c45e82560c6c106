//! The source repository: where it comes from, what stands in it at a commit, who changed a
//! line, and which of its files a stack trace speaks of. The only room that knows git2. It
//! never writes to a user's repository, decides nothing about patches and starts no threads.

mod address;
pub mod diff;
mod error;
mod git_setup;
pub mod glob;
pub mod history;
mod listing;
pub mod locate;
mod lock;
mod mirror;
mod place;
mod read;
mod repo;
mod search;
mod show;
pub mod symbols;
mod text;
mod texts;
mod transport;
mod tree;

pub use error::{Error, ErrorKind};
pub use listing::{Cut, Entry, EntryKind, Listing};
pub use mirror::{DEPTH, Mirrors, SIZE_LIMIT};
pub use place::{RepoPath, Stands};
pub use read::{CommitInfo, FILE_LIMIT, PATH_LIMIT};
pub use repo::{Commit, Repo, top_of};
pub use search::{Asked, FoundIn, Hit, Hits, search};
pub use show::{Shown, ShownFile};
pub use text::{Content, FileText};
pub use texts::{KEPT_BYTES, LONGEST, Looked, TEXT_LIMIT, Text, Texts, clear_texts};
pub use tree::Tree;
