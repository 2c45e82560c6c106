//! String literals in lines of source, any language, and whether one of them printed a text: its
//! fixed pieces stand in the text in their order. No grammar; a line is all that is looked at.

/// Most literals of a line, and most pieces of a literal, that are looked at.
const LIMIT: usize = 16;
/// Longest placeholder, in bytes: a longer one is text in brackets.
const PLACEHOLDER: usize = 80;

/// The string literals of a line, without their quotes.
pub(super) fn literals(line: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() && found.len() < LIMIT {
        let quote = bytes[at];
        if !matches!(quote, b'"' | b'\'' | b'`') {
            at += 1;
            continue;
        }
        match close(bytes, at + 1, quote) {
            Some(end) => {
                // Both ends are ASCII quotes, so the slice is on characters' borders.
                let inside = line.get(at + 1..end).unwrap_or_default();
                if !inside.is_empty() {
                    found.push(inside);
                }
                at = end + 1;
            }
            // A lifetime, an apostrophe, or a string that goes on in the next line.
            None => {
                if quote != b'\''
                    && let Some(rest) = line.get(at + 1..).filter(|rest| !rest.is_empty())
                {
                    found.push(rest);
                    break;
                }
                at += 1;
            }
        }
    }
    found
}

fn close(bytes: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// The fixed text of a literal: what stands between its placeholders.
pub(super) fn pieces(literal: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut rest = literal;
    while let Some(first) = rest.chars().next() {
        if pieces.len() > LIMIT {
            break;
        }
        if let Some(length) = placeholder(rest) {
            rest = &rest[length..];
            pieces.push(String::new());
            continue;
        }
        let mut taken = first.len_utf8();
        let mut shown = Some(first);
        let next = rest[taken..].chars().next();
        match (first, next) {
            ('%', Some('%')) | ('{', Some('{')) | ('}', Some('}')) => taken += 1,
            ('\\', Some(escaped)) => {
                taken += escaped.len_utf8();
                shown = (!escaped.is_alphanumeric()).then_some(escaped);
            }
            _ => {}
        }
        match (shown, pieces.last_mut()) {
            (Some(c), Some(last)) => last.push(c),
            _ => pieces.push(String::new()),
        }
        rest = &rest[taken..];
    }
    pieces
        .into_iter()
        .map(|piece| piece.trim().to_owned())
        .filter(|piece| piece.chars().any(char::is_alphanumeric))
        .collect()
}

/// How many bytes of a placeholder the text begins with: `%s`, `%-5.2f`, `%(name)s`, `{}`,
/// `{name:>8}`, `${x}`, `#{x}`, `$name`, `\(x)`.
fn placeholder(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    match (bytes.first()?, bytes.get(1)) {
        (b'$' | b'#' | b'%', Some(b'{')) => bracketed(text, 1, b'{', b'}'),
        (b'\\', Some(b'(')) => bracketed(text, 1, b'(', b')'),
        (b'{', second) if second != Some(&b'{') => bracketed(text, 0, b'{', b'}'),
        (b'$', Some(c)) if c.is_ascii_alphabetic() || *c == b'_' => {
            let name = bytes[1..]
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_');
            Some(1 + name.count())
        }
        (b'%', Some(b'(')) => bracketed(text, 1, b'(', b')').map(|length| {
            let letter = bytes.get(length).is_some_and(u8::is_ascii_alphabetic);
            length + usize::from(letter)
        }),
        (b'%', Some(_)) => {
            let flags = bytes[1..]
                .iter()
                .take_while(|b| b.is_ascii_digit() || b"-+#.* ".contains(b) && **b != b' ')
                .take(12)
                .count();
            let sizes = bytes[1 + flags..]
                .iter()
                .take_while(|b| matches!(b, b'l' | b'h' | b'z'))
                .take(2)
                .count();
            let at = 1 + flags + sizes;
            let end = bytes.get(at)?;
            b"sdiuoxXfFeEgGcrapvqwTtbn".contains(end).then_some(at + 1)
        }
        _ => None,
    }
}

fn bracketed(text: &str, from: usize, open: u8, end: u8) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate().skip(from).take(PLACEHOLDER) {
        if byte == open {
            depth += 1;
        } else if byte == end {
            depth -= 1;
            if depth == 0 {
                return Some(at + 1);
            }
        }
    }
    None
}

/// How many letters and digits of `text` the pieces account for, where they stand in it in their
/// order, each as whole words.
pub(super) fn accounts_for(pieces: &[String], text: &str) -> Option<usize> {
    let mut rest = text;
    let mut letters = 0;
    for piece in pieces {
        let at = find_whole(rest, piece)?;
        rest = &rest[at + piece.len()..];
        letters += piece.chars().filter(|c| c.is_alphanumeric()).count();
    }
    (letters > 0).then_some(letters)
}

fn find_whole(text: &str, piece: &str) -> Option<usize> {
    let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let begins = letter(piece.chars().next());
    let ends = letter(piece.chars().next_back());
    text.match_indices(piece)
        .take(64)
        .map(|(at, _)| at)
        .find(|at| {
            let before = text[..*at].chars().next_back();
            let after = text[*at + piece.len()..].chars().next();
            !(begins && letter(before) || ends && letter(after))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(line: &str) -> Vec<String> {
        literals(line).into_iter().flat_map(pieces).collect()
    }

    #[test]
    fn placeholders_of_all_languages_are_cut_out() {
        for (line, expected) in [
            (
                r#"log.error("coupon %s of %05.2f expired", c, x)"#,
                vec!["coupon", "of", "expired"],
            ),
            (
                r#"raise Gone(f"coupon {c.code!r} expired, {n:>3} left")"#,
                vec!["coupon", "expired,", "left"],
            ),
            (
                "throw new Error(`no price for ${item.name}`)",
                vec!["no price for"],
            ),
            (
                r##"raise "no price for #{item.name} here""##,
                vec!["no price for", "here"],
            ),
            (r#"die "no price for $item";"#, vec!["no price for"]),
            (
                r#"logger.error("no price for {} in {}", a, b);"#,
                vec!["no price for", "in"],
            ),
            (
                r#"logging.error("took %(seconds)ds for %(name)s", d)"#,
                vec!["took", "s for"],
            ),
            (r#"fmt.Errorf("load %q: %w", p, err)"#, vec!["load"]),
            (
                r#"throw new E("no price for " + item + " in stock")"#,
                vec!["no price for", "in stock"],
            ),
            (
                r#"print("100%% \"sure\" {{x}}\n")"#,
                vec!["100% \"sure\" {x}"],
            ),
            ("fn f<'a>(x: &'a str) -> u8 {", vec!["a>(x: &"]),
            ("it is 50% off", vec![]),
        ] {
            assert_eq!(all(line), expected, "{line}");
        }
    }

    #[test]
    fn pieces_stand_in_their_order_and_as_words() {
        let pieces = pieces("coupon {} of {} expired");
        assert_eq!(accounts_for(&pieces, "coupon A-1 of 7 expired"), Some(15));
        assert_eq!(accounts_for(&pieces, "expired: coupon A-1 of 7"), None);
        assert_eq!(accounts_for(&pieces, "coupons A-1 of 7 expired"), None);
        assert_eq!(accounts_for(&[], "coupon"), None);
    }

    #[test]
    fn odd_texts_are_read_to_their_end() {
        for line in [
            "\"", "'\\", "\"é\\", "`${", "\"%", "\"%(", "\"{{{{", "'ü'é'",
        ] {
            let _ = all(line);
        }
        assert_eq!(all("\"goes on"), ["goes on"]);
    }
}
