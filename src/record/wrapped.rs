//! A line of a container engine's log file that a tail delivered without parsing it: Docker's
//! `{"log":…,"stream":…,"time":…}` and CRI's `time stream P|F text`. Told by their shape alone;
//! whether a record may hold one is decided in `view`.

use crate::record::json::{Json, Members};
use crate::record::side::Side;
use std::borrow::Cow;

/// What was inside the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrapped<'a> {
    pub text: Cow<'a, [u8]>,
    pub side: Side,
    /// The engine's own time, as written.
    pub time: &'a str,
    /// More of the same line follows.
    pub partial: bool,
    /// CRI's tag field as written; `None` for Docker.
    pub logtag: Option<&'a str>,
}

/// Unwraps either shape.
pub fn unwrap(line: &[u8]) -> Option<Wrapped<'_>> {
    match line.first()? {
        b'{' => docker(line),
        b'0'..=b'9' => cri(line),
        _ => None,
    }
}

/// `{"log":"text\n","stream":"stderr","time":"2026-…Z"}`, and nothing else but `attrs`.
pub fn docker(line: &[u8]) -> Option<Wrapped<'_>> {
    let (mut log, mut stream, mut time) = (None, None, None);
    for (key, value) in Members::whole(str::from_utf8(line).ok()?)? {
        match (key, value) {
            ("log", Json::Str(_)) => log = value.text(),
            ("stream", Json::Str(name)) => stream = Some(name),
            ("time", Json::Str(text)) => time = Some(text),
            ("attrs", Json::Object(_)) => {}
            _ => return None,
        }
    }
    let (log, time) = (log?, time?);
    let side = Side::from_word(stream?.as_bytes())?;
    let text = match log {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    };
    Some(Wrapped {
        partial: !text.ends_with(b"\n"),
        text,
        side,
        time,
        logtag: None,
    })
}

/// `2026-03-01T12:00:00.123456789Z stderr F text`.
pub fn cri(line: &[u8]) -> Option<Wrapped<'_>> {
    let (time, rest) = word(line)?;
    let (stream, rest) = word(rest)?;
    let (logtag, text) = word(rest).or(Some((rest, &[])))?;
    let iso = time.len() >= 20 && time.get(4) == Some(&b'-') && time.get(10) == Some(&b'T');
    let logtag = str::from_utf8(logtag).ok()?;
    // The tag field may carry more than one tag; the first is the partial mark.
    let mark = logtag.split(':').next()?;
    if !iso || !matches!(mark, "F" | "P") {
        return None;
    }
    Some(Wrapped {
        text: Cow::Borrowed(text),
        side: Side::from_word(stream)?,
        time: str::from_utf8(time).ok()?,
        partial: mark == "P",
        logtag: Some(logtag),
    })
}

fn word(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = memchr::memchr(b' ', bytes.get(..64.min(bytes.len()))?)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}
