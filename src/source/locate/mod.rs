//! From the frames of a stack trace to files of the repository. Works on a list of paths alone,
//! better with the files' text. Reads no repository itself: [`Files`] is handed in.

mod asked;
pub mod body;
mod carry;
mod class;
mod find;
pub mod function;
mod literals;
mod names;
mod places;
mod printed;
mod rank;
mod role;
mod scripts;
pub mod statement;
mod sweep;
mod uses;

pub use places::{Changed, Evidence, Place, Places, Question, beside, places};

use crate::model::{Language, Location, Settings, Trace};
use find::{Index, Match};
use rank::Candidate;
use serde::Serialize;
use std::borrow::Cow;
use std::time::Instant;

/// The confidence from which a frame's file counts as the place of the fault: below it, more
/// than one file, or a file that only shares a name, could be meant.
pub const THRESHOLD: f64 = 0.5;

/// Most frames of a trace that are looked at: those where it was thrown, and the outermost.
const FRAME_LIMIT: usize = 2_000;

/// The files of a repository at one commit.
pub trait Files {
    /// Every path, with `/`.
    fn paths(&self) -> &[String];
    /// A file's text, where it is at hand.
    fn text(&self, path: &str) -> Option<Cow<'_, str>>;
    /// The same for a look in passing: the text is not kept.
    fn passing(&self, path: &str) -> Option<Cow<'_, str>> {
        self.text(path)
    }
    /// Shows the texts of all files until the deadline, in the order in which that is fastest.
    /// `None`: asking for one after the other is as fast, or it cannot be done.
    fn each(&self, _deadline: Instant, _visit: &mut dyn FnMut(&str, &[u8])) -> Option<Shown> {
        None
    }
}

/// How far a look at all texts came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Files that were reached.
    pub reached: usize,
    pub files: usize,
}

/// A list of paths without text.
#[derive(Clone, Debug, Default)]
pub struct PathList(pub Vec<String>);

impl Files for PathList {
    fn paths(&self) -> &[String] {
        &self.0
    }
    fn text(&self, _path: &str) -> Option<Cow<'_, str>> {
        None
    }
}

/// A frame that was found in the repository. Serialises to the line that `locate --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Located {
    /// 1 is the best.
    pub rank: usize,
    pub file: String,
    pub line: Option<u32>,
    pub function: Option<String>,
    /// 0 to 1: how far this is the place to look for the fault. Falls with every frame outwards.
    pub confidence: f64,
    pub why: String,
    /// Index into the trace's frames.
    #[serde(skip)]
    pub frame: usize,
    /// The service's own code, not a copy of somebody else's.
    #[serde(skip)]
    pub own: bool,
    /// 0 to 1: how sure it is that the frame ran this line of this file, wherever it stands.
    #[serde(skip)]
    pub mapped: f64,
    /// How many files fit the frame equally well; 1: this one alone.
    #[serde(skip)]
    pub tied: usize,
}

/// The frames that lie in the repository, best first.
pub fn locate(trace: &Trace, files: &dyn Files, settings: &Settings) -> Vec<Located> {
    let index = Index::new(files.paths(), settings, modules(trace.language, files));
    let mut candidates = Vec::new();
    let mut foreign_inside = 0;
    let mut order = trace.innermost_first();
    carry::inside_first(trace, &mut order);
    for frame in order.iter().copied().take(FRAME_LIMIT) {
        let Some(printed) = trace.frames.get(frame) else {
            continue;
        };
        let mut found = index.find(trace.language, printed);
        for one in &mut found {
            check_text(one, printed.line, printed.function.as_deref(), files);
        }
        found.sort_by(|a, b| b.sure.total_cmp(&a.sure));
        let tied = doubt(&mut found);
        match found.into_iter().next() {
            Some(best) => candidates.push(Candidate::new(frame, printed, best, tied)),
            None if candidates.is_empty() => foreign_inside += 1,
            None => {}
        }
    }
    rank::by_one_root(&mut candidates);
    rank::order(trace, candidates, foreign_inside, files)
}

/// The place of the fault, where one is known well enough.
pub fn location(located: &[Located]) -> Option<Location> {
    let best = located.first()?;
    (best.own && best.confidence >= THRESHOLD).then(|| Location {
        file: best.file.clone(),
        line: best.line,
        function: best.function.clone(),
        confidence: best.confidence,
    })
}

/// Matches that fall short of the best by less than this factor are as good as it.
const AS_GOOD: f64 = 0.8;
/// How sure a frame can be that fits several files: below [`THRESHOLD`].
const TIED: f64 = 0.9 * THRESHOLD;

/// Takes the sureness away where several files fit equally, and says how many do. Best first.
fn doubt(found: &mut [Match]) -> usize {
    let best = found.first().map_or(0.0, |one| one.sure);
    let tied = found
        .iter()
        .take_while(|one| one.sure >= best * AS_GOOD)
        .count();
    if tied > 1 {
        for one in found.iter_mut() {
            one.sure = (one.sure / tied as f64).min(TIED);
            one.why = format!("{}; {tied} files fit; set root", one.why);
        }
    }
    tied
}

/// What the file's text at the commit says about the frame.
fn check_text(one: &mut Match, line: Option<u32>, function: Option<&str>, files: &dyn Files) {
    let Some(text) = files.text(&one.file) else {
        return;
    };
    let lines: Vec<&str> = text.lines().collect();
    let Some(line) = line else {
        return;
    };
    if line as usize > lines.len() {
        one.sure *= 0.4;
        one.why = format!("{}; the file has only {} lines", one.why, lines.len());
        return;
    }
    let Some(name) = function.and_then(function::bare_name) else {
        return;
    };
    let around = function::enclosing(&lines, line);
    let near = || {
        let at = (line as usize).saturating_sub(1);
        lines[at.saturating_sub(40)..=at]
            .iter()
            .any(|l| function::has_word(l, &name))
    };
    if around.is_some_and(|f| function::has_word(&f.header, &name)) {
        one.sure += (0.99 - one.sure).max(0.0) * 0.5;
        one.why = format!("{}; line {line} lies in {name}", one.why);
    } else if near() {
        one.why = format!("{}; {name} stands shortly before line {line}", one.why);
    } else if lines.iter().any(|l| function::has_word(l, &name)) {
        one.sure *= 0.85;
        one.why = format!("{}; {name} stands elsewhere in the file", one.why);
    } else {
        one.sure *= 0.6;
        one.why = format!("{}; nothing in the file is called {name}", one.why);
    }
}

/// The module lines of the repository's `go.mod` files with their folders, longest first.
fn modules(language: Language, files: &dyn Files) -> Vec<(String, String)> {
    if language != Language::Go {
        return Vec::new();
    }
    let mut modules: Vec<(String, String)> = files
        .paths()
        .iter()
        .filter(|path| *path == "go.mod" || path.ends_with("/go.mod"))
        .take(50)
        .filter_map(|path| {
            let text = files.text(path)?;
            let module = text
                .lines()
                .find_map(|line| line.trim().strip_prefix("module "))?;
            let module = module
                .split("//")
                .next()
                .unwrap_or(module)
                .trim()
                .trim_matches('"');
            let folder = path.strip_suffix("go.mod")?.trim_end_matches('/');
            (!module.is_empty()).then(|| (module.to_owned(), folder.to_owned()))
        })
        .collect();
    modules.sort_by_key(|(module, _)| std::cmp::Reverse(module.len()));
    modules
}
