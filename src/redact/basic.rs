//! Base64, read as far as it takes to see `user:password` in it.

/// Whether it is base64 of a text with a colon in it, as HTTP's `Basic` has it.
pub(super) fn is_credentials(value: &str) -> bool {
    let mut bits = 0_u32;
    let (mut held, mut colon, mut count) = (0, false, 0);
    for byte in value.bytes().take(400) {
        let Some(six) = six(byte) else {
            if byte == b'=' {
                break;
            }
            return false;
        };
        bits = (bits << 6 | six) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            let byte = (bits >> held) & 0xff;
            if byte < 0x20 || byte == 0x7f {
                return false;
            }
            colon |= byte == u32::from(b':');
            count += 1;
        }
    }
    colon && count >= 3
}

fn six(byte: u8) -> Option<u32> {
    let six = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    };
    Some(u32::from(six))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_seen() {
        assert!(is_credentials("YWxpY2U6aHVudGVyMg=="));
        for other in ["authentication", "YWxpY2U=", "a:b", "", "realm"] {
            assert!(!is_credentials(other), "{other}");
        }
    }
}
