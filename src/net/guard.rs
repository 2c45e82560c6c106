//! Where a name may lead. An address that stands in a URL was written by whoever configured it; a
//! name that leads to this machine or to the link (where clouds keep their metadata) was turned
//! there by somebody else, and is refused. What is looked at here is what is connected to.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// The system's resolver, with an eye on what it says.
#[derive(Default)]
pub(super) struct Guarded(DefaultResolver);

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guarded")
    }
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = self.0.resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        match refused(host, found.iter()) {
            None => Ok(found),
            Some(address) => {
                let what = format!(
                    "{host} leads to {address}, an address of this machine or its link; name the address \
                     itself where that is meant"
                );
                Err(Error::Io(std::io::Error::other(what)))
            }
        }
    }
}

/// The first address that a host's name must not lead to.
fn refused<'a>(host: &str, found: impl Iterator<Item = &'a SocketAddr>) -> Option<IpAddr> {
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    if literal.parse::<IpAddr>().is_ok() || host.eq_ignore_ascii_case("localhost") {
        return None;
    }
    found.map(SocketAddr::ip).find(is_own)
}

/// Loopback, link-local and unspecified, in either version and mapped.
fn is_own(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_own(&IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unspecified() || is_link_local(v6),
        },
    }
}

fn is_link_local(address: &Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(host: &str, address: &str) -> bool {
        let address = SocketAddr::new(address.parse().unwrap(), 443);
        refused(host, [address].iter()).is_none()
    }

    #[test]
    fn names_do_not_lead_to_this_machine() {
        for own in [
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "0.0.0.0",
            "::1",
            "::",
            "fe80::1",
            "::ffff:169.254.169.254",
        ] {
            assert!(!verdict("git.example", own), "{own}");
            assert!(!verdict("127.0.0.1.git.example", own), "{own}");
            assert!(verdict(own, own), "{own} was written down");
        }
        assert!(verdict("localhost", "127.0.0.1"));
        assert!(verdict("[::1]", "::1"));
        for other in ["10.0.0.1", "140.82.121.4", "fd00::1", "2606:50c0::1"] {
            assert!(verdict("git.example", other), "{other}");
        }
    }
}
