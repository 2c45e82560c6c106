//! `autofix mcp`: lines from standard input, answers to standard output and nothing else there. What an
//! agent's released actions need next is done between the lines, and while none come.

use crate::app;
use crate::app::mcp::{LINE, Server, Within};
use crate::cli::Outcome;
use crate::cli::arguments::McpArguments;
use crate::cli::output::{Out, complain, json_safe};
use crate::log::Log;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io::{self, BufRead, ErrorKind};

/// How long a pause of the input is before the next step of an action is looked at.
const PAUSE: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

pub(super) fn run(arguments: &McpArguments, out: &mut Out) -> Result<Outcome, app::Error> {
    let within = Within {
        services: arguments.service.clone(),
        owner: arguments.owner.clone(),
    };
    let mut server = Server::open(&arguments.state.folder()?, &within, log())?;
    let mut input = io::stdin().lock();
    let mut lines = Lines::default();
    let mut goes_on = false;
    loop {
        while let Some(line) = lines.next() {
            let answer = match line {
                Line::Whole(line) => server.answer(&line),
                Line::TooLong => Some(Server::too_long()),
            };
            if let Some(answer) = answer {
                out.line(&json_safe(&answer));
            }
            if out.is_closed() {
                return Ok(Outcome::Done);
            }
            goes_on = server.carry();
        }
        if goes_on && !waits(&input)? {
            goes_on = server.carry();
            continue;
        }
        let read = match input.fill_buf() {
            Ok(bytes) => {
                lines.feed(bytes);
                bytes.len()
            }
            Err(fault) if fault.kind() == ErrorKind::Interrupted => continue,
            Err(fault) => return Err(unread(&fault)),
        };
        input.consume(read);
        if read == 0 {
            return Ok(Outcome::Done);
        }
    }
}

/// Whether there is something to read before a pause has passed. What was read before is in `Lines`,
/// so that nothing waits in a buffer of standard input's own.
fn waits(input: &io::StdinLock<'_>) -> Result<bool, app::Error> {
    let mut asked = [PollFd::new(input, PollFlags::IN)];
    match poll(&mut asked, Some(&PAUSE)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(fault) => Err(unread(&fault.into())),
    }
}

fn unread(fault: &io::Error) -> app::Error {
    app::Error::unfinished("cannot read standard input", fault)
}

fn log() -> Log {
    Log::new(|level, line| complain(&format!("{}: {line}", level.word())))
}

/// Lines out of pieces, bounded.
#[derive(Debug, Default)]
struct Lines {
    whole: VecDeque<Line>,
    begun: Vec<u8>,
    /// The rest of the line that is being read is left out.
    too_long: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    Whole(Vec<u8>),
    TooLong,
}

impl Lines {
    fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            let (text, ends) = match piece.strip_suffix(b"\n") {
                Some(text) => (text, true),
                None => (piece, false),
            };
            if self.begun.len() + text.len() > LINE {
                self.too_long = true;
                self.begun = Vec::new();
            }
            if !self.too_long {
                self.begun.extend_from_slice(text);
            }
            if ends {
                let line = std::mem::take(&mut self.begun);
                self.whole.push_back(match self.too_long {
                    true => Line::TooLong,
                    false => Line::Whole(line),
                });
                self.too_long = false;
            }
        }
    }

    /// What has no end yet is no message: it may be the half of one.
    fn next(&mut self) -> Option<Line> {
        self.whole.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_whole_whatever_the_pieces_are() {
        let text = "one\n\ntwo\r\nthree";
        for size in 1..text.len() {
            let mut lines = Lines::default();
            for piece in text.as_bytes().chunks(size) {
                lines.feed(piece);
            }
            let all: Vec<Line> = std::iter::from_fn(|| lines.next()).collect();
            let whole = |text: &str| Line::Whole(text.as_bytes().to_vec());
            assert_eq!(all, [whole("one"), whole(""), whole("two\r")], "{size}");
        }
    }

    #[test]
    fn a_long_line_is_not_kept_and_the_next_one_is_read() {
        let mut lines = Lines::default();
        let piece = vec![b'a'; 64 << 10];
        for _ in 0..40 {
            lines.feed(&piece);
            assert!(lines.begun.len() <= LINE);
        }
        lines.feed(b"\n{}\n");
        assert_eq!(lines.next(), Some(Line::TooLong));
        assert_eq!(lines.next(), Some(Line::Whole(b"{}".to_vec())));
        assert_eq!(lines.next(), None);
        let mut lines = Lines::default();
        lines.feed(&vec![b'a'; LINE]);
        lines.feed(b"\n");
        assert_eq!(lines.next(), Some(Line::Whole(vec![b'a'; LINE])));
    }
}
