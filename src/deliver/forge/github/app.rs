//! A GitHub App: a signed word about itself is changed for a token that lasts an hour and may no more
//! than a pull request needs, in the named repositories only.

use super::{Keys, headers};
use crate::deliver::forge::wire::{Call, Wire};
use crate::deliver::forge::{Error, ErrorKind};
use crate::net::{Method, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::json;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// How long before its end a token is no longer used.
const MARGIN: Duration = Duration::from_secs(60);
/// How far in the past a word about itself is dated: clocks differ.
const BACK: u64 = 60;
/// How long such a word is good for; GitHub takes ten minutes at most.
const GOOD_FOR: u64 = 9 * 60;

/// An App and how it signs.
pub struct App {
    /// Of the App, or of its client.
    pub id: String,
    /// The private key, as GitHub gives it: PEM.
    pub key: Keys,
    /// `None`: asked for.
    pub installation: Option<u64>,
    token: Mutex<Option<(Secret, SystemTime)>>,
}

impl App {
    pub fn new(id: String, key: Keys, installation: Option<u64>) -> App {
        App {
            id,
            key,
            installation,
            token: Mutex::new(None),
        }
    }

    /// A token that is good for a while yet.
    pub(super) fn token(&self, wire: &Wire, repos: &[&str]) -> Result<Secret, Error> {
        let mut kept = self.token.lock();
        let soon = SystemTime::now() + MARGIN;
        if let Some((token, until)) = &*kept
            && *until > soon
        {
            return Ok(token.clone());
        }
        let (token, until) = self.fresh(wire, repos)?;
        *kept = Some((token.clone(), until));
        Ok(token)
    }

    /// Lets go of the token; `false` where there was none.
    pub(super) fn forget(&self) -> bool {
        self.token.lock().take().is_some()
    }

    fn fresh(&self, wire: &Wire, repos: &[&str]) -> Result<(Secret, SystemTime), Error> {
        let word = self.word(SystemTime::now())?;
        let call = |method, path: &str, body| {
            wire.call(&Call {
                method,
                path,
                body,
                headers: headers(&word),
            })
        };
        let installation = match self.installation {
            Some(id) => id,
            None => {
                let path = format!(
                    "/repos/{}/installation",
                    repos.first().copied().unwrap_or_default()
                );
                let answer = call(Method::Get, &path, None)?;
                let id = answer.json["id"].as_u64().filter(|_| answer.status < 300);
                id.ok_or_else(|| wire.invalid("looking for the App's installation", &answer))?
            }
        };
        let mut names: Vec<&str> = repos
            .iter()
            .filter_map(|repo| repo.split_once('/').map(|(_, name)| name))
            .collect();
        names.dedup();
        let body = json!({
            "repositories": names,
            "permissions": {
                "contents": "write",
                "pull_requests": "write",
                "metadata": "read",
            },
        });
        let path = format!("/app/installations/{installation}/access_tokens");
        let answer = call(Method::Post, &path, Some(&body))?;
        let until = OffsetDateTime::parse(answer.text("/expires_at"), &Rfc3339);
        match (answer.text("/token"), until) {
            (token, Ok(until)) if answer.status < 300 && !token.is_empty() => {
                Ok((Secret::new(token.to_owned()), until.into()))
            }
            _ => Err(wire.invalid("making the App's token", &answer)),
        }
    }

    /// The signed word: RS256.
    fn word(&self, now: SystemTime) -> Result<Secret, Error> {
        let unusable = |what: &str| {
            let what = format!("the App's key (Forge_App_Key_Env or _File) {what}");
            Error::new(ErrorKind::Settings, what)
        };
        let pem = (self.key)().ok_or_else(|| unusable("is not there"))?;
        let pair = pair(pem.expose()).ok_or_else(|| unusable("is no RSA private key in PEM"))?;
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let claims = json!({
            "iat": now.saturating_sub(BACK),
            "exp": now + GOOD_FOR,
            "iss": self.id,
        });
        let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let mut word = format!(
            "{}.{}",
            part(json!({"alg": "RS256", "typ": "JWT"})),
            part(claims)
        );
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            word.as_bytes(),
            &mut signature,
        )
        .map_err(|_| unusable("does not sign"))?;
        word.push('.');
        word.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(Secret::new(word))
    }
}

/// A key of either form that tools write: PKCS#1 as GitHub does, or PKCS#8.
fn pair(pem: &str) -> Option<RsaKeyPair> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (kind, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let body: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(body).ok()?;
    match kind {
        "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).ok(),
        "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der).ok(),
        _ => None,
    }
}
