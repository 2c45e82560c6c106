//! The statement around a line: a call that runs over several lines is one place to a reader,
//! while a trace names only one of its lines.

use std::ops::RangeInclusive;

/// Longest statement; beyond it the line stands alone.
const LIMIT: u32 = 15;

/// The lines of the statement that a line belongs to, within the function `inside`.
pub fn statement(lines: &[&str], line: u32, inside: &RangeInclusive<u32>) -> RangeInclusive<u32> {
    let alone = line..=line;
    let (mut first, mut depth) = (*inside.start(), 0i32);
    let mut at = *inside.start();
    while at <= line.saturating_add(LIMIT) && at <= *inside.end() {
        let Some(text) = lines.get(at as usize - 1) else {
            break;
        };
        if depth <= 0 {
            if at > line {
                return between(first, at - 1, alone);
            }
            (first, depth) = (at, 0);
        }
        depth += balance(text);
        // The body of a callback is made of statements of its own.
        if opens_block(text) {
            depth = 0;
        }
        at += 1;
    }
    if depth <= 0 {
        between(first, at - 1, alone)
    } else {
        alone
    }
}

fn between(first: u32, last: u32, alone: RangeInclusive<u32>) -> RangeInclusive<u32> {
    let line = *alone.start();
    if first <= line && line <= last && last - first < LIMIT {
        first..=last
    } else {
        alone
    }
}

fn opens_block(text: &str) -> bool {
    let text = text.trim_end();
    text.ends_with('{')
        || text.ends_with(':')
        || text.ends_with("=>")
        || text.trim_start().starts_with('}')
}

/// Round and square brackets opened less closed, outside quotes and comments.
fn balance(text: &str) -> i32 {
    let mut depth = 0;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(_), '\\') => {
                chars.next();
            }
            (Some(open), c) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '`') => quote = Some(c),
            // A Rust lifetime or an English apostrophe is no quotation.
            (None, '\'') if text.matches('\'').count().is_multiple_of(2) => quote = Some(c),
            (None, '#') => break,
            (None, '/') if chars.peek() == Some(&'/') => break,
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth -= 1,
            _ => {}
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_over_several_lines_is_one_statement() {
        let text =
            "def f(a):\n    x = 1\n    return g(\n        a,\n        \"(\",\n    )\n    y = 2\n";
        let lines: Vec<&str> = text.lines().collect();
        for (line, range) in [(2, 2..=2), (3, 3..=6), (5, 3..=6), (7, 7..=7)] {
            assert_eq!(statement(&lines, line, &(1..=7)), range, "{line}");
        }
    }

    #[test]
    fn a_callback_is_not_one_statement() {
        let text =
            "app.get('/', (req, res) => {\n  const a = req.a;\n  res.send(\n    a.b);\n});\n";
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(statement(&lines, 2, &(1..=5)), 2..=2);
        assert_eq!(statement(&lines, 4, &(1..=5)), 3..=4);
    }
}
