//! Every text of one commit, read through one after the other: for searches. Git keeps texts as
//! changes to each other, which takes seconds to undo in a large repository; so what was read
//! once is kept in a file beside the mirror, one for a commit. Not here: what is searched for.
//!
//! The file is bounded, written under another name until it is whole, and every block of it has a
//! checksum: what a killed process left, or a disk has spoilt, is read from git again.

mod block;
mod keep;

use crate::source::diff::is_binary;
use crate::source::error::{Error, ErrorKind};
use crate::source::read::{PATH_LIMIT, is_regular};
use crate::source::repo::{Commit, Repo};
use crate::source::text;
use block::{Blocks, Record, Writer};
use git2::{ObjectType, Oid};
pub use keep::{KEPT_BYTES, clear as clear_texts};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::Instant;

/// Longest file that is searched, in bytes.
pub const LONGEST: usize = 1 << 20;
/// Most bytes of text of one commit that are searched.
pub const TEXT_LIMIT: u64 = 512 << 20;

/// One file's text.
#[derive(Clone, Copy, Debug)]
pub struct Text<'t> {
    pub path: &'t str,
    pub bytes: &'t [u8],
    /// Whether a program wrote it.
    pub generated: bool,
}

/// How much was looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Files of the commit.
    pub files: usize,
    /// Files that were reached before the deadline.
    pub reached: usize,
    /// Files that are no text, or pointers to one.
    pub no_text: usize,
    /// Files longer than [`LONGEST`], or beyond [`TEXT_LIMIT`].
    pub too_long: usize,
    /// Whether the visitor had enough.
    pub stopped: bool,
}

impl Looked {
    /// Whether every text was shown to the visitor.
    pub fn is_whole(&self) -> bool {
        self.reached == self.files && !self.stopped
    }
}

/// The texts of one commit.
#[derive(Debug)]
pub struct Texts {
    commit: Commit,
    /// Where they are kept; `None`: nowhere, and each look reads git again.
    place: Option<PathBuf>,
    /// Most bytes that are kept of all commits together.
    limit: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    New,
    Building(Building),
    Whole(Blocks),
}

#[derive(Debug)]
struct Building {
    files: Vec<(String, Oid)>,
    next: usize,
    bytes: u64,
    no_text: usize,
    too_long: usize,
    /// `None` where nothing can be kept.
    kept: Option<Writer>,
}

impl Texts {
    /// Opens what is kept of a commit, or begins anew when it is first looked at.
    pub fn of(repo: &Repo, commit: Commit) -> Texts {
        Texts {
            commit,
            place: repo.beside(&format!("{commit}.{}", keep::ENDING)),
            limit: repo.kept_limit(),
            state: State::New,
        }
    }

    /// Shows each text to the visitor, in the order of their paths, until it breaks or the
    /// deadline passes. The first look also keeps what it reads.
    ///
    /// # Errors
    /// Of a damaged repository. What cannot be kept is no error; it is noted.
    pub fn each(
        &mut self,
        repo: &Repo,
        deadline: Instant,
        visit: &mut dyn FnMut(Text<'_>) -> ControlFlow<()>,
    ) -> Result<Looked, Error> {
        let mut eye = Eye {
            visit,
            shown: 0,
            skip: 0,
            stopped: false,
        };
        self.open();
        if let State::Whole(blocks) = &mut self.state {
            match blocks.each(deadline, &mut eye) {
                Ok(looked) => return Ok(looked),
                Err(why) => {
                    repo.note(format!("texts that were kept are read again: {why}"));
                    self.forget();
                    eye.again();
                }
            }
        }
        if matches!(self.state, State::New) {
            self.begin(repo)?;
        }
        self.build(repo, deadline, eye)
    }

    /// The commit that they are of.
    pub fn commit(&self) -> Commit {
        self.commit
    }

    /// Keeps what is still missing, where a look has begun to.
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn finish(&mut self, repo: &Repo, deadline: Instant) -> Result<(), Error> {
        let begun = match &self.state {
            State::Building(building) => building.kept.is_some(),
            State::New | State::Whole(_) => false,
        };
        if begun {
            self.each(repo, deadline, &mut |_| ControlFlow::Break(()))?;
        }
        Ok(())
    }

    /// Whether everything is kept, so that a look is fast.
    pub fn is_kept(&self) -> bool {
        matches!(self.state, State::Whole(_))
    }

    fn open(&mut self) {
        if let (State::New, Some(place)) = (&self.state, &self.place)
            && let Some(blocks) = Blocks::open(place, self.commit)
        {
            self.state = State::Whole(blocks);
        }
    }

    fn forget(&mut self) {
        if let Some(place) = &self.place {
            // What cannot be removed is written over.
            let _ = std::fs::remove_file(place);
        }
        self.state = State::New;
    }

    fn begin(&mut self, repo: &Repo) -> Result<(), Error> {
        let kept = self.place.as_ref().and_then(|place| {
            Writer::create(place, self.commit)
                .map_err(|why| repo.note(format!("texts are not kept: {why}")))
                .ok()
        });
        self.state = State::Building(Building {
            files: files(repo, self.commit)?,
            next: 0,
            bytes: 0,
            no_text: 0,
            too_long: 0,
            kept,
        });
        Ok(())
    }

    fn build(&mut self, repo: &Repo, deadline: Instant, mut eye: Eye<'_>) -> Result<Looked, Error> {
        let State::Building(building) = &mut self.state else {
            return Err(Error::new(ErrorKind::Disk, "texts are not at hand"));
        };
        if building.next > 0 {
            let again = match &mut building.kept {
                Some(kept) => kept.each(deadline, &mut eye),
                None => Err("they are not kept".to_owned()),
            };
            if again.is_err() {
                eye.again();
                building.restart();
            }
        }
        building.read_on(repo, deadline, self.limit, &mut eye)?;
        let looked = building.looked(eye.stopped);
        if building.next == building.files.len()
            && let Some(kept) = building.kept.take()
        {
            match kept.finish(&looked) {
                Ok(blocks) => {
                    self.state = State::Whole(blocks);
                    if let Some(place) = &self.place {
                        keep::make_room(place, self.limit);
                    }
                }
                Err(why) => {
                    repo.note(format!("texts are not kept: {why}"));
                    self.state = State::New;
                    self.place = None;
                }
            }
        }
        Ok(looked)
    }
}

/// Who looks, and what it has seen.
pub(in crate::source) struct Eye<'v> {
    visit: &'v mut dyn FnMut(Text<'_>) -> ControlFlow<()>,
    shown: usize,
    /// Texts that it saw before a fault, which are not shown twice.
    skip: usize,
    stopped: bool,
}

impl Eye<'_> {
    /// Texts come from the first one again; those that were seen are passed over.
    fn again(&mut self) {
        self.skip = self.skip.max(self.shown);
        self.shown = 0;
    }

    fn show(&mut self, text: Text<'_>) {
        self.shown += 1;
        if !self.stopped && self.shown > self.skip {
            self.stopped = (self.visit)(text).is_break();
        }
    }
}

impl Building {
    /// Without a file nothing of the last look is left.
    fn restart(&mut self) {
        self.kept = None;
        (self.next, self.bytes, self.no_text, self.too_long) = (0, 0, 0, 0);
    }

    fn read_on(
        &mut self,
        repo: &Repo,
        deadline: Instant,
        limit: u64,
        eye: &mut Eye<'_>,
    ) -> Result<(), Error> {
        let odb = repo.git.odb()?;
        while let Some((path, id)) = self.files.get(self.next) {
            if Instant::now() >= deadline || (eye.stopped && self.kept.is_none()) {
                break;
            }
            self.next += 1;
            let (size, _) = odb.read_header(*id)?;
            if size > LONGEST || self.bytes + size as u64 > TEXT_LIMIT {
                self.too_long += 1;
                continue;
            }
            let object = odb.read(*id)?;
            let bytes = object.data();
            if is_binary(bytes) || text::lfs(bytes).is_some() {
                self.no_text += 1;
                continue;
            }
            self.bytes += size as u64;
            let text = Text {
                path,
                bytes,
                generated: text::generated(path, bytes).is_some(),
            };
            eye.show(text);
            if self.kept.is_some() && self.bytes > limit {
                repo.note(format!(
                    "texts are not kept: they are more than {limit} bytes; searches read git"
                ));
                self.kept = None;
            }
            if let Some(kept) = &mut self.kept
                && let Err(why) = kept.push(&Record::of(&text))
            {
                repo.note(format!("texts are not kept: {why}"));
                self.kept = None;
            }
        }
        Ok(())
    }

    fn looked(&self, stopped: bool) -> Looked {
        Looked {
            files: self.files.len(),
            reached: self.next,
            no_text: self.no_text,
            too_long: self.too_long,
            stopped,
        }
    }
}

/// The regular files of a commit with their objects, in the order of their paths.
fn files(repo: &Repo, commit: Commit) -> Result<Vec<(String, Oid)>, Error> {
    let mut files = Vec::new();
    let mut folders = vec![(String::new(), repo.git.find_commit(commit.0)?.tree_id())];
    while let Some((folder, id)) = folders.pop() {
        for entry in &repo.git.find_tree(id)? {
            let Ok(name) = entry.name() else { continue };
            match entry.kind() {
                Some(ObjectType::Blob) if is_regular(entry.filemode()) => {
                    files.push((format!("{folder}{name}"), entry.id()));
                }
                Some(ObjectType::Tree) => folders.push((format!("{folder}{name}/"), entry.id())),
                _ => {}
            }
        }
        if files.len() > PATH_LIMIT {
            files.truncate(PATH_LIMIT);
            repo.note(format!(
                "only {PATH_LIMIT} of the repository's files are searched"
            ));
            break;
        }
    }
    files.sort_unstable();
    Ok(files)
}
