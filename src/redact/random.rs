//! Whether a value looks as if a machine had drawn it. Not here: whether its place makes it
//! secret.

/// Distinct bytes and classes of them; about what its bytes tell.
struct Look {
    upper: usize,
    lower: usize,
    digits: usize,
    other: usize,
    distinct: u32,
}

fn look(value: &str) -> Look {
    let mut seen = [false; 256];
    let mut look = Look {
        upper: 0,
        lower: 0,
        digits: 0,
        other: 0,
        distinct: 0,
    };
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' => look.upper += 1,
            b'a'..=b'z' => look.lower += 1,
            b'0'..=b'9' => look.digits += 1,
            _ => look.other += 1,
        }
        if let Some(seen) = seen.get_mut(usize::from(byte)) {
            look.distinct += u32::from(!*seen);
            *seen = true;
        }
    }
    look
}

/// Letters and digits without a word in them: a key or token, if its place says so. Digests and
/// UUIDs are drawn too, but are no secrets where nothing calls them so.
pub(super) fn drawn(value: &str) -> bool {
    let look = look(value);
    let ok = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-' | b'.' | b'~')
    };
    value.len() >= 16
        && value.bytes().all(ok)
        && look.digits >= 2
        && look.upper + look.lower >= 4
        && look.distinct >= 9
        && !wordy(value)
}

/// The same, and in both cases of letters: not a digest, a UUID or an id in lower case.
pub(super) fn mixed(value: &str) -> bool {
    let look = look(value);
    value.len() >= 20 && look.upper >= 2 && look.lower >= 2 && drawn(value) && switches(value) >= 5
}

pub(super) fn is_hex(value: &str) -> bool {
    value.len() >= 7 && value.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn is_uuid(value: &str) -> bool {
    let groups: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups
            .iter()
            .all(|g| g.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// How often one kind of byte follows another: words do so seldom.
fn switches(value: &str) -> usize {
    let kind = |b: &u8| match b {
        b'A'..=b'Z' => 0,
        b'a'..=b'z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let bytes = value.as_bytes();
    bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .filter(|(a, b)| kind(a) != kind(b))
        .count()
}

/// Parts between separators that are words or numbers, such as `user-service-v2`.
pub(super) fn wordy(value: &str) -> bool {
    let parts: Vec<&str> = value
        .split(['-', '_', '.', '/'])
        .filter(|p| !p.is_empty())
        .collect();
    let plain = |part: &&str| {
        let letters = part.bytes().all(|b| b.is_ascii_alphabetic());
        let digits = part.bytes().all(|b| b.is_ascii_digit());
        (letters && part.len() <= 12 || digits && part.len() <= 10) || part.len() <= 3
    };
    parts.len() >= 2 && parts.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_told_from_names() {
        let drawn_ones = [
            "q8Zr3LtV0xWm5KpB7nYc",
            "9f86d081884c7d659a2feaa0c55ad015",
            "a81bc81b-dead-4e5d-abff-90865d1e13b1",
        ];
        assert!(drawn_ones.iter().all(|value| drawn(value)));
        let names = [
            "user-service-v2-prod-0001",
            "com.acme.shop.Checkout2",
            "aaaaaaaaaaaaaaaa11",
            "/var/lib/app/key.pem",
        ];
        for name in names {
            assert!(!drawn(name), "{name}");
        }
        assert!(mixed("q8Zr3LtV0xWm5KpB7nYc") && !mixed("9f86d081884c7d659a2feaa0c55ad015"));
        assert!(is_uuid("a81bc81b-dead-4e5d-abff-90865d1e13b1") && is_hex("3f2c1ab"));
    }
}
