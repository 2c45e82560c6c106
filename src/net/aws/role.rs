//! The keys of a container's role, from the address beside it that hands them out. They end, so
//! they are fetched anew some minutes before. Which address that is, the environment says.

use super::Keys;
use crate::net::{Error, ErrorKind, Http, Method, Request, Secret, Settings, is_loopback};
use parking_lot::Mutex;
use serde::Deserialize;
use std::time::{Duration, Instant, SystemTime};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Most bytes of an answer with keys.
const CAP: u64 = 64 << 10;
const DEADLINE: Duration = Duration::from_secs(5);
/// How long before their end keys are fetched anew, as Amazon's own clients do: requests that
/// are signed with them need some time, and clocks differ.
const EARLY: Duration = Duration::from_secs(300);
/// Hosts beside the container that may be asked without TLS: of ECS, and of EKS.
const BESIDE: &[&str] = &["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/// Reads what authorises the request for keys, each time: it may be a file that changes.
pub type TokenOf = Box<dyn Fn() -> Result<Option<Secret>, Error> + Send + Sync>;

/// Where a role's keys come from.
pub struct Role {
    http: Http,
    url: String,
    token: TokenOf,
    known: Mutex<Option<Keys>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: Option<String>,
}

impl Role {
    /// # Errors
    /// When the address is one that must not be told the token, or asked without TLS.
    pub fn new(url: &str, token: TokenOf) -> Result<Role, Error> {
        let host = url.split_once("://").map_or("", |(_, rest)| {
            rest.split(['/', '?', '#']).next().unwrap_or(rest)
        });
        let bare = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => host,
        };
        let near = url.starts_with("http://") && (BESIDE.contains(&bare) || is_loopback(url));
        if host.contains('@') || !(near || (url.starts_with("https://") && !bare.is_empty())) {
            let what = "AWS_CONTAINER_CREDENTIALS_FULL_URI must begin with https://, or name the \
                        container's own host or one beside it";
            return Err(Error::new(ErrorKind::Settings, what.to_owned()));
        }
        Ok(Role {
            // The address is beside the container: no proxy knows it.
            http: Http::new(&Settings::default())?,
            url: url.to_owned(),
            token,
            known: Mutex::new(None),
        })
    }

    /// Keys that hold for some minutes at least.
    ///
    /// # Errors
    /// When there are none and none come.
    pub fn keys(&self, now: SystemTime) -> Result<Keys, Error> {
        let mut known = self.known.lock();
        let lasts = |keys: &Keys, early| {
            let end = |end: SystemTime| end.duration_since(now).is_ok_and(|left| left > early);
            keys.expires.is_some_and(end)
        };
        if let Some(keys) = known.as_ref().filter(|keys| lasts(keys, EARLY)) {
            return Ok(keys.clone());
        }
        match (self.fetch(), known.as_ref()) {
            (Ok(keys), _) => {
                *known = Some(keys.clone());
                Ok(keys)
            }
            // They still hold; the next request asks again.
            (Err(_), Some(keys)) if lasts(keys, Duration::ZERO) => Ok(keys.clone()),
            (Err(fault), _) => Err(fault),
        }
    }

    fn fetch(&self) -> Result<Keys, Error> {
        let mut headers = vec![("Accept", "application/json".to_owned())];
        if let Some(token) = (self.token)()? {
            let text = token.expose();
            if text.is_empty() || !text.bytes().all(|b| (b' '..=b'~').contains(&b)) {
                let what = "AWS_CONTAINER_AUTHORIZATION_TOKEN holds what no header can";
                return Err(Error::new(ErrorKind::Settings, what.to_owned()));
            }
            headers.push(("Authorization", text.to_owned()));
        }
        let request = Request {
            method: Method::Get,
            url: &self.url,
            headers,
            body: &[],
            deadline: Instant::now() + DEADLINE,
        };
        let answer = self.http.whole(request, CAP)?;
        if answer.status != 200 {
            return Err(no_keys(&format!("status {}", answer.status)));
        }
        let answer: Answer =
            serde_json::from_slice(&answer.body).map_err(|_| no_keys("an answer without keys"))?;
        let expires = match &answer.expiration {
            None => None,
            Some(text) => Some(
                OffsetDateTime::parse(text, &Rfc3339)
                    .map(SystemTime::from)
                    .map_err(|_| no_keys("keys that end at no time"))?,
            ),
        };
        Ok(Keys {
            id: answer.access_key_id,
            secret: Secret::new(answer.secret_access_key),
            token: answer.token.map(Secret::new),
            expires,
        })
    }
}

fn no_keys(what: &str) -> Error {
    let what = format!("no keys from the container's role: {what}; has the task a role?");
    Error::new(ErrorKind::Network, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_beside_the_container_are_asked_without_tls() {
        let made = |url| Role::new(url, Box::new(|| Ok(None)));
        for url in [
            "http://169.254.170.2/v2/credentials/x",
            "http://169.254.170.23:80/v1/credentials",
            "http://[fd00:ec2::23]/v1/credentials",
            "http://127.0.0.1:8080/x",
            "https://keys.example/x",
        ] {
            assert!(made(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "http://keys.example/x",
            "http://169.254.170.2@evil.example/",
            "http://169.254.170.2.evil.example/",
            "http://169.254.169.254/latest",
            "https://",
            "ftp://127.0.0.1/",
        ] {
            let fault = made(url).err().expect(url);
            assert_eq!(fault.kind, ErrorKind::Settings, "{url}");
        }
    }
}
