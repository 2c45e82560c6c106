//! Keeps a name from leading to where only an address may: to this machine, or to the link, where
//! clouds hand out the keys of a machine's role. It looks at the very addresses that are connected
//! to, so a name that answers differently the second time gains nothing. An address that stands in
//! the URL itself, and `localhost`, were written by whoever set it, and are let through. What lies
//! behind a proxy is the proxy's to judge.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// A resolver that refuses names of this machine and the link.
#[derive(Debug, Default)]
pub(super) struct Guard<R>(pub(super) R);

/// A name that was refused.
#[derive(Debug)]
pub(super) struct Refused {
    name: String,
    address: IpAddr,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the name {} leads to {}, an address of this machine or its link; where that is meant, \
             write the address in place of the name",
            self.name.escape_debug(),
            self.address
        )
    }
}

impl std::error::Error for Refused {}

impl<R: Resolver> Resolver for Guard<R> {
    fn resolve(
        &self,
        uri: &ureq::http::Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.0.resolve(uri, config, timeout)?;
        let host = uri.host().unwrap_or_default();
        if is_written(host) {
            return Ok(found);
        }
        match found.iter().map(|socket| socket.ip()).find(is_near) {
            None => Ok(found),
            Some(address) => Err(ureq::Error::Other(Box::new(Refused {
                name: host.to_owned(),
                address,
            }))),
        }
    }
}

/// Whether a URL's host says by itself where it leads.
fn is_written(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>().is_ok() || bare.eq_ignore_ascii_case("localhost")
}

/// Of this machine (`0.0.0.0` leads there too) or of its link, written in either way.
fn is_near(address: &IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(four) => four.is_loopback() || four.is_link_local() || four.is_unspecified(),
        IpAddr::V6(six) => {
            let embedded = six.to_ipv4().is_some_and(|four| is_near(&IpAddr::V4(four)));
            six.is_loopback() || is_link_local(six) || six.is_unspecified() || embedded
        }
    }
}

fn is_link_local(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    /// Answers every name with these addresses.
    #[derive(Debug)]
    struct Fixed(Vec<IpAddr>);

    impl Resolver for Fixed {
        fn resolve(
            &self,
            _: &ureq::http::Uri,
            _: &ureq::config::Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            for address in &self.0 {
                found.push(SocketAddr::new(*address, 9));
            }
            Ok(found)
        }
    }

    fn resolve(url: &str, addresses: &[&str]) -> Result<usize, crate::net::Error> {
        let addresses = addresses.iter().map(|a| a.parse().unwrap()).collect();
        let timeout = NextTimeout {
            after: ureq::unversioned::transport::time::Duration::NotHappening,
            reason: ureq::Timeout::Global,
            ..NextTimeout::default()
        };
        Guard(Fixed(addresses))
            .resolve(
                &url.parse().unwrap(),
                &ureq::config::Config::default(),
                timeout,
            )
            .map(|found| found.len())
            .map_err(crate::net::Error::from)
    }

    #[test]
    fn a_name_does_not_lead_to_this_machine_or_its_link() {
        for near in [
            "127.0.0.1",
            "127.9.9.9",
            "0.0.0.0",
            "169.254.169.254",
            "::1",
            "::",
            "fe80::1",
            "febf::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.0.1",
            "::127.0.0.1",
        ] {
            let refused = resolve("https://git.example/x", &[near]).unwrap_err();
            assert_eq!(
                refused.kind,
                crate::net::ErrorKind::Settings,
                "{near} {refused}"
            );
            assert!(refused.to_string().contains("git.example"), "{refused}");
            // One among good ones is as bad: the caller might be sent to any.
            assert!(resolve("https://git.example/", &["192.0.2.1", near]).is_err());
        }
    }

    #[test]
    fn other_addresses_and_those_that_were_written_are_let_through() {
        for far in ["192.0.2.1", "10.0.0.1", "fd00::1", "2001:db8::1", "fec0::1"] {
            assert_eq!(resolve("https://git.example/x", &[far]).unwrap(), 1);
        }
        for (url, address) in [
            ("http://127.0.0.1:80/", "127.0.0.1"),
            ("http://[::1]:80/", "::1"),
            ("http://169.254.170.2/v2", "169.254.170.2"),
            ("http://LocalHost:9/", "127.0.0.1"),
        ] {
            assert_eq!(resolve(url, &[address]).unwrap(), 1, "{url}");
        }
        assert!(resolve("http://localhost.evil.example/", &["127.0.0.1"]).is_err());
    }
}
