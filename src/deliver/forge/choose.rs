//! Which kind of server a repository is on: what the settings say, else what its address tells.
//! Asks no server: a token goes nowhere on a guess.

use super::site::Site;
use super::{Error, ErrorKind};
use crate::model::Settings;
use crate::model::delivery::ForgeKind;

/// # Errors
/// When the settings name no kind and the address does not tell it.
pub fn kind_of(settings: &Settings) -> Result<ForgeKind, Error> {
    if let Some(kind) = settings.forge.kind {
        return Ok(kind);
    }
    let service = &settings.service;
    let Some(repo) = settings.repo.as_deref().map(str::trim) else {
        let what = format!("service {service:?}: it has no repo that could take a change");
        return Err(Error::new(ErrorKind::Settings, what));
    };
    if repo.starts_with("file://") || !repo.contains("://") {
        return Ok(ForgeKind::Git);
    }
    let site = Site::parse(repo, "repo")?;
    let host = site.host();
    let is = |name: &str, beginnings: &[&str]| {
        host == name || beginnings.iter().any(|begin| host.starts_with(begin))
    };
    if is("github.com", &["github."]) {
        Ok(ForgeKind::Github)
    } else if is("gitlab.com", &["gitlab."]) {
        Ok(ForgeKind::Gitlab)
    } else if is("codeberg.org", &["gitea.", "forgejo."]) {
        Ok(ForgeKind::Gitea)
    } else {
        let kinds: Vec<String> = ForgeKind::ALL
            .iter()
            .map(|kind| format!("{:?}", kind.word()))
            .collect();
        let what = format!(
            "service {service:?}: the name {host} does not tell what kind of server it is; set \
             `kind` in [service.forge] to one of {}",
            kinds.join(", ")
        );
        Err(Error::new(ErrorKind::Settings, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(repo: &str) -> Result<ForgeKind, Error> {
        kind_of(&Settings {
            repo: Some(repo.to_owned()),
            ..Settings::default()
        })
    }

    #[test]
    fn the_address_tells_the_kind() {
        for (repo, kind) in [
            ("https://github.com/a/b", ForgeKind::Github),
            ("https://GitHub.example.org/a/b", ForgeKind::Github),
            ("https://gitlab.com/a/b/c.git", ForgeKind::Gitlab),
            ("https://gitlab.example.org:8443/a/b", ForgeKind::Gitlab),
            ("https://codeberg.org/a/b", ForgeKind::Gitea),
            ("https://gitea.example.org/a/b", ForgeKind::Gitea),
            ("https://forgejo.example.org/a/b", ForgeKind::Gitea),
            ("file:///srv/github.com/a", ForgeKind::Git),
            ("/srv/a.git", ForgeKind::Git),
        ] {
            assert_eq!(of(repo).unwrap(), kind, "{repo}");
        }
    }

    #[test]
    fn a_name_that_tells_nothing_asks_for_the_setting() {
        for repo in ["https://git.example.org/a/b", "https://notgithub.com/a/b"] {
            let said = of(repo).unwrap_err();
            assert_eq!(said.kind, ErrorKind::Settings);
            assert!(said.to_string().contains("[service.forge]"), "{said}");
        }
        assert!(kind_of(&Settings::default()).is_err());
    }

    #[test]
    fn the_setting_comes_first() {
        let mut settings = Settings {
            repo: Some("https://github.com/a/b".to_owned()),
            ..Settings::default()
        };
        settings.forge.kind = Some(ForgeKind::Git);
        assert_eq!(kind_of(&settings).unwrap(), ForgeKind::Git);
    }
}
