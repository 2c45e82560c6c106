//! The rules over one text: anchors and digits lead to them, what they say is collected. Not
//! here: what a value is replaced by (`scope.rs`).

use crate::redact::anchors::{Anchors, Rule};
use crate::redact::class::Class;
use crate::redact::cursor::Text;
use crate::redact::find::{Find, Finds};
use crate::redact::scope::Scope;
use crate::redact::settings::{Complaint, Custom, Settings};
use crate::redact::{field, header, mail, numbers, pem, placeholder, tokens, url};
use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

/// Bytes that rules may look at for each byte of a text, and for each text: beyond that a text
/// was made to be slow, and is withheld.
const WORK_A_BYTE: usize = 32;
const WORK_A_TEXT: usize = 1 << 16;

/// The rules, ready for use. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Redactor {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    anchors: &'static Anchors,
    custom: Custom,
}

impl Redactor {
    /// # Errors
    /// When the settings cannot be used: every complaint at once. There is no redactor then, and
    /// without one nothing can be sent.
    pub fn new(settings: &Settings) -> Result<Redactor, Vec<Complaint>> {
        let custom = Custom::new(settings)?;
        let Some(anchors) = Anchors::all() else {
            return Err(vec![Complaint {
                place: "redaction".to_owned(),
                what: "its anchors cannot be searched for".to_owned(),
                remedy: "report it".to_owned(),
            }]);
        };
        let inner = Arc::new(Inner { anchors, custom });
        Ok(Redactor { inner })
    }

    /// A scope: in it the same value has the same placeholder. One for each incident or batch.
    pub fn scope(&self) -> Scope {
        Scope::new(self.clone())
    }

    /// What is to be replaced, in order and apart; `None` where it cannot be decided.
    pub(super) fn finds(&self, text: &str) -> Option<Vec<Find>> {
        let placeholders = placeholder::all_in(text);
        let line = Cell::new((0, 0));
        let mut search = Search {
            text: Text::new(text, &line),
            ip: self.inner.custom.ip,
            finds: Finds::default(),
            work: 0,
            limit: text.len().saturating_mul(WORK_A_BYTE) + WORK_A_TEXT,
        };
        self.rules(&mut search, &placeholders)?;
        numbers::all(&mut search)?;
        self.patterns(&mut search, &placeholders);
        let Search { mut finds, .. } = search;
        if finds.is_empty() {
            return Some(Vec::new());
        }
        let custom = &self.inner.custom;
        // A rule never takes a placeholder for a value, nor a part of one.
        finds.retain(|find| {
            let value = text.get(find.range.clone()).unwrap_or_default();
            !inside(placeholders.as_slice(), find) && !custom.allows(value)
        });
        Some(finds.merged())
    }

    fn rules(&self, search: &mut Search<'_>, placeholders: &[Range<usize>]) -> Option<()> {
        let mut named = 0;
        for (rule, from, to) in self.inner.anchors.all_in(search.text.text) {
            let before = placeholders.partition_point(|p| p.end <= from);
            let inside = placeholders.get(before).is_some_and(|p| p.start <= from);
            if inside {
                continue;
            }
            match rule {
                Rule::Name if from < named => {}
                Rule::Name => named = field::at(search, from, to),
                Rule::Token(at) => tokens::at(search, at, from),
                Rule::Parts(parts) => tokens::parts_at(search, parts, from),
                Rule::Webhook(at) => url::webhook_at(search, at, from),
                Rule::Authority => url::userinfo_at(search, from, to),
                Rule::At => mail::at(search, from, to),
                Rule::Call => header::call_at(search, to),
                Rule::Thin => url::thin_at(search, to),
                Rule::Pem => pem::at(search, from),
                Rule::Scheme => header::scheme_at(search, from, to),
                Rule::Identified => field::identified_at(search, to),
                Rule::Command => header::command_at(search, from, to),
            }
            search.spent(8)?;
        }
        Some(())
    }

    /// The service's own patterns see what lies between placeholders.
    fn patterns(&self, search: &mut Search<'_>, placeholders: &[Range<usize>]) {
        if self.inner.custom.patterns.is_empty() {
            return;
        }
        let text = search.text;
        let ends = placeholders.iter().map(|p| p.end);
        let starts = placeholders.iter().map(|p| p.start);
        let gaps = std::iter::once(0)
            .chain(ends)
            .zip(starts.chain([text.len()]));
        for (from, to) in gaps {
            let gap = text.slice(from, to);
            for pattern in &self.inner.custom.patterns {
                for hit in pattern.find_iter(gap) {
                    let class = Class::Custom;
                    search
                        .finds
                        .add(from + hit.start(), from + hit.end(), class);
                }
            }
        }
    }
}

/// Whether a find lies in one of the placeholders, which are in order.
fn inside(placeholders: &[Range<usize>], find: &Find) -> bool {
    let before = placeholders.partition_point(|p| p.end <= find.range.start);
    let next = placeholders.get(before);
    next.is_some_and(|p| p.start <= find.range.start && find.range.end <= p.end)
}

/// One text that is being looked at.
pub(super) struct Search<'a> {
    pub(super) text: Text<'a>,
    pub(super) ip: bool,
    pub(super) finds: Finds,
    work: usize,
    limit: usize,
}

impl<'a> Search<'a> {
    /// Notes that a rule looked at so many bytes. `None` once it was too much.
    pub(super) fn spent(&mut self, bytes: usize) -> Option<()> {
        self.work = self.work.saturating_add(bytes);
        (self.work <= self.limit).then_some(())
    }

    /// How many were found so far.
    pub(super) fn finds_count(&self) -> usize {
        self.finds.len()
    }

    /// Where the last find after the first `count` ends.
    pub(super) fn last_end(&self, count: usize) -> usize {
        self.finds.last_end(count)
    }

    pub(super) fn add(&mut self, from: usize, to: usize, class: Class) {
        self.work = self.work.saturating_add(to.saturating_sub(from));
        self.finds.add(from, to, class);
    }
}
