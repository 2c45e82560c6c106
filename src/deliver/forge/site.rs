//! Where a repository stands at its code host, told from its address: scheme, host, path, and the
//! address of the API. Sends nothing.

use super::{Error, ErrorKind};
use crate::model::Settings;
use crate::net::{self, is_loopback};

/// A repository's address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    scheme: &'static str,
    /// With its port, in small letters.
    authority: String,
    /// Without slashes at its ends, without `.git`.
    path: String,
}

impl Site {
    /// # Errors
    /// For what is no `https://` address (`http://` on this machine only) of a host and a path.
    pub fn parse(text: &str, key: &str) -> Result<Site, Error> {
        let refuse = |why: &str| {
            let what = format!("{key}: {why}");
            Err(Error::new(ErrorKind::Settings, what))
        };
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some(("https", rest)) => ("https", rest),
            Some(("http", rest)) if is_loopback(text) => ("http", rest),
            Some(("http", _)) => return refuse("http:// is for this machine only; use https://"),
            _ => return refuse("a code host is spoken to at an https:// address"),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_matches('/');
        let path = path.strip_suffix(".git").unwrap_or(path);
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '#' | '%');
        if authority.is_empty() || authority.contains('@') || text.contains(odd) {
            return refuse(
                "the address must be https://HOST/PATH, without user, password, query or blanks",
            );
        }
        Ok(Site {
            scheme,
            authority: authority.to_ascii_lowercase(),
            path: path.to_owned(),
        })
    }

    /// Its host without port, in small letters.
    pub fn host(&self) -> &str {
        match self.authority.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or(six),
            None => self.authority.split(':').next().unwrap_or(&self.authority),
        }
    }

    /// Whether both are at one server.
    pub fn is_beside(&self, other: &Site) -> bool {
        (self.scheme, &self.authority) == (other.scheme, &other.authority)
    }

    fn url(&self) -> String {
        format!("{}://{}/{}", self.scheme, self.authority, self.path)
    }
}

/// A repository, the fork in which branches are made, and the API for both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Places {
    /// Without a slash at its end.
    pub api: String,
    /// The path of the repository that takes the change.
    pub target: String,
    /// The path of the fork, where there is one.
    pub fork: Option<String>,
}

impl Places {
    /// `ending`: the API's path on its host, such as `api/v4`. `names`: how many names the path
    /// of a repository has at least and at most.
    ///
    /// # Errors
    /// When an address cannot be used, or the fork is on another host than the repository.
    pub fn of(
        settings: &Settings,
        ending: &str,
        names: std::ops::RangeInclusive<usize>,
    ) -> Result<Places, Error> {
        let repo = settings.repo.as_deref().unwrap_or_default();
        let site = Site::parse(repo, "repo")?;
        let (api, prefix) = match &settings.forge.api {
            None => {
                let api = format!("{}://{}/{ending}", site.scheme, site.authority);
                (api, String::new())
            }
            Some(text) => {
                let api = Site::parse(text, "api of [service.forge]")?;
                // A host may live in a folder of a web server: its repositories then do too.
                let folder = api.path.strip_suffix(ending).unwrap_or_default();
                let same = api.host() == site.host();
                let prefix = if same {
                    folder.to_owned()
                } else {
                    String::new()
                };
                (api.url().trim_end_matches('/').to_owned(), prefix)
            }
        };
        let named = |site: &Site, key: &str| {
            let path = site.path.strip_prefix(&prefix).unwrap_or(&site.path);
            let parts: Vec<&str> = path.split('/').collect();
            let plain = |part: &&str| !part.is_empty() && *part != "." && *part != "..";
            if !names.contains(&parts.len()) || !parts.iter().all(plain) {
                let what = format!("{key}: {path:?} is no path of a repository on this host");
                return Err(Error::new(ErrorKind::Settings, what));
            }
            Ok(path.to_owned())
        };
        let target = named(&site, "repo")?;
        let fork = match &settings.forge.fork {
            None => None,
            Some(text) => {
                let key = "fork of [service.forge]";
                let fork = Site::parse(text, key)?;
                if !fork.is_beside(&site) {
                    let what = format!("{key}: it must be on the repository's own host");
                    return Err(Error::new(ErrorKind::Settings, what));
                }
                Some(named(&fork, key)?)
            }
        };
        Ok(Places { api, target, fork })
    }

    /// The path of the repository in which branches are made.
    pub fn source(&self) -> &str {
        self.fork.as_deref().unwrap_or(&self.target)
    }
}

/// One part of a path, so that nothing in it has a meaning for the server.
pub(super) fn encoded(part: &str) -> String {
    net::encoded(part, "")
}

/// A path whose slashes stay slashes.
pub(super) fn encoded_path(path: &str) -> String {
    net::encoded(path, "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(repo: &str) -> Settings {
        Settings {
            repo: Some(repo.to_owned()),
            ..Settings::default()
        }
    }

    #[test]
    fn the_api_is_told_from_the_repository() {
        let places = Places::of(
            &settings("https://Git.Example:8443/a/b/shop.git/"),
            "api/v4",
            2..=9,
        );
        let places = places.unwrap();
        assert_eq!(places.api, "https://git.example:8443/api/v4");
        assert_eq!(
            (places.target.as_str(), places.source()),
            ("a/b/shop", "a/b/shop")
        );
    }

    #[test]
    fn a_host_in_a_folder_has_its_repositories_there_too() {
        let mut settings = settings("https://h/gitlab/a/shop");
        settings.forge.api = Some("https://h/gitlab/api/v4/".to_owned());
        settings.forge.fork = Some("https://h/gitlab/bot/shop.git".to_owned());
        let places = Places::of(&settings, "api/v4", 2..=9).unwrap();
        assert_eq!(places.api, "https://h/gitlab/api/v4");
        assert_eq!(
            (places.target.as_str(), places.source()),
            ("a/shop", "bot/shop")
        );
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_its_secrets() {
        for repo in [
            "",
            "/srv/a",
            "file:///srv/a",
            "http://h/a/b",
            "https://me:s3cret@h/a/b",
            "https://h/a",
            "https://h/a//b",
            "https://h/a/../b",
            "https://h/a/b?x",
            "https://h/a/b/c/d",
        ] {
            let said = Places::of(&settings(repo), "api/v1", 2..=3).unwrap_err();
            assert_eq!(said.kind, ErrorKind::Settings, "{repo}");
            assert!(!said.to_string().contains("s3cret"), "{said}");
        }
        let mut elsewhere = settings("https://h/a/b");
        elsewhere.forge.fork = Some("https://other/bot/b".to_owned());
        let said = Places::of(&elsewhere, "api/v1", 2..=2).unwrap_err();
        assert!(said.to_string().contains("own host"), "{said}");
    }

    #[test]
    fn a_part_of_a_path_means_nothing_to_the_server() {
        assert_eq!(encoded("a/b c?é"), "a%2Fb%20c%3F%C3%A9");
        assert_eq!(encoded_path("a/b c"), "a/b%20c");
    }
}
