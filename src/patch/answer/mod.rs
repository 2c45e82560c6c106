//! What a model may hand in at the end of its investigation, as values: a proposal with its
//! grounds, or that it gives up. Reads the untrusted JSON strictly, with all complaints at once.
//! Whether what it claims is true, and whether its edits may be made, is for the gate.

mod read;
mod schema;

use read::{Fields, Object};
pub use schema::{give_up_schema, schema};
use serde::Serialize;
use serde_json::Value as Json;
use std::fmt;

/// Longest answer that is read, in bytes of all its texts.
pub const LONGEST: usize = 256 << 10;
/// Most pieces of evidence.
pub const EVIDENCE: usize = 30;
/// Most calls that are claimed.
pub const CALLS: usize = 20;
/// Most edits.
pub const EDITS: usize = 40;
/// Most paths of tests, and most doubts.
pub const ITEMS: usize = 20;
/// Longest text for people, in bytes.
pub const TEXT: usize = 8 << 10;
/// Longest quoted piece, in bytes.
pub const QUOTE: usize = 2 << 10;
/// Longest side of an edit, and longest new file, in bytes.
pub const SIDE: usize = 64 << 10;

/// A proposal as it was handed in. Texts may hold placeholders of redaction.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    pub cause: String,
    pub evidence: Vec<Evidence>,
    pub calls: Vec<Call>,
    /// 0 to 1.
    pub confidence: f64,
    pub edits: Vec<Change>,
    /// Paths among the edits that are the regression test.
    pub tests: Vec<String>,
    pub risk: String,
    /// How a person verifies it.
    pub verify: String,
    pub unsure: Vec<String>,
    /// Why the edits do not touch the cited place.
    pub elsewhere: Option<String>,
}

/// Something that exists and says what the case needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Evidence {
    /// A line of the log, by the id under which it was shown.
    Log {
        #[serde(rename = "log")]
        id: String,
        quote: String,
    },
    /// A line of a file at the deployed commit, from 1.
    Source {
        file: String,
        line: u32,
        quote: String,
    },
}

/// A claim: in this file, at this line, the function `caller` calls `callee`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    pub file: String,
    pub line: u32,
    pub caller: String,
    pub callee: String,
}

/// One change of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Change {
    /// The one place where the text stands becomes another text.
    Replace {
        file: String,
        search: String,
        replace: String,
    },
    /// A file that is not there yet.
    Create { file: String, content: String },
}

impl Change {
    pub fn file(&self) -> &str {
        match self {
            Change::Replace { file, .. } | Change::Create { file, .. } => file,
        }
    }
}

/// That no fix was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GaveUp {
    /// As far as it is known; may be empty.
    pub cause: String,
    pub reason: String,
}

/// What is wrong with an answer's form: every complaint, for the model that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaints(pub Vec<String>);

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Complaints {}

impl Answer {
    /// Reads the input of `propose_fix`.
    ///
    /// # Errors
    /// Every complaint, with its place and what to do, up to a bound.
    pub fn read(input: &Json) -> Result<Answer, Complaints> {
        let mut fields = Fields::new(input, LONGEST);
        let Some(mut whole) = fields.whole(input) else {
            return Err(fields.complaints());
        };
        let answer = Answer {
            cause: whole.text(&mut fields, "cause", TEXT),
            evidence: whole.list(&mut fields, "evidence", 1, EVIDENCE, evidence),
            calls: whole.optional_list(&mut fields, "calls", CALLS, call),
            confidence: whole.share(&mut fields, "confidence"),
            edits: whole.list(&mut fields, "edits", 1, EDITS, change),
            tests: whole.optional_list(&mut fields, "tests", ITEMS, read::item),
            risk: whole.text(&mut fields, "risk", TEXT),
            verify: whole.text(&mut fields, "verify", TEXT),
            unsure: whole.optional_list(&mut fields, "unsure", ITEMS, read::item),
            elsewhere: whole.optional_text(&mut fields, "elsewhere", TEXT),
        };
        whole.end(&mut fields);
        fields.end(answer)
    }
}

impl GaveUp {
    /// Reads the input of `give_up`.
    ///
    /// # Errors
    /// As [`Answer::read`].
    pub fn read(input: &Json) -> Result<GaveUp, Complaints> {
        let mut fields = Fields::new(input, LONGEST);
        let Some(mut whole) = fields.whole(input) else {
            return Err(fields.complaints());
        };
        let cause = whole.optional_text(&mut fields, "cause", TEXT);
        let gave_up = GaveUp {
            cause: cause.unwrap_or_default(),
            reason: whole.text(&mut fields, "reason", TEXT),
        };
        whole.end(&mut fields);
        fields.end(gave_up)
    }
}

fn evidence(fields: &mut Fields, object: &Json, place: &str) -> Option<Evidence> {
    let mut of = Object::open(fields, object, place)?;
    let evidence = if of.has("log") {
        Evidence::Log {
            id: of.text(fields, "log", 100),
            quote: of.text(fields, "quote", QUOTE),
        }
    } else {
        Evidence::Source {
            file: of.text(fields, "file", 1_000),
            line: of.line(fields, "line"),
            quote: of.text(fields, "quote", QUOTE),
        }
    };
    of.end(fields);
    Some(evidence)
}

fn call(fields: &mut Fields, object: &Json, place: &str) -> Option<Call> {
    let mut of = Object::open(fields, object, place)?;
    let call = Call {
        file: of.text(fields, "file", 1_000),
        line: of.line(fields, "line"),
        caller: of.text(fields, "caller", 300),
        callee: of.text(fields, "callee", 300),
    };
    of.end(fields);
    Some(call)
}

fn change(fields: &mut Fields, object: &Json, place: &str) -> Option<Change> {
    let mut of = Object::open(fields, object, place)?;
    let file = of.text(fields, "file", 1_000);
    let change = if of.has("content") {
        Change::Create {
            file,
            content: of.exact(fields, "content", SIDE, false),
        }
    } else {
        Change::Replace {
            file,
            search: of.exact(fields, "search", SIDE, false),
            replace: of.exact(fields, "replace", SIDE, true),
        }
    };
    of.end(fields);
    Some(change)
}

#[cfg(test)]
mod tests;
