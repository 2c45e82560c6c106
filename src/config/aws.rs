//! Where keys for Amazon's services come from, by the variables that its own clients read: keys
//! that stand there themselves, or the address that hands out those of a container's role. Not
//! here: the asking, and the signing.

use crate::config::environment;
use crate::config::files::read_text;
use crate::net::aws::{Keys, Provider, Role};
use crate::net::{Error, ErrorKind, Secret};
use std::path::Path;
use std::time::SystemTime;

/// Longest file with a token, in bytes.
const TOKEN_LIMIT: u64 = 16 << 10;
/// Where a relative address is of.
const BESIDE: &str = "http://169.254.170.2";

/// A variable's value, where it is set.
type Look = fn(&str) -> Option<String>;

/// Keys as the environment has them, read anew each time they are needed.
///
/// # Errors
/// When no variable leads to any, or one cannot be what it should.
pub fn provider() -> Result<Provider, Error> {
    provider_of(environment::variable)
}

/// The region that the environment names.
pub fn region() -> Option<String> {
    let names = ["AWS_REGION", "AWS_DEFAULT_REGION"];
    names.into_iter().find_map(environment::variable)
}

fn provider_of(look: Look) -> Result<Provider, Error> {
    if look("AWS_ACCESS_KEY_ID").is_some() {
        own(look)?;
        return Ok(Box::new(move || own(look)));
    }
    let relative = look("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let url = match relative {
        Some(path) if path.starts_with('/') => format!("{BESIDE}{path}"),
        Some(_) => {
            let what = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI does not begin with /";
            return Err(settings(what));
        }
        None => look("AWS_CONTAINER_CREDENTIALS_FULL_URI").ok_or_else(|| {
            settings(
                "no keys for AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the \
                 task a role, which sets AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI",
            )
        })?,
    };
    let role = Role::new(&url, Box::new(move || token(look)))?;
    Ok(Box::new(move || role.keys(SystemTime::now())))
}

fn own(look: Look) -> Result<Keys, Error> {
    let (Some(id), Some(secret)) = (look("AWS_ACCESS_KEY_ID"), look("AWS_SECRET_ACCESS_KEY"))
    else {
        let what = "of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY one is set without the other";
        return Err(settings(what));
    };
    Ok(Keys {
        id,
        secret: Secret::new(secret),
        token: look("AWS_SESSION_TOKEN").map(Secret::new),
        expires: None,
    })
}

/// The file's content is changed from time to time.
fn token(look: Look) -> Result<Option<Secret>, Error> {
    let Some(path) = look("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") else {
        return Ok(look("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(Secret::new));
    };
    let text = read_text(Path::new(&path), TOKEN_LIMIT).map_err(|_| {
        settings("the file that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names cannot be read")
    })?;
    Ok(Some(Secret::new(text.trim().to_owned())))
}

fn settings(what: &str) -> Error {
    Error::new(ErrorKind::Settings, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(look: Look) -> String {
        let fault = provider_of(look).err().unwrap();
        assert_eq!(fault.kind, ErrorKind::Settings);
        fault.to_string()
    }

    #[test]
    fn keys_that_stand_there_come_before_a_role() {
        let provider = provider_of(|name| match name {
            "AWS_ACCESS_KEY_ID" => Some("AK".to_owned()),
            "AWS_SECRET_ACCESS_KEY" => Some("s3cret".to_owned()),
            "AWS_SESSION_TOKEN" => Some("t0ken".to_owned()),
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI" => Some("/x".to_owned()),
            _ => None,
        })
        .unwrap();
        let keys = provider().unwrap();
        assert_eq!((keys.id.as_str(), keys.secret.expose()), ("AK", "s3cret"));
        assert_eq!(keys.token.unwrap().expose(), "t0ken");
        assert_eq!(keys.expires, None);
    }

    #[test]
    fn what_leads_to_no_keys_is_told() {
        assert!(fault(|_| None).contains("AWS_ACCESS_KEY_ID"));
        let half = |name: &str| (name == "AWS_ACCESS_KEY_ID").then(|| "AK".to_owned());
        assert!(fault(half).contains("one is set without the other"));
        let odd = |name: &str| {
            let relative = name == "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
            relative.then(|| "@evil.example/x".to_owned())
        };
        assert!(fault(odd).contains("does not begin with /"));
        let far = |name: &str| {
            let full = name == "AWS_CONTAINER_CREDENTIALS_FULL_URI";
            full.then(|| "http://evil.example/x".to_owned())
        };
        assert!(fault(far).contains("https://"));
    }
}
