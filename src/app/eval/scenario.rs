//! A scenario: a folder with `scenario.toml` and the logs that it names. Text in, a checked
//! scenario or every complaint at once out. `scenarios/README.md` describes the form for those who
//! write one; what a decision is worth is `score`'s.

use crate::app::Error;
use crate::app::eval::folder;
use crate::app::eval::score::{Action, Decision};
use crate::app::replay::{self, Source};
use crate::config::Complaint;
use crate::model::{Kind, Timestamp};
use crate::pipeline::clock;
use crate::record::input::Format;
use crate::registry::sheet::{Section, Sheet};
use crate::registry::{Registry, Text};
use std::io::{self, Cursor};
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The file that makes a folder a scenario.
pub const FILE: &str = "scenario.toml";

/// A log and what is right about it.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub description: String,
    pub registry: Registry,
    pub logs: Vec<LogFile>,
    /// Of all its logs; each has its own by its name where this is not set.
    pub tag: Option<String>,
    pub format: Option<Format>,
    /// About when the log was written, for stamps without a year and lines without a stamp.
    pub written: Timestamp,
    pub decisions: Vec<Decision>,
}

impl Scenario {
    pub fn tag_of(&self, log: &LogFile) -> String {
        let own = || replay::tag_of(Path::new(&log.name));
        self.tag.clone().unwrap_or_else(own)
    }
}

/// One of its logs.
#[derive(Clone, Debug)]
pub struct LogFile {
    pub name: String,
    pub content: Content,
}

/// Where a log's bytes are.
#[derive(Clone, Debug)]
pub enum Content {
    BuiltIn(&'static [u8]),
    File(PathBuf),
}

impl LogFile {
    /// The bytes, unpacked where they are gzip.
    pub fn open(&self) -> io::Result<Source> {
        match &self.content {
            Content::BuiltIn(bytes) => replay::unpacked(Cursor::new(*bytes)),
            Content::File(path) => Ok(replay::open(path)?.0),
        }
    }
}

/// The scenarios of a folder, by name: each of its folders that holds `scenario.toml`.
///
/// # Errors
/// When there is none, or any of them is not right.
pub fn read_folder(folder: &Path) -> Result<Vec<Scenario>, Error> {
    folder::read(folder, FILE, "scenarios", read)
}

fn read(folder: &Path) -> Result<Scenario, Vec<Complaint>> {
    let (text, file) = folder::text_of(&folder.join(FILE))?;
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    let find = |wanted: &str| {
        let path = folder.join(wanted);
        path.is_file().then_some(Content::File(path))
    };
    parse(&name.to_string_lossy(), &file, &text, &find)
}

/// Reads `scenario.toml`; `find` gives the files beside it.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(
    name: &str,
    file: &str,
    text: &str,
    find: &dyn Fn(&str) -> Option<Content>,
) -> Result<Scenario, Vec<Complaint>> {
    let own = [Text {
        file: file.to_owned(),
        text: text.to_owned(),
    }];
    // What is no TOML, and keys that nobody knows, are the registry's to complain about.
    let registry = Registry::parse_beside(&own, &["description", "log", "decision"]);
    let (registry, mut complaints) = match registry {
        Ok(registry) => (registry, Vec::new()),
        Err(complaints) => (Registry::default(), complaints),
    };
    let sheet = Sheet::new(file, text);
    let (root, _) = DeTable::parse_recoverable(text);
    let mut top = Section::new(&sheet, "this file", &root);
    let scenario = whole(name, &mut top, registry, find);
    complaints.append(&mut top.complaints);
    complaints.retain(Complaint::is_fault);
    complaints.sort_by_key(|complaint| complaint.place.line);
    match complaints.is_empty() {
        true => Ok(scenario),
        false => Err(complaints),
    }
}

fn whole(
    name: &str,
    top: &mut Section<'_, '_>,
    registry: Registry,
    find: &dyn Fn(&str) -> Option<Content>,
) -> Scenario {
    let description = top.string("description");
    if description.is_none() && top.raw("description").is_none() {
        needs(
            top,
            "description",
            "say what the service is and what goes on",
        );
    }
    if top.raw("service").is_none() {
        needs(top, "[[service]]", "paste the block of your services.toml");
    }
    let log = top.inside("log", "[log]", |section| log(section, find));
    if log.is_none() && top.raw("log").is_none() {
        needs(top, "[log]", "name the log: file = \"app.log\"");
    }
    let log = log.unwrap_or_default();
    let decisions = decisions(top);
    let first = decisions.iter().find_map(|decision| decision.by);
    Scenario {
        name: name.to_owned(),
        description: description.map_or_else(String::new, |(text, _)| text.trim().to_owned()),
        registry,
        logs: log.files,
        tag: log.tag,
        format: log.format,
        written: log.written.or(first).unwrap_or_else(clock::now),
        decisions,
    }
}

fn needs(section: &mut Section<'_, '_>, what: &str, remedy: &str) {
    let place = section.place.clone();
    let what = format!("{} has no {what}", section.label);
    section.fault(place, what, remedy.to_owned());
}

/// What `[log]` says.
#[derive(Default)]
struct Log {
    files: Vec<LogFile>,
    tag: Option<String>,
    format: Option<Format>,
    written: Option<Timestamp>,
}

fn log(section: &mut Section<'_, '_>, find: &dyn Fn(&str) -> Option<Content>) -> Log {
    section.only(&["file", "tag", "format", "written", "made"]);
    if section.raw("file").is_none() {
        needs(
            section,
            "file",
            "name the log beside this file: file = \"app.log\"",
        );
    }
    if section.string("made").is_none() && section.raw("made").is_none() {
        needs(
            section,
            "made",
            "say how the log came about: the program, its version, what was done to it",
        );
    }
    let format = |text: &str| Format::from_word(if text == "json" { "jsonl" } else { text });
    let mut chosen = None;
    if let Some((text, place)) = section.string("format") {
        chosen = format(&text);
        if chosen.is_none() {
            let what = format!("`{}` is no format", text.escape_debug());
            section.fault(place, what, "write text, json, docker or cri".to_owned());
        }
    }
    Log {
        files: files(section, find),
        tag: section.string("tag").map(|(tag, _)| tag),
        format: chosen,
        written: time(section, "written"),
    }
}

fn files(section: &mut Section<'_, '_>, find: &dyn Fn(&str) -> Option<Content>) -> Vec<LogFile> {
    let mut files = Vec::new();
    for (name, place) in section.strings("file") {
        let beside = !name.is_empty() && !name.contains('/') && name != "..";
        match find(&name).filter(|_| beside) {
            Some(content) => files.push(LogFile { name, content }),
            None => {
                let what = format!("there is no log `{}` here", name.escape_debug());
                section.fault(place, what, format!("put it beside {FILE}"));
            }
        }
    }
    files
}

fn decisions(top: &mut Section<'_, '_>) -> Vec<Decision> {
    let mut decisions = Vec::new();
    for (table, place) in top.tables("decision") {
        let mut section = Section {
            sheet: top.sheet,
            label: "[[decision]]",
            table,
            place,
            complaints: Vec::new(),
        };
        decisions.extend(decision(&mut section));
        top.complaints.append(&mut section.complaints);
    }
    decisions
}

fn decision(section: &mut Section<'_, '_>) -> Option<Decision> {
    section.only(&["action", "service", "kind", "contains", "from", "by", "why"]);
    let action = section.word("action", &Action::WORDS);
    if section.raw("action").is_none() {
        needs(section, "action", "write investigate, watch or ignore");
    }
    let kinds = Kind::ALL.map(|kind| (kind.word(), kind));
    let decision = Decision {
        action: action.unwrap_or(Action::Ignore),
        service: section.string("service").map(|(name, _)| name),
        kind: section.word("kind", &kinds),
        contains: section.checked("contains", not_empty),
        from: time(section, "from"),
        by: time(section, "by"),
        why: section
            .string("why")
            .map_or_else(String::new, |(why, _)| why),
    };
    times(section, action?, &decision);
    Some(decision)
}

fn not_empty(text: &str) -> Result<(), (String, String)> {
    match text.is_empty() {
        true => Err((
            "an empty text stands in everything".to_owned(),
            "take it out".to_owned(),
        )),
        false => Ok(()),
    }
}

fn times(section: &mut Section<'_, '_>, action: Action, decision: &Decision) {
    let place = section.place.clone();
    let has_by = section.raw("by").is_some();
    match action {
        Action::Investigate | Action::Watch if !has_by => needs(
            section,
            "by",
            "write the latest event time that would do: by = \"2026-03-01T10:05:00Z\"",
        ),
        Action::Ignore if has_by || decision.from.is_some() => section.fault(
            place.clone(),
            "what is ignored is ignored at any time".to_owned(),
            "take `from` and `by` out".to_owned(),
        ),
        Action::Investigate | Action::Watch | Action::Ignore => {}
    }
    if let (Some(from), Some(by)) = (decision.from, decision.by)
        && from > by
    {
        let what = "`from` is after `by`: nothing could be in time".to_owned();
        section.fault(place, what, String::new());
    }
}

/// A time, in quotes or as TOML writes it.
fn time(section: &mut Section<'_, '_>, key: &str) -> Option<Timestamp> {
    let (value, place) = section.raw(key)?;
    let text = match value {
        DeValue::String(text) => text.to_string(),
        DeValue::Datetime(time) => time.to_string(),
        other => {
            section.wrong_type(key, "a time in a string", other, place);
            return None;
        }
    };
    let time = Timestamp::parse_rfc3339(&text);
    if time.is_none() {
        let what = format!("`{}` is no time", text.escape_debug());
        let remedy = "write it as 2026-03-01T10:05:00Z, with its zone".to_owned();
        section.fault(place, what, remedy);
    }
    time
}
