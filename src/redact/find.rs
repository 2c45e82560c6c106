//! What the rules found in one text: ranges with their class, those that overlap made one.

use crate::redact::class::Class;
use std::ops::Range;

/// One value that is to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Find {
    pub(super) range: Range<usize>,
    pub(super) class: Class,
}

/// What was found so far, in any order.
#[derive(Default)]
pub(super) struct Finds(Vec<Find>);

impl Finds {
    pub(super) fn add(&mut self, from: usize, to: usize, class: Class) {
        if from < to {
            let range = from..to;
            self.0.push(Find { range, class });
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Where the last of those after the first `count` ends.
    pub(super) fn last_end(&self, count: usize) -> usize {
        self.0
            .get(count..)
            .and_then(|new| new.last())
            .map_or(0, |find| find.range.end)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&Find) -> bool) {
        self.0.retain(keep);
    }

    /// In order and apart. Where two overlap neither part may stay, so they become one; the class
    /// that stands first names it.
    pub(super) fn merged(mut self) -> Vec<Find> {
        self.0
            .sort_by_key(|find| (find.range.start, find.range.end));
        let mut apart: Vec<Find> = Vec::new();
        for find in self.0 {
            match apart.last_mut() {
                Some(last) if find.range.start < last.range.end => {
                    last.range.end = last.range.end.max(find.range.end);
                    last.class = last.class.min(find.class);
                }
                _ => apart.push(find),
            }
        }
        apart
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_becomes_one() {
        let mut finds = Finds::default();
        finds.add(10, 14, Class::Email);
        finds.add(0, 5, Class::Password);
        finds.add(3, 8, Class::Jwt);
        finds.add(9, 9, Class::Ip);
        let merged: Vec<_> = finds
            .merged()
            .into_iter()
            .map(|f| (f.range, f.class))
            .collect();
        assert_eq!(merged, [(0..8, Class::Jwt), (10..14, Class::Email)]);
    }
}
