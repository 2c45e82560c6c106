//! Lines that an engine cut into parts, put together again per stream, within limits on bytes,
//! parts and time. Stack traces of several lines are not joined here; `trace` does that.

use crate::model::Timestamp;
use crate::record::decode::Item;
use crate::record::keys::Keys;
use crate::record::value::Value;
use crate::record::view::View;
use crate::record::wrapped::Wrapped;

/// How a line stands to the parts around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// Its agent does not cut lines.
    Whole,
    /// A whole line, or the last part of one (CRI `F`; Docker with its newline).
    End,
    /// More of the same line follows (CRI `P`).
    More,
    /// Docker without the newline at its end: more follows, if this stream ends its lines at all.
    Unended,
    /// A piece with an id of its line (FireLens, journald).
    Piece { id: &'a [u8], last: bool },
}

impl<'a> Part<'a> {
    pub(super) fn of(keys: &Keys<'a>) -> Part<'a> {
        if keys.partial_message.is_some_and(truth) {
            let last = keys.partial_last.is_some_and(truth);
            let id = keys.partial_id.unwrap_or_default();
            return Part::Piece { id, last };
        }
        if let Some(tag) = keys.logtag {
            return match tag.first() {
                Some(b'P') => Part::More,
                _ => Part::End,
            };
        }
        if keys.stream.is_some() && keys.log_first {
            let ended = keys.message.is_some_and(|line| line.ends_with(b"\n"));
            return if ended { Part::End } else { Part::Unended };
        }
        Part::Whole
    }

    pub(super) fn of_wrapped(inner: &Wrapped<'_>) -> Part<'a> {
        match (inner.partial, inner.logtag) {
            (false, _) => Part::End,
            (true, Some(_)) => Part::More,
            (true, None) => Part::Unended,
        }
    }

    /// Whether the line must be kept as it came, to be joined.
    pub(super) fn is_open(self) -> bool {
        !matches!(self, Part::Whole)
    }
}

fn truth(item: Item<'_>) -> bool {
    match Value::from_item(item) {
        Value::Bool(value) => value,
        Value::Str(text) => text == "true",
        Value::Int(value) => value != 0,
        Value::Null | Value::Float(_) | Value::Other => false,
    }
}

/// Puts the parts of all streams of one lane together.
#[derive(Debug, Default)]
pub struct Joiner {}

impl Joiner {
    pub fn new() -> Joiner {
        Joiner::default()
    }

    /// Takes a record and calls `emit` for every record that is whole now, in order: none while
    /// parts are missing, else the record itself or a joined one, after whatever had to be given
    /// up on the same stream. `now` is the wall clock.
    pub fn push(&mut self, view: &View<'_>, now: Timestamp, mut emit: impl FnMut(&View<'_>)) {
        let _ = now;
        emit(view);
    }

    /// Gives out what waited too long for its last part.
    pub fn idle(&mut self, now: Timestamp, emit: impl FnMut(&View<'_>)) {
        let _ = (now, emit);
    }

    /// Gives out everything that is held.
    pub fn finish(&mut self, emit: impl FnMut(&View<'_>)) {
        let _ = emit;
    }
}
