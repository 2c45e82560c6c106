//! Addresses of files and commits at a code host, for people. Made only of a repository's address
//! without secrets, full commit ids and encoded paths; where one is not fit, there is no link.

use crate::model::delivery::ForgeKind;
use crate::net::encoded;
use std::fmt::Write;

/// A repository at its code host.
pub(super) struct Links {
    kind: ForgeKind,
    /// Without `.git` and without a slash at its end.
    base: Option<String>,
}

impl Links {
    /// `repository`: its address without user and password.
    pub(super) fn new(kind: ForgeKind, repository: Option<&str>) -> Links {
        let base = repository.and_then(|address| match kind {
            ForgeKind::Github | ForgeKind::Gitlab | ForgeKind::Gitea => base(address),
            ForgeKind::Git => None,
        });
        Links { kind, base }
    }

    /// A file's line at a commit.
    pub(super) fn line(&self, commit: &str, path: &str, line: Option<u32>) -> Option<String> {
        let base = self.base.as_ref().filter(|_| is_full(commit))?;
        let (between, path) = (self.blob()?, encoded(path, "/"));
        let mut out = format!("{base}/{between}/{commit}/{path}");
        if let Some(line) = line {
            let _ = write!(out, "#L{line}");
        }
        Some(out)
    }

    pub(super) fn commit(&self, commit: &str) -> Option<String> {
        let base = self.base.as_ref().filter(|_| is_full(commit))?;
        let between = match self.kind {
            ForgeKind::Github | ForgeKind::Gitea => "commit",
            ForgeKind::Gitlab => "-/commit",
            ForgeKind::Git => return None,
        };
        Some(format!("{base}/{between}/{commit}"))
    }

    /// An address that was kept, where it is one of this repository's.
    pub(super) fn known(&self, address: &str) -> Option<String> {
        let rest = address.strip_prefix(self.base.as_ref()?)?;
        let good = rest.starts_with('/')
            && rest
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'-' | b'_'));
        good.then(|| address.to_owned())
    }

    fn blob(&self) -> Option<&'static str> {
        match self.kind {
            ForgeKind::Github => Some("blob"),
            ForgeKind::Gitlab => Some("-/blob"),
            ForgeKind::Gitea => Some("src/commit"),
            ForgeKind::Git => None,
        }
    }
}

/// Nothing in it may end a link's address or hold a secret.
fn base(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/:%+[]".contains(&b);
    let good = matches!(scheme, "http" | "https") && rest.contains('/') && rest.bytes().all(plain);
    let address = address.trim_end_matches('/');
    let address = address.strip_suffix(".git").unwrap_or(address);
    good.then(|| address.replace('[', "%5B").replace(']', "%5D"))
}

fn is_full(commit: &str) -> bool {
    matches!(commit.len(), 40 | 64) && commit.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn each_host_has_its_own_addresses() {
        let line = |kind, path| {
            let links = Links::new(kind, Some("https://git.example/acme/shop.git"));
            links.line(COMMIT, path, Some(7))
        };
        let at = |between: &str| {
            Some(format!(
                "https://git.example/acme/shop/{between}/{COMMIT}/a.py#L7"
            ))
        };
        assert_eq!(line(ForgeKind::Github, "a.py"), at("blob"));
        assert_eq!(line(ForgeKind::Gitlab, "a.py"), at("-/blob"));
        assert_eq!(line(ForgeKind::Gitea, "a.py"), at("src/commit"));
        assert_eq!(line(ForgeKind::Git, "a.py"), None);
        let odd = line(ForgeKind::Github, "a (b)#ü.py").unwrap();
        assert!(odd.ends_with("/a%20%28b%29%23%C3%BC.py#L7"), "{odd}");
    }

    #[test]
    fn no_link_is_made_of_what_is_not_fit() {
        for address in [
            "/srv/git/shop",
            "file:///srv/shop",
            "https://git.example",
            "https://git.example/a b",
            "https://git.example/a?token=x",
            "https://u:p@git.example/a",
            "https://git.example/a)",
        ] {
            let links = Links::new(ForgeKind::Github, Some(address));
            assert_eq!(links.line(COMMIT, "a", None), None, "{address}");
        }
        let links = Links::new(ForgeKind::Github, Some("https://git.example/a/b"));
        assert_eq!(links.line("abc", "a", None), None);
        assert!(links.known("https://git.example/a/b/pull/3").is_some());
        assert_eq!(links.known("https://git.example/a/bc/pull/3"), None);
        assert_eq!(links.known("https://git.example/a/b/x)"), None);
    }
}
