//! Where the Machines API is, and what may stand in its paths. The token goes to this address and to
//! no other.

use crate::net::{encoded, is_loopback};
use crate::recover::error::{Error, ErrorKind};

/// The public address.
const USUAL: &str = "https://api.machines.dev";
/// The longest id of a machine that is believed; they have 14 characters.
const LONGEST_ID: usize = 64;

/// An app, at its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// `https://api.machines.dev/v1/apps/shop/machines`
    machines: String,
}

impl Address {
    /// # Errors
    /// For what is no app, and for an address to which a token must not be sent.
    pub fn of(app: &str, api: Option<&str>) -> Result<Address, Error> {
        let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if app.is_empty() || app.len() > 128 || !app.bytes().all(letters) {
            return Err(settings(
                "target: the name of an app has letters, digits and `-` only",
            ));
        }
        let api = api.unwrap_or(USUAL).trim().trim_end_matches('/');
        let rest = match api.split_once("://") {
            Some(("https", rest)) => rest,
            Some(("http", rest)) if is_loopback(api) || is_private(rest) => rest,
            Some(("http", _)) => {
                return Err(settings(
                    "api: http:// is for this machine, `*.internal` and `*.flycast` only; use https://",
                ));
            }
            _ => return Err(settings("api: write https://HOST")),
        };
        let odd = |c: char| c.is_control() || c.is_whitespace() || "?#%@\\/".contains(c);
        if rest.is_empty() || rest.starts_with(':') || rest.contains(odd) {
            return Err(settings(
                "api: write https://HOST, without path, user, password, query or blanks",
            ));
        }
        Ok(Address {
            machines: format!("{api}/v1/apps/{}/machines", encoded(app, "")),
        })
    }

    /// All machines of the app.
    pub fn machines(&self) -> &str {
        &self.machines
    }

    /// One machine, with what stands behind it: `/restart?timeout=30s`, or nothing.
    ///
    /// # Errors
    /// For what is no id of a machine.
    pub fn machine(&self, id: &str, behind: &str) -> Result<String, Error> {
        if !is_id(id) {
            let shown = crate::recover::error::shown(id);
            let what =
                format!("`{shown}` is no id of a machine: they have letters and digits only");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        Ok(format!("{}/{}{behind}", self.machines, encoded(id, "")))
    }
}

/// Whether it can be the id of a machine.
pub(super) fn is_id(text: &str) -> bool {
    let letters = |b: u8| b.is_ascii_alphanumeric();
    !text.is_empty() && text.len() <= LONGEST_ID && text.bytes().all(letters)
}

/// Names that only fly's own private network resolves: there http is inside WireGuard.
fn is_private(authority: &str) -> bool {
    let host = authority.split(['/', ':', '?', '#']).next().unwrap_or("");
    let host = host.to_ascii_lowercase();
    [".internal", ".flycast"].iter().any(|end| {
        host.strip_suffix(end)
            .is_some_and(|name| !name.is_empty() && !authority.contains('@'))
    })
}

fn settings(what: &str) -> Error {
    let what = format!("[service.recover] {what}");
    Error::new(ErrorKind::Settings, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_goes_to_https_this_machine_or_the_private_network() {
        let machines = |api| Address::of("my-shop", api).map(|one| one.machines);
        assert_eq!(
            machines(None).unwrap(),
            "https://api.machines.dev/v1/apps/my-shop/machines"
        );
        for good in [
            "http://_api.internal:4280/",
            "http://shop-api.flycast",
            "http://127.0.0.1:81",
            "http://[::1]:81",
            "https://proxy.example:8443",
        ] {
            let of = machines(Some(good)).unwrap();
            assert!(of.starts_with(good.trim_end_matches('/')), "{of}");
        }
        for bad in [
            "http://api.machines.dev",
            "http://_api.internal.evil.example",
            "http://evil.example/.internal",
            "http://evil.example?.internal",
            "http://x@evil.example",
            "http://evil.example:80@_api.internal",
            "http://.internal",
            "https://me:s3cret@api.machines.dev",
            "https://api.machines.dev/v2",
            "https://a b",
            "https://",
            "https://:443",
            "ftp://a",
            "api.machines.dev",
            "",
        ] {
            let said = machines(Some(bad)).unwrap_err();
            assert_eq!(said.kind, ErrorKind::Settings, "{bad}");
            assert!(!said.what.contains("s3cret"), "{said}");
        }
    }

    #[test]
    fn apps_and_ids_are_letters_and_digits() {
        for bad in ["", "a/b", "a.b", "a b", "..", "a?b", "ü", "a%2f"] {
            assert!(Address::of(bad, None).is_err(), "{bad}");
        }
        let address = Address::of("shop", None).unwrap();
        assert!(
            address
                .machine("148ed1", "/stop")
                .unwrap()
                .ends_with("/machines/148ed1/stop")
        );
        for bad in ["", "a/b", "..", "a-b", "a?b", "ü", "a%2f", &"a".repeat(65)] {
            let said = address.machine(bad, "").unwrap_err();
            assert_eq!(said.kind, ErrorKind::Invalid, "{bad}");
        }
    }
}
