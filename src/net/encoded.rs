//! Percent-encoding for the parts of a URL (RFC 3986).

use std::fmt::Write;

/// Every byte as `%XX` but the unreserved characters (letters, digits, `-._~`) and those of `also`.
pub fn encoded(text: &str, also: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let stays = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if stays || also.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_but_unreserved_characters_and_those_named_are_encoded() {
        assert_eq!(encoded("a-._~9 /:%ü", ""), "a-._~9%20%2F%3A%25%C3%BC");
        assert_eq!(encoded("a /:", "/:"), "a%20/:");
        // Only ASCII can be named.
        assert_eq!(encoded("ü", "/"), "%C3%BC");
    }
}
