//! GitHub and GitHub Enterprise Server, through their REST interface alone: no clone, no push. A commit
//! is made of blobs, a tree and a reference; made by an App, and without an author of its own, it is
//! shown as verified.
//!
//! The least that a token needs: of a fine-grained token or an App, on the repository that takes the
//! request, `Contents: read and write`, `Pull requests: read and write` and `Metadata: read`; with
//! `labels`, `Issues: read and write` as well; `Checks: read` and `Commit statuses: read` to see what
//! CI says. With a `fork`, `Contents: read and write` on the fork, and `Contents: read` is enough on
//! the repository. A classic token needs `repo` (`public_repo` for public ones), which is far more.

mod app;
mod commit;
mod pulls;
mod rights;

pub use app::App;

use super::wire::{self, Answer, Call, Wire, path_of};
use super::{Branch, Error, ErrorKind, Forge, Looked, Opened, Rights};
use crate::model::Settings;
use crate::model::delivery::{Order, Pull};
use crate::net::{Http, Method, Secret};
use once_cell::sync::OnceCell;
use serde_json::Value;

/// Reads a secret at each use.
pub type Keys = Box<dyn Fn() -> Option<Secret> + Send>;

/// Who speaks to the code host.
pub enum Auth {
    Token(Keys),
    /// A GitHub App, which makes itself a token for an hour.
    App(App),
}

/// One repository at GitHub.
pub struct Github {
    wire: Wire,
    auth: Auth,
    /// `OWNER/NAME` of the repository that takes the request.
    repo: String,
    /// The same of the one that holds the branch.
    head: String,
    default_branch: OnceCell<String>,
}

impl Github {
    /// # Errors
    /// When the repository's address is none that GitHub has.
    pub fn new(http: Http, settings: &Settings, auth: Auth) -> Result<Github, Error> {
        let address = settings.repo.as_deref().unwrap_or_default();
        let (host, repo) = path_of(address).ok_or_else(|| unusable("repo", address))?;
        let head = match settings.forge.fork.as_deref() {
            None => repo,
            Some(fork) => match path_of(fork) {
                Some((other, fork)) if other.eq_ignore_ascii_case(host) => fork,
                Some(_) | None => return Err(unusable("fork", fork)),
            },
        };
        for path in [repo, head] {
            if path.split('/').count() != 2 {
                return Err(unusable("repo", address));
            }
        }
        let base = match &settings.forge.api {
            Some(api) => api.clone(),
            None if host.eq_ignore_ascii_case("github.com") => "https://api.github.com".to_owned(),
            None => {
                let scheme = address
                    .split_once("://")
                    .map_or("https", |(scheme, _)| scheme);
                format!("{scheme}://{host}/api/v3")
            }
        };
        Ok(Github {
            wire: Wire::new(http, &base, "GitHub"),
            auth,
            repo: repo.to_owned(),
            head: head.to_owned(),
            default_branch: OnceCell::new(),
        })
    }

    fn get(&self, path: &str) -> Result<Answer, Error> {
        self.call(Method::Get, path, None, None)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Answer, Error> {
        self.call(Method::Post, path, Some(body), None)
    }

    /// With the token of the moment; an App's that is taken no more is made anew, once.
    fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> Result<Answer, Error> {
        let send = |token: &Secret| {
            let mut headers = headers(token);
            headers.extend(etag.map(|etag| ("If-None-Match", etag.to_owned())));
            self.wire.call(&Call {
                method,
                path,
                body,
                headers,
            })
        };
        match &self.auth {
            Auth::Token(keys) => send(&keys().ok_or_else(no_token)?),
            Auth::App(app) => {
                let repos = [self.repo.as_str(), self.head.as_str()];
                match send(&app.token(&self.wire, &repos)?) {
                    Err(fault) if fault.kind == ErrorKind::Refused && app.forget() => {
                        send(&app.token(&self.wire, &repos)?)
                    }
                    done => done,
                }
            }
        }
    }

    /// The branch that takes a request.
    fn base(&self, stated: Option<&str>) -> Result<String, Error> {
        if let Some(stated) = stated {
            return Ok(stated.to_owned());
        }
        let found = self.default_branch.get_or_try_init(|| {
            let answer = self.get(&format!("/repos/{}", self.repo))?;
            let branch = answer.text("/default_branch");
            if branch.is_empty() {
                return Err(self.wire.invalid("looking for the default branch", &answer));
            }
            Ok(branch.to_owned())
        })?;
        Ok(found.clone())
    }

    /// `OWNER:BRANCH`: without the owner a filter is ignored.
    fn head_of(&self, order: &Order) -> String {
        let owner = self.head.split('/').next().unwrap_or_default();
        format!("{owner}:{}", order.branch)
    }
}

impl Forge for Github {
    fn make_branch(&self, order: &Order) -> Result<Branch, Error> {
        self.branch(order)
    }

    fn find(&self, order: &Order) -> Result<Option<Pull>, Error> {
        self.newest(order)
    }

    fn open(&self, order: &Order) -> Result<Opened, Error> {
        self.request(order)
    }

    fn look(&self, _order: &Order, number: u64, seen: Option<&str>) -> Result<Looked, Error> {
        self.state(number, seen)
    }

    fn comment(&self, _order: &Order, number: u64, text: &str, mark: &str) -> Result<(), Error> {
        self.say(number, text, mark)
    }

    fn rights(&self, base: Option<&str>) -> Result<Rights, Error> {
        self.may(base)
    }
}

fn headers(token: &Secret) -> Vec<(&'static str, String)> {
    vec![
        wire::bearer(token),
        ("Accept", "application/vnd.github+json".to_owned()),
        ("X-GitHub-Api-Version", "2022-11-28".to_owned()),
    ]
}

fn no_token() -> Error {
    let what = "there is no token for the code host: set Forge_Token_Env, Forge_Token_File or \
                Forge_Token_Command";
    Error::new(ErrorKind::Settings, what.to_owned())
}

fn unusable(key: &str, address: &str) -> Error {
    let what = format!("`{key}` ({address}) is no https://HOST/OWNER/NAME of GitHub");
    Error::new(ErrorKind::Settings, what)
}
