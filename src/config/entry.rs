//! Keys with their values as somebody wrote them, before anyone asks what they mean: from a
//! file of the host, or from arguments.

use crate::registry::{Complaint, Place};
use std::path::Path;

/// A key with its value as it was written, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub value: String,
    pub place: Place,
}

/// What stands for the file in complaints about arguments.
pub const ARGUMENT: &str = "--set";

/// `KEY=VALUE` arguments. Relative paths are taken from `folder`.
pub fn from_command_line(
    arguments: &[String],
    folder: &Path,
) -> Result<Vec<Entry>, Vec<Complaint>> {
    let mut complaints = Vec::new();
    let mut entries = Vec::new();
    for argument in arguments {
        match argument.split_once('=') {
            Some((key, value)) => entries.push(given(key.trim(), value.trim(), folder)),
            None => complaints.push(Complaint::fault(
                Place::file(ARGUMENT),
                format!("`{}` sets nothing", argument.escape_debug()),
                "write KEY=VALUE",
            )),
        }
    }
    if complaints.is_empty() {
        Ok(entries)
    } else {
        Err(complaints)
    }
}

/// A key given on the command line.
pub fn given(key: &str, value: &str, folder: &Path) -> Entry {
    let below = |path: &str| folder.join(path).to_string_lossy().into_owned();
    let is = |name: &str| key.eq_ignore_ascii_case(name);
    let path = [
        "Services",
        "State_Dir",
        "Forge_Token_File",
        "Templates_Seed",
    ]
    .into_iter()
    .any(is);
    let value = if path || (is("Repo") && !value.contains(':')) {
        below(value)
    } else if is("Commit") {
        match value.strip_prefix("file:") {
            Some(path) => format!("file:{}", below(path)),
            None => value.to_owned(),
        }
    } else {
        value.to_owned()
    };
    Entry {
        key: key.to_owned(),
        value,
        place: Place::file(ARGUMENT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_taken_from_the_folder() {
        let arguments = ["repo=.".to_owned(), "Commit=file:SHA".to_owned()];
        let entries = from_command_line(&arguments, Path::new("/w")).unwrap();
        assert_eq!(entries[0].value, "/w/.");
        assert_eq!(entries[1].value, "file:/w/SHA");
        assert!(from_command_line(&["x".to_owned()], Path::new("/w")).is_err());
    }
}
