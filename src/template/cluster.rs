//! One template: its parts, how alike a line is, how it becomes more general. Not here: which of
//! many templates a line belongs to (`miner`).

use super::judge::{self, Around, Verdict};
use super::scan::{Kind, Token, VALUE};
use crate::model::TemplateId;

/// The hash that stands for a place where words vary.
pub(super) const ANY: u64 = 3;
/// As a part of a [`super::Learnt`]: a masked value.
pub(super) const VALUE_TEXT: &str = "<*>";
/// The same: a place where words vary.
pub(super) const ANY_TEXT: &str = "<_>";
/// Places in which two lines of a template may differ.
const MOST_DIFFERENCES: usize = 6;

/// Templates that one line is weighed against: what a flood of alike lines can cost.
const MOST_JUDGED: usize = 32;

/// A piece of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// [`VALUE`], [`ANY`], or the hash of its text.
    pub(super) hash: u64,
    /// Where its text ends in the cluster's; it starts where the one before ends.
    pub(super) end: u16,
    pub(super) blank: bool,
    pub(super) is_word: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Cluster {
    pub(super) id: TemplateId,
    pub(super) parts: Box<[Part]>,
    /// Text of the parts that do not vary.
    text: Box<str>,
    /// When it was last seen, in lines.
    pub(super) last: u64,
    pub(super) hits: u32,
    /// Times that its growing more general was told.
    pub(super) changes: u8,
    /// Somebody was told that it is new.
    pub(super) told: bool,
    /// Established, or on probation.
    pub(super) kept: bool,
}

/// How a line fits a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    /// As it is; the number of places that vary by words.
    Same(usize),
    /// If the template becomes more general.
    Widened,
    /// But for one word in this place, whose verdict is given.
    Nearly(usize, Verdict),
    No,
}

impl Cluster {
    pub(super) fn new(id: TemplateId, line: &str, tokens: &[Token], any: Option<usize>) -> Cluster {
        let mut text = String::new();
        let parts = tokens.iter().enumerate().map(|(at, token)| {
            let any = any == Some(at);
            if token.kind != Kind::Value && !any {
                text.push_str(line.get(token.start..token.end).unwrap_or_default());
            }
            Part {
                hash: if any { ANY } else { token.hash },
                end: u16::try_from(text.len()).unwrap_or(u16::MAX),
                blank: token.blank,
                is_word: token.kind == Kind::Word,
            }
        });
        let parts = parts.collect();
        Cluster::of_parts(id, parts, text)
    }

    /// Of parts whose ends point into the text.
    pub(super) fn of_parts(id: TemplateId, parts: Vec<Part>, text: String) -> Cluster {
        Cluster {
            id,
            parts: parts.into(),
            text: text.into(),
            last: 0,
            hits: 0,
            changes: 0,
            told: false,
            kept: false,
        }
    }

    pub(super) fn part_text(&self, at: usize) -> &str {
        let Some(part) = self.parts.get(at) else {
            return "";
        };
        let before = at.checked_sub(1).and_then(|at| self.parts.get(at));
        let start = before.map_or(0, |part| usize::from(part.end));
        self.text
            .get(start..usize::from(part.end))
            .unwrap_or_default()
    }

    /// For people: `<*>` for what varies.
    pub(super) fn render(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + self.parts.len());
        for (at, part) in self.parts.iter().enumerate() {
            if part.blank && at > 0 {
                out.push(' ');
            }
            match part.hash {
                VALUE | ANY => out.push_str(VALUE_TEXT),
                _ => out.push_str(self.part_text(at)),
            }
        }
        out
    }

    /// How the line fits, which has as many tokens as this template has parts. `judged` counts
    /// the templates that it was weighed against.
    pub(super) fn fit(&self, line: &str, tokens: &[Token], judged: &mut usize) -> Fit {
        let mut places = [0; MOST_DIFFERENCES];
        let (mut differences, mut shared, mut any) = (0, 0, 0);
        for (at, (part, token)) in self.parts.iter().zip(tokens).enumerate() {
            if part.hash == token.hash {
                shared += usize::from(part.is_word && token.kind == Kind::Word);
            } else if part.hash == ANY && token.kind != Kind::Mark {
                any += 1;
            } else {
                let Some(place) = places.get_mut(differences) else {
                    return Fit::No;
                };
                *place = at;
                differences += 1;
            }
        }
        if differences == 0 {
            return Fit::Same(any);
        }
        let places = places.get(..differences).unwrap_or_default();
        if *judged >= MOST_JUDGED {
            return Fit::No;
        }
        *judged += 1;
        self.weigh(line, tokens, places, shared)
    }

    fn weigh(&self, line: &str, tokens: &[Token], places: &[usize], shared: usize) -> Fit {
        // One place may still vary by what its neighbours show; more must have enough in common.
        if places.len() > 1 && shared < places.len() {
            return Fit::No;
        }
        let mut unclear = 0;
        for place in places {
            match self.verdict(line, tokens, *place) {
                Verdict::Parameter => {}
                Verdict::Unclear if places.len() > 1 => return Fit::No,
                Verdict::Unclear => unclear += 1,
                Verdict::Event if places.len() == 1 => {
                    return Fit::Nearly(*place, Verdict::Event);
                }
                Verdict::Event => return Fit::No,
            }
        }
        if unclear == 0 && shared >= places.len() {
            return Fit::Widened;
        }
        match places {
            [place] => Fit::Nearly(*place, Verdict::Unclear),
            _ => Fit::No,
        }
    }

    fn verdict(&self, line: &str, tokens: &[Token], at: usize) -> Verdict {
        let (Some(part), Some(token)) = (self.parts.get(at), tokens.get(at)) else {
            return Verdict::Event;
        };
        let is_value = part.hash == VALUE || token.kind == Kind::Value;
        if at == 0 || !part.is_word && part.hash != VALUE || token.kind == Kind::Mark {
            return Verdict::Event;
        }
        let text = |token: &Token| line.get(token.start..token.end).unwrap_or_default();
        let word_text = |token: &Token| {
            if token.kind == Kind::Value {
                ""
            } else {
                text(token)
            }
        };
        let beside = |at: Option<usize>| at.and_then(|at| tokens.get(at)).map_or("", word_text);
        let around = Around {
            earlier: beside(at.checked_sub(2)),
            before: beside(at.checked_sub(1)),
            after: beside(Some(at + 1)),
            later: beside(Some(at + 2)),
            blank_after: tokens.get(at + 1).is_none_or(|token| token.blank),
        };
        if is_value {
            let word = if part.hash == VALUE {
                text(token)
            } else {
                self.part_text(at)
            };
            judge::value_and_word(word, around)
        } else {
            judge::words(self.part_text(at), text(token), around)
        }
    }

    /// Makes every place vary in which the line differs.
    pub(super) fn widen(&mut self, tokens: &[Token]) {
        let mut text = String::with_capacity(self.text.len());
        let mut parts = self.parts.clone();
        for (at, (part, token)) in parts.iter_mut().zip(tokens).enumerate() {
            if part.hash != token.hash {
                part.hash = ANY;
            }
            if part.hash != ANY {
                text.push_str(self.part_text(at));
            }
            part.end = u16::try_from(text.len()).unwrap_or(u16::MAX);
        }
        self.parts = parts;
        self.text = text.into();
    }

    /// Bytes of heap and of its own.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Cluster>() + self.parts.len() * size_of::<Part>() + self.text.len()
    }
}
