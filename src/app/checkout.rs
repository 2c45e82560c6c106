//! The git checkout that a command is run in: its top folder and where it was cloned from, read
//! from git's own files. What stands in its history is the source room's business.

use crate::app::Error;
use crate::log::Log;
use crate::net::{self, Http};
use crate::registry::check_address;
use crate::source::{Mirrors, Repo};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A checkout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Top folder of the work tree.
    pub top: PathBuf,
    /// The folder that was asked for, below the top, with `/`; empty: the top.
    pub inside: String,
    /// Address of `origin` as the registry takes it: https, without user name or secret.
    pub origin: Option<String>,
}

/// Largest git configuration that is read, in bytes.
const CONFIG_LIMIT: usize = 1 << 20;

impl Checkout {
    /// The checkout that holds a folder.
    pub fn around(folder: &Path) -> Option<Checkout> {
        let folder = folder.canonicalize().ok()?;
        let top = folder.ancestors().find(|top| top.join(".git").exists())?;
        let inside = folder.strip_prefix(top).ok()?.to_string_lossy();
        let inside = inside.replace('\\', "/");
        Some(Checkout {
            top: top.to_owned(),
            inside,
            origin: git_folder(top).and_then(|git| origin(&git)),
        })
    }

    /// Name of the folder asked for, as a service would be called.
    pub fn service_name(&self) -> String {
        let last = self.inside.rsplit('/').find(|part| !part.is_empty());
        let folder = self
            .top
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = last.map(str::to_owned).or(folder).unwrap_or_default();
        let mut clean: String = name
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                    c
                } else {
                    '-'
                }
            })
            .take(100)
            .collect();
        while clean.contains("..") {
            clean = clean.replace("..", ".");
        }
        let clean = clean.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if clean.is_empty() {
            "service".to_owned()
        } else {
            clean.to_owned()
        }
    }
}

/// Opens a local repository where it is, to read it until `deadline`.
///
/// # Errors
/// With what stands in the way, such as another owner, and the remedy.
pub fn open(folder: &Path, deadline: Instant) -> Result<Repo, Error> {
    let folder = folder
        .canonicalize()
        .map_err(|fault| Error::unfinished(folder.display(), fault))?;
    let unfinished = |fault: &dyn std::fmt::Display| Error::Unfinished(fault.to_string());
    let http = Http::new(&net::Settings::default()).map_err(|fault| unfinished(&fault))?;
    // The folder for mirrors is never made: a path is no remote address.
    let mirrors = Mirrors::new(PathBuf::new(), http, Log::silent());
    let repo = mirrors.open(&folder.to_string_lossy(), &|_| None, deadline);
    repo.map_err(|fault| unfinished(&fault))
}

/// `.git`, or where its `gitdir:` and `commondir` point (work trees, submodules).
fn git_folder(top: &Path) -> Option<PathBuf> {
    let dot = top.join(".git");
    if dot.is_dir() {
        return Some(dot);
    }
    let text = fs::read_to_string(&dot).ok()?;
    let git = top.join(text.trim().strip_prefix("gitdir:")?.trim());
    match fs::read_to_string(git.join("commondir")) {
        Ok(common) => Some(git.join(common.trim())),
        Err(_) => Some(git),
    }
}

fn origin(git: &Path) -> Option<String> {
    let config = fs::read_to_string(git.join("config")).ok()?;
    if config.len() > CONFIG_LIMIT {
        return None;
    }
    let mut ours = false;
    let mut url = None;
    for line in config.lines().map(str::trim) {
        if line.starts_with('[') {
            ours = line.eq_ignore_ascii_case("[remote \"origin\"]");
        } else if ours
            && let Some((key, value)) = line.split_once('=')
            && key.trim().eq_ignore_ascii_case("url")
        {
            url = Some(value.trim().trim_matches('"').to_owned());
        }
    }
    address(&url?)
}

/// An address that the registry takes: ssh forms become https, user names and secrets go.
fn address(url: &str) -> Option<String> {
    let url = url.trim_end_matches('/');
    let plain = match url.split_once("://") {
        Some(("https" | "http" | "ssh" | "git" | "git+ssh", rest)) => {
            let (host, path) = rest.split_once('/')?;
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            let loopback = url.starts_with("http://127.") || url.starts_with("http://localhost");
            // Another port than that of https belongs to ssh.
            let host = if url.starts_with("http") {
                host
            } else {
                host.split(':').next()?
            };
            let scheme = if loopback { "http" } else { "https" };
            format!("{scheme}://{host}/{path}")
        }
        Some(("file", _)) => url.to_owned(),
        Some(_) => return None,
        None if url.starts_with('/') => url.to_owned(),
        None => {
            // user@host:path
            let (host, path) = url.split_once(':')?;
            let (_, host) = host.rsplit_once('@')?;
            format!("https://{host}/{}", path.trim_start_matches('/'))
        }
    };
    let plain = plain.split(['?', '#']).next()?.to_owned();
    check_address(&plain).is_ok().then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_their_secrets_and_ssh_becomes_https() {
        let of = |url| address(url).unwrap_or_default();
        assert_eq!(
            of("git@git.example:acme/shop.git"),
            "https://git.example/acme/shop.git"
        );
        assert_eq!(
            of("ssh://git@git.example:2222/acme/shop"),
            "https://git.example/acme/shop"
        );
        assert_eq!(
            of("https://bot:s3cret@git.example/a/b"),
            "https://git.example/a/b"
        );
        assert_eq!(
            of("https://git.example:8443/a/b"),
            "https://git.example:8443/a/b"
        );
        assert_eq!(of("http://127.0.0.1:3000/a/b"), "http://127.0.0.1:3000/a/b");
        assert_eq!(of("/srv/git/a.git"), "/srv/git/a.git");
        assert_eq!(of("../a"), "");
        assert_eq!(of("C:\\a"), "");
    }

    #[test]
    fn a_folder_inside_a_checkout() {
        let dir = tempfile::tempdir().unwrap();
        let top = dir.path().canonicalize().unwrap().join("my shop");
        fs::create_dir_all(top.join(".git")).unwrap();
        fs::create_dir_all(top.join("services/cart")).unwrap();
        fs::write(
            top.join(".git/config"),
            "[remote \"up\"]\n\turl = /x\n[remote \"origin\"]\n\turl = git@h.example:a/b.git\n[core]\n",
        )
        .unwrap();
        let checkout = Checkout::around(&top.join("services/cart")).unwrap();
        assert_eq!(checkout.inside, "services/cart");
        assert_eq!(
            checkout.origin.as_deref(),
            Some("https://h.example/a/b.git")
        );
        assert_eq!(checkout.service_name(), "cart");
        assert_eq!(Checkout::around(&top).unwrap().service_name(), "my-shop");
        assert_eq!(Checkout::around(dir.path()), None);
    }
}
