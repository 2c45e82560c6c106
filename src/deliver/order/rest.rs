//! What has no room in the body: comments, a bounded number of them, and a count of what has no
//! room there either.

use super::words::block;
use super::{COMMENTS, LIMIT};
use crate::deliver::markdown::{prose, size};

/// Room of a page that a heading needs at least beside it.
const LEAST: usize = 2_500;
/// What one page is filled to.
const FULL: usize = LIMIT - 1_000;

/// Something left over, redacted.
pub(super) enum Left {
    Lines(Vec<String>),
    Prose(String),
}

/// All that is left over, in order, with what it is.
#[derive(Default)]
pub(super) struct Rest {
    parts: Vec<(&'static str, Left)>,
}

/// The comments, and what none of them holds.
pub(super) struct Pages {
    pub(super) texts: Vec<String>,
    pub(super) lines: usize,
    pub(super) characters: usize,
}

impl Rest {
    pub(super) fn lines(&mut self, what: &'static str, lines: Vec<String>) {
        if !lines.is_empty() {
            self.parts.push((what, Left::Lines(lines)));
        }
    }

    pub(super) fn prose(&mut self, what: &'static str, text: String) {
        if !text.is_empty() {
            self.parts.push((what, Left::Prose(text)));
        }
    }

    /// `head`: the first line of each comment, before the number of its part.
    pub(super) fn pages(self, head: &str) -> Pages {
        let mut pages = Pages {
            texts: Vec::new(),
            lines: 0,
            characters: 0,
        };
        for (what, left) in self.parts {
            match left {
                Left::Lines(lines) => pages.put_lines(head, what, &lines),
                Left::Prose(text) => pages.put_prose(head, what, &text),
            }
        }
        pages
    }
}

impl Pages {
    fn put_lines(&mut self, head: &str, what: &str, mut lines: &[String]) {
        while !lines.is_empty() {
            let Some((page, room)) = self.page(head, what) else {
                self.lines += lines.len();
                return;
            };
            let (text, count) = block(lines, room);
            page.push_str(&text);
            // A page has room for the longest line, so this is never 0.
            lines = lines.get(count.max(1)..).unwrap_or_default();
        }
    }

    fn put_prose(&mut self, head: &str, what: &str, mut text: &str) {
        while !text.is_empty() {
            let Some((page, room)) = self.page(head, what) else {
                self.characters += text.chars().count();
                return;
            };
            let (shown, left) = prose(text, room);
            page.push_str("… ");
            page.push_str(&shown);
            page.push('\n');
            if left.len() == text.len() {
                self.characters += text.chars().count();
                return;
            }
            text = left;
        }
    }

    /// The page that is written on, with a heading, and the room on it; `None` once all are full.
    fn page(&mut self, head: &str, what: &str) -> Option<(&mut String, usize)> {
        let full = self
            .texts
            .last()
            .is_none_or(|page| size(page) + LEAST > FULL);
        if full {
            if self.texts.len() == COMMENTS {
                return None;
            }
            let part = self.texts.len() + 1;
            self.texts.push(format!("{head}, part {part}.\n"));
        }
        let page = self.texts.last_mut()?;
        page.push_str(&format!("\n## {what}\n\n"));
        let room = FULL.saturating_sub(size(page));
        Some((page, room))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_at_all_is_counted() {
        let mut rest = Rest::default();
        let line = "😀".repeat(900);
        rest.lines("The log", vec![line.clone(); 100]);
        rest.prose("The cause", "word ".repeat(100_000));
        let pages = rest.pages("More");
        assert_eq!(pages.texts.len(), COMMENTS);
        assert!(pages.texts.iter().all(|page| size(page) <= LIMIT));
        let shown: usize = pages
            .texts
            .iter()
            .map(|page| page.matches(&line).count())
            .sum();
        assert_eq!(shown + pages.lines, 100);
        let words: usize = pages
            .texts
            .iter()
            .map(|page| page.matches("word").count())
            .sum();
        assert_eq!(words * 5 + pages.characters + 1, 500_000);
    }

    #[test]
    fn a_line_of_ticks_has_room_on_a_page() {
        let mut rest = Rest::default();
        rest.lines("The log", vec!["`".repeat(900); 3]);
        rest.prose("Words", String::new());
        let pages = rest.pages("More");
        assert_eq!((pages.texts.len(), pages.lines), (1, 0));
        assert_eq!(pages.texts[0].matches("## ").count(), 1);
    }
}
