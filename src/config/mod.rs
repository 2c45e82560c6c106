//! What a person set, read and checked: one table of keys, the files they stand in, and the
//! environment. Raw text becomes [`Options`]; every complaint is told at once. Used by the
//! doors' assembly only: nothing below this floor knows of keys.

pub mod address;
pub mod aws;
pub mod credentials;
pub mod entry;
pub mod environment;
pub mod files;
pub mod fixer;
pub mod flb;
pub mod keys;
pub mod options;
mod token_command;
pub mod triage;
mod typos;
mod value;
pub mod watches;

pub use crate::registry::{Complaint, Place, Severity};
pub use entry::{Entry, from_command_line, given};
pub use files::{RegistrySource, load_registry, read_seed};
pub use keys::{KEYS, keys_table};
pub use options::{Mode, OnFull, Options, Services, TokenSource};
pub use options::{from_entries, from_properties, read_entries};
pub use watches::WatchesSource;

/// The name of the output, as the host looks it up.
pub const OUTPUT_NAME: &str = "autofix";

/// A span of time as the keys take it: `30s`, `10m`, `24h`, `7d`.
///
/// # Errors
/// What is wrong, with the remedy.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    value::duration(text).map_err(|(what, remedy)| format!("{what}; {remedy}"))
}
