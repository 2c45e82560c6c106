//! Tokens for private repositories: read when they are needed, handed out only for hosts that
//! the registry names. Nothing here prints one.

use crate::config::environment;
use crate::config::files::read_text;
use crate::config::options::TokenSource;
use crate::config::token_command;
use crate::deliver::forge::github::{Auth, Reader};
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
    /// For one service, as its settings stand in the store: the hosts of its repository, its fork
    /// and its code host's API.
    pub fn of(settings: &Settings) -> Credentials {
        let forge = &settings.forge;
        let addresses = [&settings.repo, &forge.api, &forge.fork];
        Credentials {
            source: settings.token.clone(),
            hosts: addresses
                .into_iter()
                .filter_map(|address| host(address.as_deref()?))
                .map(str::to_ascii_lowercase)
                .collect(),
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
    try_read(source).ok()
}

/// The same, and why there is none: a sentence without the secret.
///
/// # Errors
/// When nothing is there, or it cannot be read.
pub fn try_read(source: &TokenSource) -> Result<Secret, String> {
    let token = match source {
        TokenSource::Variable(name) => environment::variable(name)
            .ok_or_else(|| format!("the variable {} is not set", name.escape_debug()))?,
        TokenSource::File(path) => read_text(path, TOKEN_LIMIT).map_err(|e| e.to_string())?,
        TokenSource::Command(words) => return token_command::run(words),
    };
    let token = token.trim();
    if token.is_empty() {
        let place = match source {
            TokenSource::File(path) => path.display().to_string(),
            TokenSource::Variable(name) => format!("the variable {}", name.escape_debug()),
            TokenSource::Command(_) => "the command".to_owned(),
        };
        return Err(format!("{place} holds nothing"));
    }
    Ok(Secret::new(token.to_owned()))
}

/// Who delivers for a service at GitHub: the App where one is set, else the token. The client sends
/// it to the host that the service's own settings name and to no other. `None`: neither is set.
pub fn github_auth(settings: &Settings) -> Option<Auth> {
    if let Some(app) = settings.forge.app.clone() {
        return Some(Auth::App {
            id: app.id,
            key: reader(app.key),
            installation: app.installation,
        });
    }
    settings
        .token
        .clone()
        .map(|token| Auth::Token(reader(token)))
}

/// Reads at each use.
pub fn reader(source: TokenSource) -> Reader {
    Box::new(move || read(&source))
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

    #[test]
    fn a_service_s_own_hosts_count_for_it_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "t0ken\n").unwrap();
        let mut settings = Settings {
            repo: Some("https://git.example/a/b".to_owned()),
            token: Some(TokenSource::File(path.clone())),
            ..Settings::default()
        };
        let api = "api.git.example";
        let alone = Credentials::of(&settings);
        assert!(alone.for_host("git.example").is_some() && alone.for_host(api).is_none());
        settings.forge.api = Some(format!("https://{api}/v3"));
        assert!(Credentials::of(&settings).for_host(api).is_some());
        let words = ["/bin/cat".to_owned(), path.display().to_string()];
        let printed = try_read(&TokenSource::Command(words.to_vec())).unwrap();
        assert_eq!(printed.expose(), "t0ken");
        std::fs::write(&path, " \n").unwrap();
        let told = try_read(&TokenSource::File(path)).unwrap_err();
        assert!(told.ends_with("holds nothing"), "{told}");
    }

    #[test]
    fn an_app_goes_before_a_token() {
        let mut settings = Settings::default();
        assert!(github_auth(&settings).is_none());
        settings.token = Some(TokenSource::Variable("T".to_owned()));
        assert!(matches!(github_auth(&settings), Some(Auth::Token(_))));
        settings.forge.app = Some(crate::model::service::AppSource {
            id: "7".to_owned(),
            key: TokenSource::Variable("K".to_owned()),
            installation: None,
        });
        let app = github_auth(&settings).unwrap();
        assert_eq!(
            format!("{app:?}"),
            "App { id: \"7\", installation: None, .. }"
        );
    }
}
