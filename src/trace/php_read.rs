//! What a finished trace of PHP says: names, messages over several lines, chains. Which lines
//! belong to it was `php`'s to tell.

use super::grammar::Reading;
use super::php::{
    OBJECT, Place, fatal, frame, is_bottom, is_heading, plain, split_place, unwrapped, xdebug_frame,
};
use super::text;
use crate::model::{Frame, Raised};

pub(super) fn read(lines: &[&str]) -> Reading {
    let mut reader = Reader::default();
    for line in lines {
        // Apache and Monolog write the line breaks of a whole trace as `\n`.
        if ["\\n#", "\\nStack trace:", "\\n["]
            .iter()
            .any(|mark| line.contains(mark))
        {
            line.split("\\n").for_each(|part| reader.line(part));
        } else {
            reader.line(line);
        }
    }
    reader.close();
    let mut reading = reader.reading;
    let last = reading.blocks.len().saturating_sub(1);
    if reader.previous {
        reading.root = last;
    } else {
        reading.outermost = last;
    }
    reading.uncaught = Some(reader.fatal);
    reading.loggable = !reader.fatal;
    reading
}

/// Reads line by line; the message of an exception may run over several.
#[derive(Default)]
struct Reader {
    reading: Reading,
    /// The name that is being read, before its place was seen.
    naming: Option<String>,
    raised: Raised,
    from: usize,
    fatal: bool,
    /// Monolog prints the outermost first.
    previous: bool,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let own = plain(unwrapped(line));
        let own = own.as_ref();
        let first = self.reading.blocks.is_empty() && self.reading.frames.is_empty();
        if first && self.naming.is_none() && self.raised.kind.is_none() {
            self.first(own);
        } else if is_heading(own) || is_bottom(own) {
            self.end_name();
        } else if let Some(frame) = frame(own).or_else(|| xdebug_frame(own)) {
            self.end_name();
            if frame.function.as_deref() != Some("{main}") {
                self.reading.frames.push(frame);
            }
        } else if let Some(rest) = own.strip_prefix("Next ") {
            self.close();
            self.name(rest);
        } else if let Some(rest) = own.strip_prefix("[previous exception] ") {
            self.close();
            self.previous = true;
            self.name(rest);
        } else if let Some(naming) = &mut self.naming {
            // Xdebug says it twice.
            let told = split_place(naming).and_then(|(_, place)| place);
            if !told.is_some_and(|place| place.on_line) {
                naming.push('\n');
                naming.push_str(own);
            }
        }
    }

    fn first(&mut self, own: &str) {
        if let Some((at, rest)) = fatal(own) {
            self.fatal = true;
            let Some(said) = rest.strip_prefix("Uncaught ") else {
                let kind = own.get(at..).and_then(|own| own.split_once(':'));
                let kind = kind.map_or("Fatal error", |(kind, _)| kind);
                self.raised.kind = Some(kind.trim_start_matches("PHP ").to_owned());
                let (message, place) = split_place(rest).unwrap_or((rest, None));
                self.raised.message = Some(message.to_owned());
                self.throw(place);
                return;
            };
            self.name(said);
        } else if let Some(frame) = frame(own) {
            self.reading.frames.push(frame);
        } else if !is_heading(own) && !is_bottom(own) {
            self.name(own);
        }
    }

    /// A name begins; its end may stand on a later line.
    fn name(&mut self, said: &str) {
        self.naming = Some(said.to_owned());
        let whole = said.starts_with(OBJECT) && said.contains(")\"}");
        if whole {
            self.end_name();
        }
    }

    fn end_name(&mut self) {
        let Some(naming) = self.naming.take() else {
            return;
        };
        if let Some(said) = naming.strip_prefix(OBJECT) {
            self.object(said);
            return;
        }
        let (said, place) = split_place(&naming).unwrap_or((&naming, None));
        let parts = said.strip_prefix("exception '").map_or_else(
            || said.split_once(": ").or(Some((said, ""))),
            |old| {
                old.split_once("' with message '")
                    .or_else(|| Some((old.strip_suffix('\'')?, "")))
            },
        );
        let (kind, message) = parts.unwrap_or((said, ""));
        let old = said.starts_with("exception '");
        let message = message
            .strip_suffix('\'')
            .filter(|_| old)
            .unwrap_or(message);
        self.raised = Raised {
            kind: Some(kind.trim_end_matches(':').to_owned()),
            message: (!message.is_empty()).then(|| message.to_owned()),
        };
        self.throw(place);
    }

    /// `Type(code: 0): message at file:3)`
    fn object(&mut self, said: &str) {
        let Some((kind, rest)) = said.split_once("(code: ") else {
            return;
        };
        let message = rest.split_once("): ").map_or("", |(_, message)| message);
        let message = message.trim_end().trim_end_matches("[]").trim_end();
        let message = message.strip_suffix("\"}").unwrap_or(message);
        let message = message.strip_suffix(')').unwrap_or(message);
        let (text, place) = match message.rsplit_once(" at ") {
            Some((text, place)) => (text, text::split_number(place)),
            None => (message, None),
        };
        self.raised = Raised {
            kind: Some(kind.to_owned()),
            message: (!text.is_empty()).then(|| text.to_owned()),
        };
        self.throw(place.map(|(file, line)| Place {
            file,
            line,
            on_line: false,
        }));
    }

    /// The place where it was thrown is the first frame.
    fn throw(&mut self, place: Option<Place<'_>>) {
        let Some(place) = place else { return };
        self.reading.frames.push(Frame {
            file: Some(place.file.to_owned()),
            line: Some(place.line),
            function: None,
        });
    }

    fn close(&mut self) {
        self.end_name();
        let raised = std::mem::take(&mut self.raised);
        if raised.kind.is_some() || self.from < self.reading.frames.len() {
            self.reading.close_block(raised, self.from);
        }
        self.from = self.reading.frames.len();
    }
}
