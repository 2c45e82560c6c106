//! How far away a server is, and whether text may go there: decided by its address alone, nothing
//! is looked up.

use crate::config::value::{self, Wrong};
use crate::registry::service::Egress;
use std::net::IpAddr;

/// How far away a server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// This host.
    Loopback,
    /// A private address, or a name that only an own network knows.
    Own,
    Elsewhere,
}

/// How far away the server of this address is. A name is taken at its word: `localhost`, a name
/// without a dot, or one under `.local`, `.internal`, `.lan` or `.svc`.
pub fn reach(url: &str) -> Reach {
    let host = host(url).to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return match address {
            _ if address.is_loopback() => Reach::Loopback,
            IpAddr::V4(v4) if v4.is_private() || v4.is_link_local() => Reach::Own,
            IpAddr::V6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() => Reach::Own,
            IpAddr::V4(_) | IpAddr::V6(_) => Reach::Elsewhere,
        };
    }
    let ends = [".local", ".internal", ".lan", ".svc"];
    match host.as_str() {
        "localhost" => Reach::Loopback,
        own if !own.contains('.') || ends.iter().any(|end| own.ends_with(end)) => Reach::Own,
        _ => Reach::Elsewhere,
    }
}

/// Whether text may go so far.
pub const fn allows(egress: Egress, reach: Reach) -> bool {
    match (egress, reach) {
        (Egress::None, _) => false,
        (Egress::Local, Reach::Loopback | Reach::Own) => true,
        (Egress::Local, Reach::Elsewhere) => false,
        (Egress::Cloud, _) => true,
    }
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Some(v6) = authority.strip_prefix('[') {
        return v6.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

/// An `http://` or `https://` address; plain http only within the own network.
pub fn url(text: &str) -> Result<String, Wrong> {
    let text = text.trim().trim_end_matches('/');
    let wrong = |what: &str, remedy: &str| Err((what.to_owned(), remedy.to_owned()));
    let Some((scheme, rest)) = text.split_once("://") else {
        return wrong(
            "this is no address",
            "write http://127.0.0.1:11434 or https://HOST",
        );
    };
    if rest.contains('@') {
        return wrong(
            "an address with a name or password in it",
            "take it out, and name a key by its variable or file",
        );
    }
    if host(text).is_empty() || text.contains(char::is_whitespace) {
        return wrong(
            "this is no address",
            "write http://127.0.0.1:11434 or https://HOST",
        );
    }
    match (scheme, reach(text)) {
        ("https", _) | ("http", Reach::Loopback | Reach::Own) => Ok(text.to_owned()),
        ("http", Reach::Elsewhere) => wrong(
            "text of the log would go over the network in the open",
            "write https://, or a host of your own network",
        ),
        _ => wrong(
            "only http:// and https:// can be spoken",
            "write https://HOST",
        ),
    }
}

pub fn egress(text: &str) -> Result<Egress, Wrong> {
    let words = [
        ("none", Egress::None),
        ("local", Egress::Local),
        ("cloud", Egress::Cloud),
    ];
    value::word(text, &words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_far_an_address_is() {
        for (url, far) in [
            ("http://127.0.0.1:11434", Reach::Loopback),
            ("http://[::1]:8080/v1", Reach::Loopback),
            ("http://LOCALHOST", Reach::Loopback),
            ("http://10.1.2.3:8000", Reach::Own),
            ("http://ollama:11434", Reach::Own),
            ("http://ollama.ai.svc:11434", Reach::Own),
            ("http://[fd00::1]", Reach::Own),
            ("https://api.example.com/v1", Reach::Elsewhere),
            ("http://8.8.8.8", Reach::Elsewhere),
            ("http://127.0.0.1.evil.example", Reach::Elsewhere),
        ] {
            assert_eq!(reach(url), far, "{url}");
        }
    }

    #[test]
    fn text_goes_no_further_than_it_may() {
        use Egress::{Cloud, Local, None};
        for (egress, far, may) in [
            (None, Reach::Loopback, false),
            (Local, Reach::Loopback, true),
            (Local, Reach::Own, true),
            (Local, Reach::Elsewhere, false),
            (Cloud, Reach::Elsewhere, true),
        ] {
            assert_eq!(allows(egress, far), may, "{egress:?} {far:?}");
        }
    }

    #[test]
    fn addresses_that_would_leak_are_refused() {
        assert_eq!(url("http://127.0.0.1:1/ ").unwrap(), "http://127.0.0.1:1");
        assert_eq!(
            url("https://a.example/v1/").unwrap(),
            "https://a.example/v1"
        );
        for bad in [
            "127.0.0.1:11434",
            "http://a.example/v1",
            "https://user:pass@a.example",
            "ftp://localhost",
            "http://",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }
}
