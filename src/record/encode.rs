//! Writes msgpack events as a host would deliver them: for `replay`, for joined partial lines,
//! and for tests. Only what those need; no reading.

use crate::model::Timestamp;
use crate::record::decode::Map;

/// Which of the host's two layouts to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[time, map]`, hosts up to 2.0.
    Old,
    /// `[[time, metadata], map]`, hosts from 2.1 on.
    New,
}

/// Appends the start of an event: a map, the record's body, must follow.
pub fn event(out: &mut Vec<u8>, layout: Layout, time: Timestamp) {
    out.push(0x92);
    if layout == Layout::New {
        out.push(0x92);
    }
    event_time(out, time);
    if layout == Layout::New {
        map(out, 0);
    }
}

/// Appends an EventTime. Times outside 1970 to 2106 are clamped: the wire has 32 bits.
pub fn event_time(out: &mut Vec<u8>, time: Timestamp) {
    // The two highest values are group markers.
    let seconds = time.seconds().clamp(0, i64::from(u32::MAX) - 2);
    let nanos = time.0.rem_euclid(1_000_000_000);
    out.extend_from_slice(&[0xd7, 0x00]);
    out.extend_from_slice(&(seconds as u32).to_be_bytes());
    out.extend_from_slice(&(nanos as u32).to_be_bytes());
}

/// Appends a whole record of text fields.
pub fn record(out: &mut Vec<u8>, layout: Layout, time: Timestamp, fields: &[(&str, &str)]) {
    event(out, layout, time);
    map(out, fields.len());
    for (key, value) in fields {
        text(out, key.as_bytes());
        text(out, value.as_bytes());
    }
}

/// Appends the header of a map with `len` pairs: in its widest form, as hosts write those whose
/// length they do not know beforehand.
pub fn map(out: &mut Vec<u8>, len: usize) {
    out.push(0xdf);
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
}

/// Appends the header of an array with `len` elements.
pub fn array(out: &mut Vec<u8>, len: usize) {
    header(out, len, [0x90, 0x10, 0xdc, 0xdd]);
}

fn header(out: &mut Vec<u8>, len: usize, [fix, below, two, four]: [u8; 4]) {
    match len {
        len if len < usize::from(below) => out.push(fix | len as u8),
        len if len <= usize::from(u16::MAX) => {
            out.push(two);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        len => {
            out.push(four);
            out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
        }
    }
}

/// Appends text; the bytes need not be UTF-8.
pub fn text(out: &mut Vec<u8>, bytes: &[u8]) {
    let bytes = bytes.get(..u32::MAX as usize).unwrap_or(bytes);
    match bytes.len() {
        len @ 0..32 => out.push(0xa0 | len as u8),
        len @ 32..256 => out.extend_from_slice(&[0xd9, len as u8]),
        len => header(out, len, [0, 0, 0xda, 0xdb]),
    }
    out.extend_from_slice(bytes);
}

pub fn int(out: &mut Vec<u8>, value: i64) {
    if (0..128).contains(&value) {
        out.push(value as u8);
    } else {
        out.push(0xd3);
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// Appends a whole number, also above `i64::MAX`.
pub fn unsigned(out: &mut Vec<u8>, value: u64) {
    out.push(0xcf);
    out.extend_from_slice(&value.to_be_bytes());
}

pub fn float(out: &mut Vec<u8>, value: f64) {
    out.push(0xcb);
    out.extend_from_slice(&value.to_bits().to_be_bytes());
}

pub fn nil(out: &mut Vec<u8>) {
    out.push(0xc0);
}

pub fn bool(out: &mut Vec<u8>, value: bool) {
    out.push(if value { 0xc3 } else { 0xc2 });
}

/// Appends a map whose pairs are copied from a decoded one.
pub fn copy(out: &mut Vec<u8>, from: Map<'_>) {
    let (pairs, len) = from.raw();
    map(out, len);
    out.extend_from_slice(pairs);
}
