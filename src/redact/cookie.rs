//! The values in `Cookie` and `Set-Cookie`: all of them, because which of a site's cookies opens
//! a session is known to the site only. Names and attributes stay.

use crate::redact::class::Class;
use crate::redact::cursor::alnum;
use crate::redact::extent::Extent;
use crate::redact::redactor::Search;
use crate::redact::{placeholder, stand_in};

/// Attributes of `Set-Cookie`, and names whose values everybody knows.
const ATTRIBUTES: &[&str] = &[
    "path", "domain", "expires", "max-age", "samesite", "version", "priority", "comment", "size",
];

pub(super) fn at(search: &mut Search<'_>, extent: &Extent) -> usize {
    let text = search.text;
    let (mut at, to) = (extent.from, extent.to);
    let mut last = 0;
    while at < to {
        let name = text.run_to(at, 200, |b| b == b' ' || matches!(b, b'[' | b'"' | b'\''));
        let sign = text.run_to(name, 200, |b| {
            alnum(b) || matches!(b, b'-' | b'_' | b'.' | b'%' | b'$')
        });
        let end = text
            .run(sign, |b| !matches!(b, b';' | b'\n' | b'\r'))
            .min(to);
        if sign > name && text.at(sign) == b'=' && end > sign {
            let end = end
                - text
                    .bytes(sign + 1, end)
                    .iter()
                    .rev()
                    .take_while(|b| matches!(b, b' ' | b'"' | b'\'' | b']'))
                    .count();
            let attribute =
                ATTRIBUTES.contains(&text.slice(name, sign).to_ascii_lowercase().as_str());
            let from = text.run_to(sign + 1, 1, |b| b == b'"');
            let found = text.slice(from, end);
            let mine = placeholder::begins_at(text.text, from);
            if !attribute && !mine && !stand_in::stands_for_another(found) {
                search.add(from, end, Class::Cookie);
                last = end;
            }
        }
        at = end + 1;
    }
    last
}
