//! Tokens for private repositories: read when they are needed, handed out only for hosts that
//! the registry names. Nothing here prints one.

use crate::config::environment;
use crate::config::files::read_text;
use crate::config::options::TokenSource;
use crate::model::Settings;
use crate::net::Secret;
use crate::registry::Registry;
use std::collections::HashSet;

/// Longest token file, in bytes.
const TOKEN_LIMIT: u64 = 16 << 10;

/// Hands out the token.
#[derive(Clone, Debug, Default)]
pub struct Credentials {
    source: Option<TokenSource>,
    hosts: HashSet<String>,
}

impl Credentials {
    /// For one service, as its settings stand in the store.
    pub fn of(settings: &Settings) -> Credentials {
        let host = settings.repo.as_deref().and_then(host);
        Credentials {
            source: settings.token.clone(),
            hosts: host.map(str::to_ascii_lowercase).into_iter().collect(),
        }
    }

    pub fn new(source: Option<TokenSource>, registry: &Registry) -> Credentials {
        let repos = registry.services().iter().filter_map(|s| s.repo.as_deref());
        Credentials {
            source,
            hosts: repos
                .filter_map(host)
                .map(str::to_ascii_lowercase)
                .collect(),
        }
    }

    /// The token for a host (with its port, where the address has one).
    pub fn for_host(&self, host: &str) -> Option<Secret> {
        if !self.hosts.contains(&host.to_ascii_lowercase()) {
            return None;
        }
        read(self.source.as_ref()?)
    }
}

/// Reads a secret from where it is. `None` where there is none.
pub fn read(source: &TokenSource) -> Option<Secret> {
    let token = match source {
        TokenSource::Variable(name) => environment::variable(name)?,
        TokenSource::File(path) => read_text(path, TOKEN_LIMIT).ok()?,
    };
    let token = token.trim();
    (!token.is_empty()).then(|| Secret::new(token.to_owned()))
}

/// Host and port of an `https://` or `http://` address; a pattern's host is never one.
fn host(address: &str) -> Option<&str> {
    let (scheme, rest) = address.split_once("://")?;
    let host = rest.split('/').next()?;
    let good = matches!(scheme, "https" | "http") && !host.contains('{');
    good.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Text;

    #[test]
    fn a_token_goes_only_to_hosts_of_the_registry() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "t0ken\n").unwrap();
        let registry = Registry::parse(&[Text {
            file: "s".to_owned(),
            text: "[[service]]\nname = \"a\"\nrepo = \"https://git.example/a/b\"\n\
                   [[service]]\nname = \"b\"\nrepo = \"/git.other/b\"\n"
                .to_owned(),
        }])
        .unwrap();
        let credentials = Credentials::new(Some(TokenSource::File(path)), &registry);
        let token = credentials.for_host("Git.Example").unwrap();
        assert_eq!(token.expose(), "t0ken");
        for other in ["git.other", "evil.example", "git.example.evil", ""] {
            assert!(credentials.for_host(other).is_none(), "{other}");
        }
    }
}
