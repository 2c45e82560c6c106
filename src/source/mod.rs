//! The source repository: where it comes from, what stands in it at a commit, who changed a
//! line, and which of its files a stack trace speaks of. The only room that knows git2. It
//! never writes to a user's repository, decides nothing about patches and starts no threads.

mod address;
pub mod diff;
mod error;
mod git_setup;
pub mod glob;
pub mod history;
pub mod locate;
mod lock;
mod mirror;
mod read;
mod repo;
mod transport;
mod tree;

pub use error::{Error, ErrorKind};
pub use mirror::{DEPTH, Mirrors, SIZE_LIMIT};
pub use read::{CommitInfo, FILE_LIMIT, PATH_LIMIT};
pub use repo::{Commit, Repo, top_of};
pub use tree::Tree;
