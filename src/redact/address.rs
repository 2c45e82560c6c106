//! IP addresses, where a service asks for it: those that the whole world routes to. Addresses of
//! one's own network, of the machine itself and masks stay.

use crate::redact::class::Class;
use crate::redact::cursor::{alnum, digit, hex};
use crate::redact::redactor::Search;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Four numbers that begin there. Says where they end.
pub(super) fn v4_at(search: &mut Search<'_>, from: usize) -> Option<usize> {
    let text = search.text;
    let end = text.run_to(from, 16, |b| digit(b) || b == b'.');
    let found = text.slice(from, end).trim_end_matches('.');
    let address: Ipv4Addr = found.parse().ok()?;
    let end = from + found.len();
    let before = text.before(from);
    // `v1.2.3.4`, `1.2.3.4-5`, `1.2.3.4.5` and `1.2.3.4/usr` are versions.
    let version = alnum(before)
        || matches!(before, b'.' | b'_')
        || alnum(text.at(end))
        || text.at(end) == b'.' && digit(text.at(end + 1))
        || text.context(from, 12).contains("version");
    if !version && is_public_v4(address) {
        search.add(from, end, Class::Ip);
    }
    Some(end)
}

/// Groups of hex digits with colons, found by a colon behind a digit or letter.
pub(super) fn v6_at(search: &mut Search<'_>, colon: usize) {
    let text = search.text;
    let in_address = |b: u8| hex(b) || matches!(b, b':' | b'.');
    let start = text.back(colon, 40, in_address);
    let end = text.run_to(colon, 46, in_address);
    let found = text.slice(start, end).trim_end_matches(['.']);
    let found = found
        .strip_suffix(':')
        .filter(|rest| !rest.ends_with(':'))
        .unwrap_or(found);
    let apart = !alnum(text.before(start)) && !alnum(text.at(start + found.len()));
    let groups = found.split(':').filter(|group| !group.is_empty()).count();
    if let Ok(address) = found.parse::<Ipv6Addr>()
        && apart
        && groups >= 3
        && is_public(IpAddr::V6(address))
    {
        search.add(start, start + found.len(), Class::Ip);
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => {
            let first = v6.segments().first().copied().unwrap_or(0);
            v6.to_ipv4_mapped()
                .map_or(first & 0xe000 == 0x2000, is_public_v4)
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    let own = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || a == 0
        || a >= 224;
    let carrier = a == 100 && (64..128).contains(&b);
    !own && !carrier
}
