//! From the frames of a stack trace to files of the repository. Works on a list of paths alone,
//! better with the files' text. Reads no repository itself: [`Files`] is handed in.

use crate::model::{Location, Settings, Trace};
use serde::Serialize;
use std::borrow::Cow;

/// The confidence from which a frame's file counts as the place of the fault: below it, more
/// than one file, or a file that only shares a name, could be meant.
pub const THRESHOLD: f64 = 0.5;

/// The files of a repository at one commit.
pub trait Files {
    /// Every path, with `/`.
    fn paths(&self) -> &[String];
    /// A file's text, where it is at hand.
    fn text(&self, path: &str) -> Option<Cow<'_, str>>;
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
    /// 0 to 1: how sure it is that the frame ran this file's line.
    pub confidence: f64,
    pub why: String,
    /// Index into the trace's frames.
    #[serde(skip)]
    pub frame: usize,
    /// The service's own code, not a copy of somebody else's.
    #[serde(skip)]
    pub own: bool,
}

/// The frames that lie in the repository, best first.
pub fn locate(trace: &Trace, files: &dyn Files, settings: &Settings) -> Vec<Located> {
    let _ = (trace, files, settings);
    Vec::new()
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
