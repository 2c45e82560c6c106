//! Whether new text is what it looks like: nothing invisible, nothing that turns the direction,
//! no letters that only look like others, no code beyond the edge of the page.

use super::case::{Case, Touched};
use super::location::{has_mixed_scripts, looks_latin};
use super::{Seen, quoted};
use crate::patch::code::tokens::{Code, Token, is_of_word};
use std::collections::{HashMap, HashSet};
use unicode_normalization::UnicodeNormalization;

/// So many blanks within a line push what follows out of sight.
const BLANKS: usize = 60;

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    for file in &case.files {
        hidden(file, &mut seen);
        lookalikes(file, &mut seen);
        far_right(file, &mut seen);
        escaped_code(file, &mut seen);
    }
    seen.says("all that is new is seen as it is written")
}

/// Signs that are not seen, or that change how others are seen.
fn hidden(file: &Touched, seen: &mut Seen) {
    let count = |text: &str| {
        let mut counts: HashMap<char, usize> = HashMap::new();
        for c in text
            .chars()
            .filter(|c| !c.is_ascii_graphic() && is_hidden(*c))
        {
            *counts.entry(c).or_default() += 1;
        }
        counts
    };
    let before = count(file.text_before());
    let mut new: Vec<char> = count(&file.after.text)
        .into_iter()
        .filter(|(c, number)| before.get(c).is_none_or(|old| number > old))
        .map(|(c, _)| c)
        .collect();
    new.sort_unstable();
    for c in new {
        seen.fault(format!(
            "{} would get U+{:04X}, which is not seen as it is written; write an escape or leave \
             it out",
            quoted(&file.path),
            u32::from(c)
        ));
    }
}

/// Whether a character shows nothing, or moves what others show.
pub(in crate::patch) fn is_hidden(c: char) -> bool {
    let control = c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    let blank = c.is_whitespace() && !matches!(c, ' ' | '\n' | '\t' | '\r');
    control
        || blank
        || matches!(u32::from(c),
            0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x2800 | 0x3164
            | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3
            | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
        || matches!(u32::from(c), 0xe000..=0xf8ff | 0xf0000..=0x10_ffff)
}

/// New words whose letters only look like others.
fn lookalikes(file: &Touched, seen: &mut Seen) {
    let old: HashSet<&str> = words(file.text_before()).collect();
    let mut new: Vec<&str> = words(&file.after.text)
        .filter(|word| !word.is_ascii() && !old.contains(word))
        .collect();
    new.sort_unstable();
    new.dedup();
    let code = file.code_after();
    let names: HashSet<&str> = code
        .tokens
        .iter()
        .filter_map(|token| match token {
            Token::Word(word) => Some(*word),
            Token::Mark(_) | Token::Literal(_) | Token::Command => None,
        })
        .collect();
    let used = file.text_before().chars().any(looks_latin);
    for word in new {
        let plain: String = word.nfkc().collect();
        let composed: String = word.nfc().collect();
        let foreign = names.contains(word) && word.chars().any(looks_latin) && !used;
        if has_mixed_scripts(word) || plain != composed || foreign {
            seen.fault(format!(
                "{} would get the word {}, whose letters look like others; write it in plain \
                 letters",
                quoted(&file.path),
                super::cut(word, 40).escape_unicode()
            ));
        }
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_of_word(c))
        .filter(|word| !word.is_empty())
}

fn far_right(file: &Touched, seen: &mut Seen) {
    let old: HashSet<&str> = file.text_before().lines().collect();
    for (at, line) in file.after.text.lines().enumerate() {
        if old.contains(line) {
            continue;
        }
        let inside = line.trim();
        let run = inside
            .split(|c: char| !c.is_whitespace())
            .map(|blanks| blanks.chars().map(|c| if c == '\t' { 8 } else { 1 }).sum())
            .max()
            .unwrap_or(0usize);
        if run >= BLANKS {
            seen.fault(format!(
                "{} line {} would hold {run} blanks before more text; leave them out",
                quoted(&file.path),
                at + 1
            ));
        }
    }
}

/// Code that is written as escapes: some languages read them in names, and Java everywhere.
fn escaped_code(file: &Touched, seen: &mut Seen) {
    let in_names = |code: &Code<'_>| {
        let pairs = code.tokens.windows(2);
        let escapes = pairs.filter(|pair| match pair {
            [Token::Mark('\\'), Token::Word(word)] => {
                let digits = word.strip_prefix(['u', 'U']).unwrap_or("x");
                digits.bytes().take(4).all(|b| b.is_ascii_hexdigit())
            }
            _ => false,
        });
        escapes.count()
    };
    let in_java = |text: &str| text.matches("\\u00").count();
    let java =
        file.path.ends_with(".java") && in_java(&file.after.text) > in_java(file.text_before());
    if java || in_names(&file.code_after()) > in_names(&file.code_before()) {
        seen.fault(format!(
            "{} would hold code that is written in escapes; write it in plain letters",
            quoted(&file.path)
        ));
    }
}
