//! A case: a folder with `case.toml`, the service's block of the registry, the log, the history
//! or where it is, and the hidden test. Text in, a checked case or every complaint at once out;
//! `cases/README.md` describes the form for those who write one.

use crate::app::Error;
use crate::app::eval::folder;
use crate::config::{Complaint, Place};
use crate::model::Timestamp;
use crate::registry::sheet::{Section, Sheet};
use crate::registry::{CommitSource, Registry, Service, Text};
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeTable;

/// The file that makes a folder a case.
pub const FILE: &str = "case.toml";
/// The service's block of the registry.
pub const SERVICE: &str = "service.toml";
/// The history as a stream for `git fast-import`, where the block names no local repository.
pub const HISTORY: &str = "repo.fi";
/// The files that are laid over the work tree before the hidden test runs.
pub const HIDDEN: &str = "hidden";
/// A diff that is right: proves that the hidden test can pass.
pub const RIGHT: &str = "right.patch";

const DEFAULT_SECONDS: u64 = 120;
const MOST_SECONDS: u64 = 600;

/// What taking the suspect change back should come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revert {
    /// A diff with which the hidden test passes.
    Diff,
    /// No recent change is to blame: no diff.
    None,
}

/// A fault whose right outcome is known.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub folder: PathBuf,
    pub language: String,
    /// The faulty file, as a path inside the repository.
    pub file: String,
    pub revert: Revert,
    pub log: PathBuf,
    /// About when the log was written, for stamps without a year and lines without a stamp.
    pub written: Option<Timestamp>,
    /// With its deployed commit.
    pub service: Service,
    pub commit: String,
    /// The hidden test's command, a word each.
    pub test: Vec<String>,
    pub within: Duration,
    /// Programs without which the test cannot run.
    pub needs: Vec<String>,
}

/// The cases of a folder, by name: each of its folders that holds `case.toml`.
///
/// # Errors
/// When there is none, or any of them is not right.
pub fn read_folder(folder: &Path) -> Result<Vec<Case>, Error> {
    folder::read(folder, FILE, "cases", read)
}

fn read(folder: &Path) -> Result<Case, Vec<Complaint>> {
    let (text, file) = folder::text_of(&folder.join(FILE))?;
    let service = service(folder);
    let sheet = Sheet::new(&file, &text);
    let (root, faults) = DeTable::parse_recoverable(&text);
    let mut top = Section::new(&sheet, "this file", &root);
    for fault in faults {
        let place = fault
            .span()
            .map_or_else(|| sheet.whole(), |at| sheet.place(at.start));
        top.fault(place, fault.message().to_owned(), String::new());
    }
    let (service, mut complaints) = match service {
        Ok(service) => (Some(service), Vec::new()),
        Err(complaints) => (None, complaints),
    };
    let case = whole(folder, &mut top, service);
    complaints.append(&mut top.complaints);
    complaints.retain(Complaint::is_fault);
    match case {
        Some(case) if complaints.is_empty() => Ok(case),
        _ => Err(complaints),
    }
}

/// The one service of `service.toml`, and its deployed commit.
fn service(folder: &Path) -> Result<(Service, String), Vec<Complaint>> {
    let (text, file) = folder::text_of(&folder.join(SERVICE))?;
    let place = Place::file(&file);
    let wrong = |what: &str, remedy: &str| {
        let complaint = Complaint::fault(place.clone(), what.to_owned(), remedy);
        Err(vec![complaint])
    };
    let own = Text {
        file: file.clone(),
        text,
    };
    let registry = Registry::parse(&[own])?;
    let [service] = registry.services() else {
        return wrong("not exactly one [[service]]", "a case is about one service");
    };
    let CommitSource::Fixed(commit) = &service.commit else {
        let remedy = "write the commit that ran: commit = \"7 to 40 hexadecimal digits\"";
        return wrong("the deployed commit is not written out", remedy);
    };
    let local = service
        .repo
        .as_deref()
        .is_some_and(|repo| repo.starts_with('/'));
    if !local && !folder.join(HISTORY).is_file() {
        let remedy = "name a clone on this host (repo = \"/srv/git/shop\"), or put the output of \
            `git fast-export --all` beside this file as repo.fi";
        return wrong("there is no history to read", remedy);
    }
    Ok((service.clone(), commit.as_str().to_owned()))
}

/// `None` with a complaint, here or about the service.
fn whole(
    folder: &Path,
    top: &mut Section<'_, '_>,
    service: Option<(Service, String)>,
) -> Option<Case> {
    top.only(&[
        "description",
        "language",
        "file",
        "revert",
        "why",
        "right",
        "log",
        "written",
        "made",
        "test",
    ]);
    let mut text = |key: &str, remedy: &str| {
        let found = top.string(key);
        if found.is_none() && top.raw(key).is_none() {
            needs(top, key, remedy);
        }
        found.map(|(text, _)| text)
    };
    let language = text("language", "language = \"python\"");
    let file = text(
        "file",
        "name the faulty file, as a path inside the repository",
    );
    let log = text("log", "name the log beside this file: log = \"app.log\"");
    text("why", "say in two sentences how the fault came about");
    text("right", "say what a right fix is");
    text(
        "made",
        "say how the log came about: the program, its version, what was done to it",
    );
    let revert = top.word("revert", &[("diff", Revert::Diff), ("none", Revert::None)]);
    if top.raw("revert").is_none() {
        needs(
            top,
            "revert",
            "write diff or none: what taking the suspect change back should come to",
        );
    }
    let written = top.string("written").map(|(text, place)| {
        let time = Timestamp::parse_rfc3339(&text);
        if time.is_none() {
            let what = format!("`{}` is no time", text.escape_debug());
            top.fault(place, what, "write it as 2026-03-01T10:05:00Z".to_owned());
        }
        time
    });
    let log = folder.join(log?);
    if !log.is_file() {
        let place = top.place.clone();
        let what = format!("there is no log `{}`", log.display());
        top.fault(place, what, format!("put it beside {FILE}"));
    }
    if !folder.join(HIDDEN).is_dir() {
        let place = top.place.clone();
        let remedy = format!("put the hidden test into a folder {HIDDEN} beside {FILE}");
        top.fault(place, "there is no hidden test".to_owned(), remedy);
    }
    if top.raw("test").is_none() {
        needs(
            top,
            "[test]",
            "name the hidden test's command: command = [\"python3\", \"check.py\"]",
        );
    }
    let (test, programs, within) = top.inside("test", "[test]", test)?;
    let name = folder.file_name().unwrap_or(folder.as_os_str());
    let name = name.to_string_lossy().into_owned();
    let (service, commit) = service?;
    Some(Case {
        name,
        folder: folder.to_owned(),
        language: language?,
        file: file?,
        revert: revert?,
        log,
        written: written.flatten(),
        service,
        commit,
        test,
        within,
        needs: programs,
    })
}

fn test(section: &mut Section<'_, '_>) -> (Vec<String>, Vec<String>, Duration) {
    section.only(&["command", "needs", "seconds"]);
    let words = |section: &mut Section<'_, '_>, key| {
        let words = section.strings(key).into_iter();
        words.map(|(word, _)| word).collect::<Vec<String>>()
    };
    let command = words(section, "command");
    if command.is_empty() {
        needs(
            section,
            "command",
            "a list of words: command = [\"python3\", \"check.py\"]",
        );
    }
    let programs = words(section, "needs");
    let mut seconds = DEFAULT_SECONDS;
    if let Some((value, place)) = section.raw("seconds") {
        let number = value
            .as_integer()
            .and_then(|number| number.as_str().parse().ok());
        match number.filter(|number| (1..=MOST_SECONDS).contains(number)) {
            Some(number) => seconds = number,
            None => {
                let what = format!("`seconds` is no number from 1 to {MOST_SECONDS}");
                section.fault(place, what, format!("write seconds = {DEFAULT_SECONDS}"));
            }
        }
    }
    (command, programs, Duration::from_secs(seconds))
}

fn needs(section: &mut Section<'_, '_>, what: &str, remedy: &str) {
    let place = section.place.clone();
    let what = format!("{} has no {what}", section.label);
    section.fault(place, what, remedy.to_owned());
}
