//! GitHub and GitHub Enterprise Server, over their REST API and nothing else: no clone, no git.
//!
//! What a token has to be allowed, at least:
//! - a fine-grained token, for the repository: `Contents: read and write`, `Pull requests: read and
//!   write` (`Metadata: read` comes with them). `Issues: read and write` where labels are set;
//!   `Checks: read` and `Commit statuses: read` to see what CI says.
//! - a classic token: `repo`, or `public_repo` for a public repository. Nothing else; labels and CI
//!   are covered.
//! - an App, installed for the repository: `contents: write`, `pull_requests: write`,
//!   `metadata: read`; `issues: write` where labels are set, `checks: read` and `statuses: read` to
//!   see CI. Its tokens are limited to the repository and to these.
//! - reviewers that are teams: the organisation's `Members: read` beside that.
//! - with a fork: the token is a machine user's, of whom the fork is. It needs `contents` on the
//!   fork, `pull requests` (and `issues`) on the repository, and no right to push to the latter; a
//!   fine-grained token holds for one owner, so that is a classic one with `public_repo` or `repo`.
//!   An App can use a fork only where it has the same owner as its repository.
//!
//! `workflows` is never needed: such files are refused.

mod auth;
mod branch;
mod call;
mod jwt;
mod look;
mod place;
mod pulls;
mod rights;

pub use auth::{Auth, Reader};

use super::{Branch, Error, Forge, Looked, Opened, Rights};
use crate::model::Settings;
use crate::model::delivery::{Order, Pull};
use crate::net::{Http, Method, Secret};
use auth::Tokens;
use call::{Answer, Calls};
use place::Place;
use serde_json::Value;
use std::cell::RefCell;

/// One repository at GitHub.
pub struct Github {
    calls: Calls,
    tokens: Tokens,
    /// The repository's default branch, once it was asked for.
    default_base: RefCell<Option<String>>,
}

impl std::fmt::Debug for Github {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Github")
            .field("place", self.calls.place())
            .finish_non_exhaustive()
    }
}

impl Github {
    /// # Errors
    /// When the settings name no repository at GitHub, or what cannot go together.
    pub fn new(http: Http, settings: &Settings, auth: Auth) -> Result<Github, Error> {
        let place = Place::of(settings)?;
        Ok(Github {
            tokens: Tokens::new(auth, &place)?,
            calls: Calls::new(http, place),
            default_base: RefCell::new(None),
        })
    }

    /// The token that calls are made with now, for git's own transport to the same host.
    ///
    /// # Errors
    /// When none can be read or had.
    pub fn token(&self) -> Result<Secret, Error> {
        self.calls.begin();
        self.tokens.current(&self.calls)
    }

    fn place(&self) -> &Place {
        self.calls.place()
    }

    /// `repos/OWNER/NAME` of the repository that takes the request.
    fn base(&self) -> String {
        self.place().base.path()
    }

    /// The same of the one that takes the branch.
    fn branches(&self) -> String {
        self.place().branches().path()
    }

    fn get(&self, path: &str) -> Result<Answer, Error> {
        self.ask(Method::Get, path, None, None)
    }

    fn get_unless(&self, path: &str, etag: Option<&str>) -> Result<Answer, Error> {
        self.ask(Method::Get, path, None, etag)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Answer, Error> {
        self.ask(Method::Post, path, Some(body), None)
    }

    fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        etag: Option<&str>,
    ) -> Result<Answer, Error> {
        let token = self.tokens.current(&self.calls)?;
        let answer = self.calls.once(method, path, body, etag, &token)?;
        if answer.status != 401 {
            return Ok(answer);
        }
        // An App's token may have been taken back before its end; a new one is asked for once.
        if self.tokens.is_app() && self.tokens.forget() {
            let token = self.tokens.current(&self.calls)?;
            let answer = self.calls.once(method, path, body, etag, &token)?;
            if answer.status != 401 {
                return Ok(answer);
            }
            return Err(answer.error("asking"));
        }
        Err(answer.error("asking"))
    }

    /// The branch that takes the change.
    fn base_branch(&self, named: Option<&str>) -> Result<String, Error> {
        if let Some(named) = named {
            return Ok(named.to_owned());
        }
        if let Some(known) = &*self.default_base.borrow() {
            return Ok(known.clone());
        }
        let answer = self.get(&self.base())?.good("looking at the repository")?;
        let name = answer.text("/default_branch", "the repository's default branch")?;
        *self.default_base.borrow_mut() = Some(name.clone());
        Ok(name)
    }
}

impl Forge for Github {
    fn make_branch(&self, order: &Order) -> Result<Branch, Error> {
        self.calls.begin();
        branch::make(self, order)
    }

    fn find(&self, order: &Order) -> Result<Option<Pull>, Error> {
        self.calls.begin();
        pulls::find(self, order)
    }

    fn open(&self, order: &Order) -> Result<Opened, Error> {
        self.calls.begin();
        pulls::open(self, order)
    }

    fn look(&self, _: &Order, number: u64, seen: Option<&str>) -> Result<Looked, Error> {
        self.calls.begin();
        look::look(self, number, seen)
    }

    fn comment(&self, _: &Order, number: u64, text: &str, mark: &str) -> Result<(), Error> {
        self.calls.begin();
        pulls::comment(self, number, text, mark)
    }

    fn rights(&self, base: Option<&str>) -> Result<Rights, Error> {
        self.calls.begin();
        rights::rights(self, base)
    }
}
