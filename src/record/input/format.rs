//! The formats of log files and how they are told from their first lines, with a sentence for
//! people on why. A wrong guess can be overruled; it never loses a line.

use crate::record::json::{Elements, Members};
use crate::record::wrapped;

/// How the lines of an input are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Each line is a message: `{"log": line}`.
    Text,
    /// Each line is a JSON object, taken as the record, or Fluent Bit's `[time, {…}]`.
    JsonLines,
    /// Docker's json-file driver.
    Docker,
    /// Files of containerd and CRI-O.
    Cri,
}

impl Format {
    pub const ALL: [Format; 4] = [Format::Text, Format::JsonLines, Format::Docker, Format::Cri];

    /// The word that `--format` takes.
    pub const fn word(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::JsonLines => "jsonl",
            Format::Docker => "docker",
            Format::Cri => "cri",
        }
    }

    pub fn from_word(word: &str) -> Option<Format> {
        Format::ALL.into_iter().find(|format| format.word() == word)
    }
}

/// A format, and why it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detected {
    pub format: Format,
    /// A sentence for people, without a full stop.
    pub why: String,
}

impl Detected {
    pub(super) fn chosen(format: Format) -> Detected {
        Detected {
            format,
            why: "the format was given".to_owned(),
        }
    }
}

/// Tells the format from the first lines of an input. One that does not fit is forgiven among
/// many: logs of a container often begin with a plain line.
pub fn detect(lines: &[&[u8]]) -> Detected {
    let lines: Vec<&[u8]> = lines
        .iter()
        .map(|line| line.trim_ascii())
        .filter(|line| !line.is_empty())
        .collect();
    let total = lines.len();
    let count = |fits: fn(&[u8]) -> bool| lines.iter().filter(|line| fits(line)).count();
    let docker = count(is_docker);
    let cri = count(is_cri);
    let json = count(is_json);
    let most = |hits: usize| hits * 5 >= total * 4 && hits > 0;
    let (format, hits, what) = if most(docker) {
        (Format::Docker, docker, "are Docker's {log, stream, time}")
    } else if most(cri) {
        (Format::Cri, cri, "begin with a CRI time, stream and F or P")
    } else if most(json) {
        (Format::JsonLines, json, "are JSON objects")
    } else {
        let (format, why) = (Format::Text, plain_reason(json, total));
        return Detected { format, why };
    };
    Detected {
        format,
        why: format!("{hits} of the first {total} lines {what}"),
    }
}

fn plain_reason(json: usize, total: usize) -> String {
    match (json, total) {
        (_, 0) => "the input is empty".to_owned(),
        (0, _) => "the first lines are neither JSON nor from a container engine".to_owned(),
        _ => format!("only {json} of the first {total} lines are JSON"),
    }
}

fn is_docker(line: &[u8]) -> bool {
    wrapped::docker(line).is_some()
}

fn is_cri(line: &[u8]) -> bool {
    wrapped::cri(line).is_some()
}

fn is_json(line: &[u8]) -> bool {
    str::from_utf8(line).is_ok_and(|line| is_object(line) || is_pair(line))
}

fn is_object(line: &str) -> bool {
    Members::whole(line).is_some_and(|mut members| members.next().is_some())
}

/// `[time, {…}]`.
fn is_pair(line: &str) -> bool {
    let pair = line.starts_with('[') && line.ends_with("}]");
    pair && Elements::whole(line).is_some_and(|parts| parts.count() == 2)
}
