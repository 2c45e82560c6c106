//! Where a secret of the registry stands: a variable or a file, each under a key of its own. What
//! stands there may be the secret itself, by mistake, so it is never shown.

use crate::model::service::TokenSource;
use crate::registry::sheet::Section;
use std::path::{Path, PathBuf};

/// The two keys of one secret, and what it is called.
pub(super) struct Keys {
    pub variable: &'static str,
    pub file: &'static str,
    pub secret: &'static str,
    /// The name of a variable, as an example.
    pub example: &'static str,
}

/// `None` where neither key is set, and where what is set was complained about.
pub(super) fn source(section: &mut Section<'_, '_>, keys: &Keys) -> Option<TokenSource> {
    let variable = section.string(keys.variable);
    let file = section.string(keys.file);
    let (source, good, place) = match (variable, file) {
        (Some((name, place)), None) => {
            let good = is_variable(&name);
            (TokenSource::Variable(name), good, place)
        }
        (None, Some((path, place))) => {
            let good = Path::new(&path).is_absolute() && !path.contains('\0');
            (TokenSource::File(PathBuf::from(path)), good, place)
        }
        (Some(_), Some((_, place))) => {
            let what = format!("`{}` and `{}` together", keys.variable, keys.file);
            section.fault(place, what, "take one of them out".to_owned());
            return None;
        }
        (None, None) => return None,
    };
    if good {
        return Some(source);
    }
    let (what, remedy) = match source {
        TokenSource::Variable(_) => (
            format!("`{}` is no name of a variable", keys.variable),
            format!(
                "write the name of a variable, such as {}, and put the {} there",
                keys.example, keys.secret
            ),
        ),
        TokenSource::File(_) | TokenSource::Command(_) => (
            format!("`{}` is no absolute path", keys.file),
            format!(
                "write a path from the root, and put the {} into that file",
                keys.secret
            ),
        ),
    };
    section.fault(place, what, remedy);
    None
}

pub(super) fn is_variable(name: &str) -> bool {
    let letters = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    letters && name.len() <= 200 && name.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}
