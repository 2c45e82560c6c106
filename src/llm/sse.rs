//! Server-sent events, one after the other out of a body that is still coming. What they hold is
//! for others.

use crate::net;
use std::io::{BufRead, BufReader, Read, Take};

/// Most bytes of all events together. A long answer in small pieces is some 20 MiB: each token is
/// wrapped in a hundred and more bytes.
pub(super) const STREAM: u64 = 64 << 20;
/// Most bytes of a line, and of an event.
pub(super) const LINE: usize = 4 << 20;

/// Reads events.
pub(super) struct Events<R> {
    from: BufReader<Take<R>>,
    line: Vec<u8>,
}

/// Why no further event came.
#[derive(Debug)]
pub(super) enum Fault {
    Net(net::Error),
    TooLarge,
    /// What the form does not allow.
    Unreadable,
}

impl<R: Read> Events<R> {
    pub fn new(from: R) -> Events<R> {
        Events::within(from, STREAM)
    }

    fn within(from: R, most: u64) -> Events<R> {
        Events {
            from: BufReader::new(from.take(most)),
            line: Vec::new(),
        }
    }

    /// The data of the next event that has some; `None` at the end. What an end cuts is no event.
    pub fn next(&mut self) -> Result<Option<String>, Fault> {
        let mut data: Option<String> = None;
        loop {
            if !self.read_line()? {
                return Ok(None);
            }
            let line = std::str::from_utf8(&self.line).map_err(|_| Fault::Unreadable)?;
            if line.is_empty() {
                match data.take() {
                    Some(data) => return Ok(Some(data)),
                    None => continue,
                }
            }
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            // Comments have no field, and of the others the data repeats what is needed.
            if field != "data" {
                continue;
            }
            let value = value.strip_prefix(' ').unwrap_or(value);
            let so_far = data.get_or_insert_default();
            if so_far.len() + value.len() > LINE {
                return Err(Fault::TooLarge);
            }
            if !so_far.is_empty() {
                so_far.push('\n');
            }
            so_far.push_str(value);
        }
    }

    /// Whether there was one, with its end.
    fn read_line(&mut self) -> Result<bool, Fault> {
        self.line.clear();
        let most = (LINE as u64).saturating_add(2);
        let mut limited = (&mut self.from).take(most);
        limited
            .read_until(b'\n', &mut self.line)
            .map_err(|e| Fault::Net(net::Error::from(e)))?;
        if self.line.pop_if(|last| *last == b'\n').is_none() {
            let too_long = self.line.len() > LINE || self.from.get_ref().limit() == 0;
            return if too_long {
                Err(Fault::TooLarge)
            } else {
                Ok(false)
            };
        }
        self.line.pop_if(|last| *last == b'\r');
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &[u8]) -> Result<Vec<String>, Fault> {
        let mut events = Events::new(text);
        let mut found = Vec::new();
        while let Some(data) = events.next()? {
            found.push(data);
        }
        Ok(found)
    }

    #[test]
    fn events_are_found_between_what_is_none() {
        let text = b": hello\n\nevent: ping\r\ndata: {}\r\n\r\nid: 3\ndata:a\ndata:  b\nnonsense\n\nevent: x\n\ndata: cut";
        assert_eq!(all(text).unwrap(), ["{}", "a\n b"]);
        assert_eq!(all(b"").unwrap(), [""; 0]);
    }

    #[test]
    fn lines_without_an_end_and_bytes_that_are_no_text_are_faults() {
        let long = vec![b'x'; LINE + 10];
        assert!(matches!(all(&long), Err(Fault::TooLarge)));
        let mut many = Vec::new();
        for _ in 0..5 {
            many.extend_from_slice(b"data: ");
            many.extend(std::iter::repeat_n(b'x', LINE / 4));
            many.push(b'\n');
        }
        assert!(matches!(all(&many), Err(Fault::TooLarge)));
        assert!(matches!(all(b"data: \xff\n\n"), Err(Fault::Unreadable)));
        let endless = std::io::repeat(b'\n');
        assert!(matches!(
            Events::within(endless, 9_000).next(),
            Err(Fault::TooLarge)
        ));
    }
}
