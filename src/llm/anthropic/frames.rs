//! Amazon's event stream: frames with headers, a payload and two checksums, one after the other
//! out of a body that is still coming. The payload of a chunk is an event of the Messages API, in
//! base64, in JSON.

use crate::llm::sse::{Fault, LINE, STREAM};
use crate::net;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::io::{Read, Take};

/// Length, length of the headers, checksum of both.
const PRELUDE: usize = 12;
/// The checksum at a frame's end.
const CHECK: usize = 4;
/// Most bytes of a frame: an event in base64.
const FRAME: usize = LINE * 2;

/// What a frame says.
#[derive(Debug, PartialEq)]
pub(super) enum Frame {
    /// An event's data.
    Data(String),
    /// A fault, by Amazon's name for it, and its words.
    Fault(String, Vec<u8>),
    /// A kind that is yet to come.
    Other,
}

/// Reads frames.
pub(super) struct Frames<R>(Take<R>);

impl<R: Read> Frames<R> {
    pub fn new(from: R) -> Frames<R> {
        Frames(from.take(STREAM))
    }

    /// The next frame; `None` at the end. What an end cuts is no frame.
    pub fn next(&mut self) -> Result<Option<Frame>, Fault> {
        let mut bytes = vec![0; PRELUDE];
        if !self.fill(&mut bytes, 0)? {
            return Ok(None);
        }
        let length = number(&bytes, 0)? as usize;
        let headers = number(&bytes, 4)? as usize;
        let least = PRELUDE + headers + CHECK;
        if !is_sound(&bytes, PRELUDE - CHECK)? || length < least {
            return Err(Fault::Unreadable);
        }
        if length > FRAME {
            return Err(Fault::TooLarge);
        }
        bytes.resize(length, 0);
        if !self.fill(&mut bytes, PRELUDE)? {
            return Ok(None);
        }
        if !is_sound(&bytes, length - CHECK)? {
            return Err(Fault::Unreadable);
        }
        let head = bytes.get(PRELUDE..PRELUDE + headers);
        let payload = bytes.get(PRELUDE + headers..length - CHECK);
        let (Some(head), Some(payload)) = (head, payload) else {
            return Err(Fault::Unreadable);
        };
        frame(&texts(head)?, payload).map(Some)
    }

    /// Reads all of the rest from `at`; whether it came.
    fn fill(&mut self, bytes: &mut [u8], mut at: usize) -> Result<bool, Fault> {
        while let Some(rest) = bytes.get_mut(at..).filter(|rest| !rest.is_empty()) {
            match self.0.read(rest) {
                Ok(0) if self.0.limit() == 0 => return Err(Fault::TooLarge),
                Ok(0) => return Ok(false),
                Ok(count) => at += count,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Fault::Net(net::Error::from(e))),
            }
        }
        Ok(true)
    }
}

fn frame(headers: &[(String, String)], payload: &[u8]) -> Result<Frame, Fault> {
    let of = |name: &str| {
        let mut found = headers.iter().filter(|header| header.0 == name);
        found.next().map_or("", |(_, value)| value.as_str())
    };
    match of(":message-type") {
        "event" if of(":event-type") == "chunk" => {
            let chunk: Value = serde_json::from_slice(payload).map_err(|_| Fault::Unreadable)?;
            let bytes = chunk["bytes"].as_str().ok_or(Fault::Unreadable)?;
            let bytes = STANDARD.decode(bytes).map_err(|_| Fault::Unreadable)?;
            let data = String::from_utf8(bytes).map_err(|_| Fault::Unreadable)?;
            Ok(Frame::Data(data))
        }
        "exception" => Ok(Frame::Fault(
            of(":exception-type").to_owned(),
            payload.to_vec(),
        )),
        "error" => {
            let words = of(":error-message").as_bytes().to_vec();
            Ok(Frame::Fault(of(":error-code").to_owned(), words))
        }
        _ => Ok(Frame::Other),
    }
}

/// The headers that are text; the others are passed over.
fn texts(mut head: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let mut found = Vec::new();
    while let Some((length, rest)) = head.split_first() {
        let (name, rest) = split(rest, usize::from(*length))?;
        let (kind, rest) = rest.split_first().ok_or(Fault::Unreadable)?;
        let (length, rest) = match kind {
            0 | 1 => (0, rest),
            2 => (1, rest),
            3 => (2, rest),
            4 => (4, rest),
            5 | 8 => (8, rest),
            9 => (16, rest),
            6 | 7 => {
                let (length, rest) = split(rest, 2)?;
                let length = length
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
                (length, rest)
            }
            _ => return Err(Fault::Unreadable),
        };
        let (value, rest) = split(rest, length)?;
        if *kind == 7 {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.push((text(name), text(value)));
        }
        head = rest;
    }
    Ok(found)
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), Fault> {
    bytes.split_at_checked(at).ok_or(Fault::Unreadable)
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map(u32::from_be_bytes).ok_or(Fault::Unreadable)
}

/// Whether the checksum at a place is that of all before it.
fn is_sound(bytes: &[u8], at: usize) -> Result<bool, Fault> {
    let before = bytes.get(..at).ok_or(Fault::Unreadable)?;
    Ok(number(bytes, at)? == crc32fast::hash(before))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Result<Vec<Frame>, Fault> {
        let mut frames = Frames::new(bytes);
        let mut found = Vec::new();
        while let Some(frame) = frames.next()? {
            found.push(frame);
        }
        Ok(found)
    }

    fn made(headers: &[(&str, &str)], payload: &[u8]) -> Vec<u8> {
        let mut head = Vec::new();
        for (name, value) in headers {
            head.push(u8::try_from(name.len()).unwrap());
            head.extend_from_slice(name.as_bytes());
            head.push(7);
            head.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
            head.extend_from_slice(value.as_bytes());
        }
        let number = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
        let mut bytes = number(PRELUDE + head.len() + payload.len() + CHECK).to_vec();
        bytes.extend(number(head.len()));
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes.extend(head);
        bytes.extend_from_slice(payload);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes
    }

    const EVENT: &[(&str, &str)] = &[(":event-type", "chunk"), (":message-type", "event")];

    /// Published frames: an empty one, and one with a payload and no headers.
    #[test]
    fn published_frames_are_read() {
        let empty = [
            0, 0, 0, 16, 0, 0, 0, 0, 5, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff,
        ];
        assert_eq!(all(&empty).unwrap(), [Frame::Other]);
        let mut payload = vec![0, 0, 0, 0x1d, 0, 0, 0, 0, 0xfd, 0x52, 0x8c, 0x5a];
        payload.extend_from_slice(b"{'foo':'bar'}");
        payload.extend([0xc3, 0x65, 0x39, 0x36]);
        assert_eq!(all(&payload).unwrap(), [Frame::Other]);
    }

    #[test]
    fn chunks_and_faults_are_told_apart() {
        let mut bytes = made(EVENT, br#"{"bytes":"eyJ0eXBlIjoicGluZyJ9","p":"abc"}"#);
        let fault = &[
            (":exception-type", "throttlingException"),
            (":message-type", "exception"),
        ];
        bytes.extend(made(fault, b"{}"));
        let ping = Frame::Data(r#"{"type":"ping"}"#.to_owned());
        let fault = Frame::Fault("throttlingException".to_owned(), b"{}".to_vec());
        assert_eq!(all(&bytes).unwrap(), [ping, fault]);
        bytes.pop();
        assert_eq!(all(&bytes).unwrap().len(), 1, "what is cut is none");
    }

    #[test]
    fn what_is_no_frame_is_told() {
        for payload in [
            "",
            "[]",
            r#"{"bytes": 7}"#,
            r#"{"bytes": "***"}"#,
            r#"{"bytes": "/w=="}"#,
        ] {
            let bytes = made(EVENT, payload.as_bytes());
            assert!(matches!(all(&bytes), Err(Fault::Unreadable)), "{payload}");
        }
        let mut wrong = made(EVENT, br#"{"bytes":"e30=","p":"abcdef"}"#);
        assert!(all(&wrong).is_ok());
        let at = wrong.len() - 8;
        assert_eq!(wrong[at], b'e', "what nobody else would miss");
        wrong[at] ^= 1;
        assert!(
            matches!(all(&wrong), Err(Fault::Unreadable)),
            "a bit on the way"
        );
        let mut huge = vec![0x7f, 0, 0, 0, 0, 0, 0, 0];
        huge.extend(crc32fast::hash(&huge).to_be_bytes());
        assert!(matches!(all(&huge), Err(Fault::TooLarge)));
        assert!(matches!(
            all(b"<html>welcome</html>"),
            Err(Fault::Unreadable)
        ));
    }

    proptest! {
        #[test]
        fn headers_of_any_bytes_do_no_harm(head in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = texts(&head);
        }
    }
}
