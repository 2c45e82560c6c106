//! The address of a repository as a registry writes it: what it means, and what is refused.

use crate::net::is_loopback;
use crate::source::error::{Error, ErrorKind};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// An address understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    Local(PathBuf),
    Remote {
        url: String,
        /// With its port, where the address has one.
        host: String,
        /// A file name of its own.
        key: String,
    },
}

/// # Errors
/// `NoRepository` for what is no path, `file://` or `https://` address.
pub(super) fn parse(text: &str) -> Result<Address, Error> {
    let text = text.trim();
    let refuse = |why: &str| {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        let shown = without_user(&shown);
        Err(Error::new(
            ErrorKind::NoRepository,
            format!("repository {shown:?}: {why}"),
        ))
    };
    const FORMS: &str = "only paths, file:// and https:// addresses are understood";
    if text.is_empty() || text.contains(char::is_control) {
        return refuse(FORMS);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        // user@host:path, as ssh is written.
        let before = text.split('/').next().unwrap_or(text);
        if before.contains('@') && before.contains(':') {
            return refuse(FORMS);
        }
        return Ok(Address::Local(PathBuf::from(text)));
    };
    match scheme {
        "file" => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            match path.starts_with('/') {
                true => Ok(Address::Local(PathBuf::from(decode(path)))),
                false => refuse("a file:// address names a path from the root: file:///path"),
            }
        }
        "https" => remote(text, rest).map_or_else(
            || refuse("it names no host and path, or holds credentials"),
            Ok,
        ),
        "http" if is_loopback(text) => {
            remote(text, rest).map_or_else(|| refuse("it names no path"), Ok)
        }
        "http" => refuse("http:// is for this machine only; use https://"),
        _ => refuse(FORMS),
    }
}

fn remote(text: &str, rest: &str) -> Option<Address> {
    let (authority, path) = rest.split_once('/')?;
    let path = path.trim_matches('/');
    let plain = !authority.contains('@') && !text.contains(['?', '#', ' ']);
    if authority.is_empty() || path.is_empty() || !plain {
        return None;
    }
    let url = text.trim_end_matches('/').to_owned();
    let name: String = path
        .rsplit('/')
        .next()?
        .trim_end_matches(".git")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(40)
        .collect();
    Some(Address::Remote {
        host: authority.to_ascii_lowercase(),
        key: key_of(&name, &url),
        url,
    })
}

/// A file name of its own for an address.
pub(super) fn key_of(name: &str, address: &str) -> String {
    let digest = Sha256::digest(address.as_bytes());
    let hash: String = digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{name}-{hash}")
}

fn without_user(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://…@{rest}"),
        _ => text.to_owned(),
    }
}

/// Undoes `%20` and its like.
fn decode(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let coded = tail.get(..2).filter(|_| *first == b'%');
        let coded = coded.and_then(|two| std::str::from_utf8(two).ok());
        match coded.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_understood() {
        let local = |text: &str| Address::Local(PathBuf::from(text));
        assert_eq!(parse(".").unwrap(), local("."));
        assert_eq!(parse("/srv/a b").unwrap(), local("/srv/a b"));
        assert_eq!(parse("file:///srv/a%20b").unwrap(), local("/srv/a b"));
        let Address::Remote { url, host, key } =
            parse("https://Git.Example:8443/a/shop.git/").unwrap()
        else {
            panic!("not remote");
        };
        assert_eq!(
            (url.as_str(), host.as_str()),
            ("https://Git.Example:8443/a/shop.git", "git.example:8443")
        );
        assert!(key.starts_with("shop-") && key.len() == 21, "{key}");
        assert!(parse("http://127.0.0.1:80/a").is_ok());
    }

    #[test]
    fn what_is_refused_says_so_without_secrets() {
        for text in [
            "",
            "ssh://git@h/a",
            "git@h:a/b",
            "http://h/a",
            "https://h",
            "https://h/a?b",
            "file://h/a",
            "a\nb",
        ] {
            assert_eq!(
                parse(text).unwrap_err().kind,
                ErrorKind::NoRepository,
                "{text}"
            );
        }
        let said = parse("https://me:token@h/a").unwrap_err().to_string();
        assert!(!said.contains("token"), "{said}");
    }
}
