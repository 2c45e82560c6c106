//! The end of what tests printed, as text that does nothing to a terminal or a report. What it
//! says is not judged.

use crate::patch::gate::characters::is_hidden;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes of output that are kept of each run: the end, where test runners say what failed.
const KEPT: u64 = 16 << 10;

/// The end of a file, cleaned.
pub(super) fn tail(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let skipped = length.saturating_sub(KEPT);
    file.seek(SeekFrom::Start(skipped))?;
    let mut bytes = Vec::new();
    file.take(KEPT).read_to_end(&mut bytes)?;
    // A line of which only the end is there says little; one line alone is kept as it is.
    let whole = match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if skipped > 0 && at + 1 < bytes.len() => &bytes[at + 1..],
        _ => &bytes[..],
    };
    let cleaned = clean(&String::from_utf8_lossy(whole));
    Ok(match skipped {
        0 => cleaned,
        _ => format!("[… {skipped} bytes before this]\n{cleaned}"),
    })
}

/// Leaves letters, line ends and tabs: no colours, no cursor movements, nothing invisible.
fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' | '\t' => out.push(c),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push('\n'),
            '\u{1b}' if chars.next_if_eq(&'[').is_some() => {
                // Parameters, then one final character.
                while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                chars.next_if(|c| matches!(c, '@'..='~'));
            }
            '\u{1b}' if chars.next_if_eq(&']').is_some() => {
                // A title or a link goes up to its end, at most to the end of the line.
                while chars
                    .next_if(|c| !matches!(c, '\u{7}' | '\u{1b}' | '\n'))
                    .is_some()
                {}
            }
            c if is_hidden(c) => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_that_moves_a_cursor_or_hides() {
        let text = "\u{1b}[1;31mFAIL\u{1b}[0m a\tb\r\n50%\r100%\u{8}\u{1b}]0;title\u{7}x\u{202e}y\u{200b}z\0";
        assert_eq!(clean(text), "FAIL a\tb\n50%\n100%xyz");
    }

    #[test]
    fn the_end_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let mut text = "0123456789\n".repeat(5_000);
        text.push_str("the end\n");
        std::fs::write(&path, &text).unwrap();
        let kept = tail(&path).unwrap();
        assert!(kept.starts_with("[… ") && kept.ends_with("the end\n"));
        assert!(kept.len() < KEPT as usize + 100);
        assert_eq!(kept.lines().nth(1), Some("0123456789"));
    }
}
