//! Who the client is at GitHub: a token, or an App, which signs that it is itself and is given a
//! token for an hour. Every secret is read when it is needed and kept no longer; only an App's
//! token is kept, in memory, until shortly before its end.

use super::call::{Answer, Calls};
use super::jwt;
use super::place::Place;
use crate::deliver::forge::{Error, ErrorKind};
use crate::net::{Method, Secret};
use serde_json::{Map, Value, json};
use std::cell::RefCell;
use std::time::{Duration, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Reads a secret from where it is kept. `None` where there is none.
pub type Reader = Box<dyn Fn() -> Option<Secret> + Send>;

/// Who asks.
pub enum Auth {
    /// A fine-grained or classic token, or one that something else renews.
    Token(Reader),
    App {
        /// The App's id or its client id.
        id: String,
        /// Its private key, in PEM.
        key: Reader,
        /// `None`: the host is asked which one the repository has.
        installation: Option<u64>,
    },
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Auth::Token(_) => f.write_str("Token(…)"),
            Auth::App {
                id, installation, ..
            } => f
                .debug_struct("App")
                .field("id", id)
                .field("installation", installation)
                .finish_non_exhaustive(),
        }
    }
}

/// So long before its end a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);

/// What an App may do in the repositories, and how much of it is asked for. The first three are
/// needed; the rest is asked for where the installation has it.
const WANTED: [(&str, &str); 6] = [
    ("metadata", "read"),
    ("contents", "write"),
    ("pull_requests", "write"),
    ("issues", "write"),
    ("checks", "read"),
    ("statuses", "read"),
];
pub(super) const NEEDED: usize = 3;

/// An installation of an App.
#[derive(Clone, Debug)]
pub(super) struct Installation {
    id: u64,
    /// What was granted: a name to `read`, `write` or `admin`.
    pub permissions: Map<String, Value>,
}

struct Kept {
    token: Secret,
    until: SystemTime,
}

/// Tokens as they are needed.
pub(super) struct Tokens {
    auth: Auth,
    kept: RefCell<Option<Kept>>,
    installed: RefCell<Option<Installation>>,
}

impl Tokens {
    pub fn new(auth: Auth, place: &Place) -> Result<Tokens, Error> {
        let fork = place.fork.as_ref();
        if let (Auth::App { .. }, Some(fork)) = (&auth, fork)
            && !fork.owner.eq_ignore_ascii_case(&place.base.owner)
        {
            let words = format!(
                "an App's token holds for one owner's repositories, but the fork is {}'s: take \
                 `fork` out, or use a machine user's token in place of the App",
                fork.owner
            );
            return Err(Error::new(ErrorKind::Settings, words));
        }
        Ok(Tokens {
            auth,
            kept: RefCell::new(None),
            installed: RefCell::new(None),
        })
    }

    pub fn is_app(&self) -> bool {
        match self.auth {
            Auth::App { .. } => true,
            Auth::Token(_) => false,
        }
    }

    /// The token for the next call.
    pub fn current(&self, calls: &Calls) -> Result<Secret, Error> {
        match &self.auth {
            Auth::Token(read) => usable(read(), "the forge's token"),
            Auth::App { .. } => {
                if let Some(kept) = &*self.kept.borrow()
                    && SystemTime::now() + MARGIN < kept.until
                {
                    return Ok(kept.token.clone());
                }
                let fresh = self.fresh(calls)?;
                let token = fresh.token.clone();
                *self.kept.borrow_mut() = Some(fresh);
                Ok(token)
            }
        }
    }

    /// Forgets a token that was not taken. Whether another one can be had.
    pub fn forget(&self) -> bool {
        *self.installed.borrow_mut() = None;
        self.kept.borrow_mut().take().is_some()
    }

    /// The App's installation for the repository.
    pub fn installation(&self, calls: &Calls) -> Result<Option<Installation>, Error> {
        let Auth::App {
            id,
            key,
            installation,
        } = &self.auth
        else {
            return Ok(None);
        };
        if let Some(known) = &*self.installed.borrow() {
            return Ok(Some(known.clone()));
        }
        let signed = signed(id, key)?;
        let path = match installation {
            Some(number) => format!("app/installations/{number}"),
            None => format!("{}/installation", calls.place().base.path()),
        };
        let answer = calls.once(Method::Get, &path, None, None, &signed)?;
        let found = match answer.status {
            200 => installation_of(&answer),
            401 => {
                return Err(Error::new(
                    ErrorKind::Refused,
                    format!(
                        "{} does not take the App's signature: check Forge_App_Id, its private key \
                         and this machine's clock",
                        calls.place().host()
                    ),
                ));
            }
            404 => {
                return Err(Error::new(
                    ErrorKind::Missing,
                    format!(
                        "the App is not installed for {}/{}: install it there",
                        calls.place().base.owner,
                        calls.place().base.name
                    ),
                ));
            }
            _ => return Err(answer.error("looking for the App's installation")),
        };
        let found = found.ok_or_else(|| answer.malformed("an installation"))?;
        *self.installed.borrow_mut() = Some(found.clone());
        Ok(Some(found))
    }

    fn fresh(&self, calls: &Calls) -> Result<Kept, Error> {
        let Auth::App { id, key, .. } = &self.auth else {
            return Err(Error::new(ErrorKind::Settings, "no App is set".to_owned()));
        };
        let Some(installation) = self.installation(calls)? else {
            return Err(Error::new(ErrorKind::Settings, "no App is set".to_owned()));
        };
        let lacking = lacking(&installation.permissions);
        if let Some(first) = lacking.first() {
            return Err(Error::new(
                ErrorKind::Refused,
                format!("the App's installation lacks {first}: grant it in the App's settings"),
            ));
        }
        let asked: Map<String, Value> = WANTED
            .iter()
            .filter(|(name, level)| grants(&installation.permissions, name, level))
            .map(|(name, level)| ((*name).to_owned(), json!(level)))
            .collect();
        let place = calls.place();
        let mut names = vec![place.base.name.as_str()];
        names.extend(place.fork.as_ref().map(|fork| fork.name.as_str()));
        let body = json!({"repositories": names, "permissions": asked});
        let signed = signed(id, key)?;
        let path = format!("app/installations/{}/access_tokens", installation.id);
        let answer = calls.once(Method::Post, &path, Some(&body), None, &signed)?;
        if answer.status != 201 {
            return Err(answer.error("asking for the App's token"));
        }
        let token = answer.json["token"].as_str().unwrap_or_default();
        let token = usable(Some(Secret::new(token.to_owned())), "the App's token")?;
        let until = answer.json["expires_at"].as_str().unwrap_or_default();
        let until = OffsetDateTime::parse(until, &Rfc3339)
            .map_err(|_| answer.malformed("the end of the App's token"))?;
        Ok(Kept {
            token,
            until: until.into(),
        })
    }
}

/// What the needed permissions lack, in words.
pub(super) fn lacking(granted: &Map<String, Value>) -> Vec<String> {
    WANTED
        .iter()
        .take(NEEDED)
        .filter(|(name, level)| !grants(granted, name, level))
        .map(|(name, level)| format!("the permission `{name}: {level}`"))
        .collect()
}

/// Whether a permission was granted to at least that level.
pub(super) fn grants(granted: &Map<String, Value>, name: &str, level: &str) -> bool {
    let rank = |level: &str| match level {
        "read" => 1,
        "write" => 2,
        "admin" => 3,
        _ => 0,
    };
    let has = granted.get(name).and_then(Value::as_str).unwrap_or("");
    rank(has) >= rank(level)
}

fn installation_of(answer: &Answer) -> Option<Installation> {
    Some(Installation {
        id: answer.json["id"].as_u64()?,
        permissions: answer.json["permissions"].as_object()?.clone(),
    })
}

fn signed(id: &str, key: &Reader) -> Result<Secret, Error> {
    let key = key().ok_or_else(|| {
        Error::new(
            ErrorKind::Settings,
            "no private key of the App could be read: check Forge_App_Key_File or \
             Forge_App_Key_Env"
                .to_owned(),
        )
    })?;
    jwt::sign(id, key.expose(), SystemTime::now())
}

/// A token that can stand in a header.
fn usable(token: Option<Secret>, what: &str) -> Result<Secret, Error> {
    let token = token.ok_or_else(|| {
        Error::new(
            ErrorKind::Settings,
            format!(
                "{what} could not be read: check Forge_Token_File, Forge_Token_Env or \
                 Forge_Token_Command"
            ),
        )
    })?;
    let good = |b: u8| b.is_ascii_graphic();
    if token.expose().is_empty() || !token.expose().bytes().all(good) {
        let words = format!("{what} holds characters that no token has, or is empty");
        return Err(Error::new(ErrorKind::Settings, words));
    }
    Ok(token)
}
