//! Where a repository is at GitHub: the address of the API, owner and name, the fork. The client
//! asks nothing beside what stands here.

use crate::deliver::forge::{Error, ErrorKind};
use crate::model::Settings;
use crate::net;

/// A repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repo {
    pub owner: String,
    pub name: String,
}

impl Repo {
    /// `repos/OWNER/NAME`
    pub fn path(&self) -> String {
        format!("repos/{}/{}", self.owner, self.name)
    }

    pub fn is(&self, full_name: &str) -> bool {
        full_name.eq_ignore_ascii_case(&format!("{}/{}", self.owner, self.name))
    }
}

/// Where everything is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Without a slash at its end.
    pub api: String,
    /// Takes the request.
    pub base: Repo,
    /// Takes the branch, where that is another one.
    pub fork: Option<Repo>,
}

impl Place {
    pub fn of(settings: &Settings) -> Result<Place, Error> {
        let address = settings.repo.as_deref().unwrap_or_default();
        let (host, base) = repository(address, "repo")?;
        let fork = match &settings.forge.fork {
            None => None,
            Some(address) => {
                let (fork_host, fork) = repository(address, "fork")?;
                if !fork_host.eq_ignore_ascii_case(host) {
                    return Err(wrong(
                        "a fork on another host than its repository: write `fork` as an address on \
                         the repository's host",
                    ));
                }
                Some(fork).filter(|fork| *fork != base)
            }
        };
        let api = match &settings.forge.api {
            Some(api) => api.trim().trim_end_matches('/').to_owned(),
            None if is_github_com(host) => "https://api.github.com".to_owned(),
            None => format!("https://{host}/api/v3"),
        };
        check_api(&api)?;
        Ok(Place { api, base, fork })
    }

    /// The repository where the branch is made.
    pub fn branches(&self) -> &Repo {
        self.fork.as_ref().unwrap_or(&self.base)
    }

    /// The branch as the repository that takes the request names it.
    pub fn head(&self, branch: &str) -> String {
        format!("{}:{branch}", self.branches().owner)
    }

    pub fn is_loopback(&self) -> bool {
        net::is_loopback(&self.api)
    }

    /// The API's host, for words.
    pub fn host(&self) -> &str {
        let rest = self.api.split_once("://").map_or("", |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

fn wrong(words: &str) -> Error {
    Error::new(ErrorKind::Settings, words.to_owned())
}

fn is_github_com(host: &str) -> bool {
    ["github.com", "www.github.com"]
        .iter()
        .any(|name| host.eq_ignore_ascii_case(name))
}

/// Only https, or http to this machine; no user, question or fragment in it.
fn check_api(api: &str) -> Result<(), Error> {
    let rest = match api.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if net::is_loopback(api) => rest,
        Some(_) | None => {
            return Err(wrong(
                "the API's address begins neither with https:// nor, on this machine, with \
                 http://: write `api` under [service.forge] as https://HOST/api/v3",
            ));
        }
    };
    let plain = rest
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-._:/[]".contains(&b));
    let climbs = rest.split('/').any(|part| part == "..");
    if !plain || climbs || rest.starts_with('/') || rest.is_empty() {
        return Err(wrong(
            "the API's address holds more than host, port and path: write `api` under \
             [service.forge] as https://HOST/api/v3",
        ));
    }
    Ok(())
}

/// Host (with its port), and owner and name.
fn repository<'a>(address: &'a str, key: &str) -> Result<(&'a str, Repo), Error> {
    let told = || {
        let words =
            format!("`{key}` is no address of a GitHub repository: write https://HOST/OWNER/NAME");
        Error::new(ErrorKind::Settings, words)
    };
    let rest = match address.trim().split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if net::is_loopback(address) => rest,
        Some(_) | None => return Err(told()),
    };
    let (authority, path) = rest.split_once('/').ok_or_else(told)?;
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (owner, name) = path.split_once('/').ok_or_else(told)?;
    let plain = |part: &str| {
        let good = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
        !matches!(part, "" | "." | "..") && part.len() <= 100 && part.bytes().all(good)
    };
    if host.is_empty() || !plain(owner) || !plain(name) {
        return Err(told());
    }
    let repo = Repo {
        owner: owner.to_owned(),
        name: name.to_owned(),
    };
    Ok((host, repo))
}

/// A name as one part of a path, as the API describes refs and branches: everything but letters,
/// digits and `-._~` as `%XX`.
pub(super) fn in_path(text: &str) -> String {
    net::encoded(text, "")
}

/// The same in a question, where `/` and `:` mean nothing either.
pub(super) fn in_query(text: &str) -> String {
    net::encoded(text, "/:")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::ForgeSettings;

    fn place(repo: &str, api: Option<&str>, fork: Option<&str>) -> Result<Place, Error> {
        Place::of(&Settings {
            repo: Some(repo.to_owned()),
            forge: ForgeSettings {
                api: api.map(str::to_owned),
                fork: fork.map(str::to_owned),
                ..ForgeSettings::default()
            },
            ..Settings::default()
        })
    }

    #[test]
    fn the_api_follows_from_the_repository() {
        let public = place("https://github.com/acme/shop.git/", None, None).unwrap();
        assert_eq!(public.api, "https://api.github.com");
        assert_eq!(public.base.path(), "repos/acme/shop");
        assert_eq!(public.head("autofix/a"), "acme:autofix/a");
        let own = place(
            "https://u:p@git.example:8443/acme/shop",
            None,
            Some("https://git.example:8443/bot/shop"),
        );
        let own = own.unwrap();
        assert_eq!(own.api, "https://git.example:8443/api/v3");
        assert_eq!(own.head("b"), "bot:b");
        assert_eq!(own.host(), "git.example:8443");
        let set = place(
            "https://github.com/a/b",
            Some("http://127.0.0.1:9/x/"),
            None,
        );
        assert_eq!(set.unwrap().api, "http://127.0.0.1:9/x");
    }

    #[test]
    fn addresses_that_lead_elsewhere_are_refused() {
        for repo in [
            "",
            "/srv/shop",
            "git@github.com:acme/shop",
            "http://github.com/acme/shop",
            "https://github.com/acme",
            "https://github.com/acme/shop/tree/main",
            "https://github.com/../shop",
            "https://github.com/acme/sh%2fop",
            "https:///acme/shop",
        ] {
            assert_eq!(
                place(repo, None, None).unwrap_err().kind,
                ErrorKind::Settings,
                "{repo}"
            );
        }
        for api in [
            "http://git.example/api/v3",
            "ftp://git.example",
            "https://user@git.example/api",
            "https://git.example/api?x=",
            "https://git.example/a/../b",
            "https://",
        ] {
            let refused = place("https://github.com/a/b", Some(api), None);
            assert_eq!(refused.unwrap_err().kind, ErrorKind::Settings, "{api}");
        }
        let far = place(
            "https://github.com/a/b",
            None,
            Some("https://evil.example/a/b"),
        );
        assert!(far.is_err());
    }

    #[test]
    fn names_cannot_leave_their_place_in_a_url() {
        assert_eq!(in_path("autofix/a b?c#%"), "autofix%2Fa%20b%3Fc%23%25");
        assert_eq!(in_query("o:b&x=1"), "o:b%26x%3D1");
    }
}
