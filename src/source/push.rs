//! A commit made of whole files, and the branch that it makes at a server or in a folder. A branch
//! is only made: one that is there already is never moved, and the receiving side checks that too.
//! Whether a change may be made is decided elsewhere.

use crate::model::CommitId;
use crate::model::delivery::FileChange;
use crate::net::Secret;
use crate::source::address::{Address, parse};
use crate::source::error::{Error, ErrorKind};
use crate::source::mirror::Mirrors;
use crate::source::refs::{Service, line, lines, of_server, open};
use crate::source::repo::{Commit, Repo};
use crate::source::transport::Session;
use git2::build::TreeUpdateBuilder;
use git2::{ErrorCode, FileMode, ObjectType, Oid, Reference, Signature, Sort};
use std::path::{Component, Path};
use std::time::Instant;

/// Who such commits are by.
const NAME: &str = "autofix";
const EMAIL: &str = "autofix@localhost";
/// Commits of the base that are looked at for a change that was taken in by another commit.
const LANDED_LIMIT: usize = 1_000;
/// The id of nothing: what a branch must be before it is made.
const NOTHING: &str = "0000000000000000000000000000000000000000";

/// A commit in memory, with all that its base has not.
#[derive(Clone, Debug)]
pub struct NewCommit {
    id: Oid,
    objects: Vec<Oid>,
}

impl NewCommit {
    /// Its full id: the same for the same change, whoever makes it and however often.
    pub fn id(&self) -> String {
        self.id.to_string()
    }
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pushed {
    Made,
    /// The branch was there, with this newest commit, and was left as it is.
    There(String),
}

impl Repo {
    /// Makes a commit on a commit of this repository, in memory. Its time is that of its base, so
    /// that the same change is the same commit.
    ///
    /// # Errors
    /// When the base is not there, or a file cannot be made or removed.
    pub fn new_commit(
        &self,
        base: &CommitId,
        files: &[FileChange],
        message: &str,
    ) -> Result<NewCommit, Error> {
        let base = self.git.find_commit(self.resolve(base, &[])?.0)?;
        let old = base.tree()?;
        let mut update = TreeUpdateBuilder::new();
        let mut objects = Vec::new();
        for file in files {
            check_path(&file.path)?;
            let Some(content) = &file.content else {
                update.remove(file.path.as_str());
                continue;
            };
            let mode = match file.mode {
                0o100_644 => FileMode::Blob,
                0o100_755 => FileMode::BlobExecutable,
                mode => {
                    let what = format!("{}: no file of mode {mode:o} is made", file.path);
                    return Err(Error::new(ErrorKind::Git, what));
                }
            };
            let blob = self.git.blob(content)?;
            objects.push(blob);
            update.upsert(file.path.as_str(), blob, mode);
        }
        let tree = self
            .git
            .find_tree(update.create_updated(&self.git, &old)?)?;
        if tree.id() == old.id() {
            let what = format!("the change of {} changes nothing", self.name());
            return Err(Error::new(ErrorKind::Git, what));
        }
        objects.push(tree.id());
        for file in files {
            for folder in Path::new(&file.path).ancestors().skip(1) {
                // A folder whose last file was removed is there no more.
                if let Ok(entry) = tree.get_path(folder) {
                    objects.push(entry.id());
                }
            }
        }
        let when = git2::Time::new(base.time().seconds(), 0);
        let who = Signature::new(NAME, EMAIL, &when)?;
        let id = self
            .git
            .commit(None, &who, &who, message, &tree, &[&base])?;
        objects.push(id);
        objects.sort_unstable();
        objects.dedup();
        Ok(NewCommit { id, objects })
    }

    /// Makes a branch of a new commit, in the repository at an address, which may be another one
    /// than this.
    ///
    /// # Errors
    /// What [`Mirrors::open`] may meet; `Git` with the server's words where it refuses.
    pub fn push_new(
        &self,
        new: &NewCommit,
        branch: &str,
        to: (&Mirrors, &str),
        credentials: &dyn Fn(&str) -> Option<Secret>,
    ) -> Result<Pushed, Error> {
        let (mirrors, address) = to;
        let reference = format!("refs/heads/{branch}");
        if !Reference::is_valid_name(&reference) {
            let what = format!("{branch:?} cannot be the name of a branch");
            return Err(Error::new(ErrorKind::Git, what));
        }
        match parse(address)? {
            Address::Local(path) => self.make_in(&path, address, new, &reference),
            Address::Remote { url, host, .. } => {
                let session = mirrors.session(&url, credentials(&host), self.deadline());
                self.send_to(&session, &url, new, branch)
            }
        }
    }

    fn send_to(
        &self,
        session: &Session,
        url: &str,
        new: &NewCommit,
        branch: &str,
    ) -> Result<Pushed, Error> {
        let there = |listed: &super::Listed| listed.tip(branch).map(str::to_owned);
        if let Some(tip) = there(&of_server(session, url, Service::Takes)?) {
            return Ok(Pushed::There(tip));
        }
        let mut pack = git2::Buf::new();
        let mut builder = self.git.packbuilder()?;
        builder.set_threads(1);
        for object in &new.objects {
            builder.insert_object(*object, None)?;
        }
        builder.write_buf(&mut pack)?;
        // The old id says that there must be no such branch: the server holds to it, whatever has
        // happened since it was asked.
        let id = new.id;
        let agent = concat!("autofix/", env!("CARGO_PKG_VERSION"));
        let mut request = line(&format!(
            "{NOTHING} {id} refs/heads/{branch}\0 report-status agent={agent}\n"
        ));
        request.extend_from_slice(b"0000");
        request.extend_from_slice(&pack);
        let report = session.receive(&request)?;
        match judge(&report, branch) {
            Ok(()) => Ok(Pushed::Made),
            Err(why) => match there(&of_server(session, url, Service::Takes)?) {
                Some(tip) => Ok(Pushed::There(tip)),
                None => {
                    let what = format!("{url} refuses the branch {branch}: {why}");
                    Err(Error::new(ErrorKind::Git, what))
                }
            },
        }
    }

    /// In a folder, the lock of the reference keeps others out while it is made.
    fn make_in(
        &self,
        path: &Path,
        address: &str,
        new: &NewCommit,
        reference: &str,
    ) -> Result<Pushed, Error> {
        let target = open(path, address)?;
        let there = || match target.refname_to_id(reference) {
            Ok(id) => Ok(Some(id.to_string())),
            Err(e) if e.code() == ErrorCode::NotFound => Ok(None),
            Err(e) => Err(Error::from(e)),
        };
        if let Some(tip) = there()? {
            return Ok(Pushed::There(tip));
        }
        let (from, into) = (self.git.odb()?, target.odb()?);
        for object in &new.objects {
            let object = from.read(*object)?;
            into.write(object.kind(), object.data())?;
        }
        let mut change = target.transaction()?;
        match change.lock_ref(reference) {
            Ok(()) => {}
            Err(e) if e.code() == ErrorCode::Locked => {
                // A process that was killed just here leaves its lock, as git's own do.
                let lock = target.path().join(format!("{reference}.lock"));
                let what = format!(
                    "{address}: another process is making {reference}; if none is, remove {}",
                    lock.display()
                );
                return Err(Error::new(ErrorKind::Network, what));
            }
            Err(e) => return Err(e.into()),
        }
        if let Some(tip) = there()? {
            return Ok(Pushed::There(tip));
        }
        let who = Signature::now(NAME, EMAIL)?;
        change.set_target(reference, new.id, Some(&who), "made by autofix")?;
        change.commit()?;
        Ok(Pushed::Made)
    }

    /// Fetches, however new the mirror is; a local repository is up to date at any time.
    fn fetch_now(&self) -> Result<(), Error> {
        if let Some(refetch) = self.refetch() {
            for note in refetch.run_now(self.deadline())? {
                self.note(note);
            }
        }
        Ok(())
    }

    /// A commit that a server has, by its full id, fetched if it is not here yet.
    ///
    /// # Errors
    /// `Network` where it does not come; what fetching may meet.
    pub fn brought(&self, id: &str) -> Result<Commit, Error> {
        let unknown = || {
            let what = format!("{}: commit {id} is there, but does not come", self.name());
            Error::new(ErrorKind::Network, what)
        };
        let id = CommitId::parse(id).ok_or_else(unknown)?;
        match self.lookup(&id) {
            Some(commit) => Ok(commit),
            None => {
                self.fetch_now()?;
                self.lookup(&id).ok_or_else(unknown)
            }
        }
    }

    /// A commit's whole message, and how many parents it has (also where they are not at hand).
    ///
    /// # Errors
    /// Of a damaged repository.
    pub fn message_of(&self, commit: Commit) -> Result<(String, usize), Error> {
        let commit = self.git.find_commit(commit.0)?;
        let header = String::from_utf8_lossy(commit.raw_header_bytes()).into_owned();
        let parents = header.lines().filter(|l| l.starts_with("parent ")).count();
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        Ok((message, parents))
    }

    /// The commit that brought a change into a branch: the oldest one of its own line, of those
    /// that are not in the base's history, that holds every file as the change leaves it.
    ///
    /// # Errors
    /// When the deadline passes first, or of a damaged repository.
    pub fn landed(
        &self,
        tip: Commit,
        base: Commit,
        files: &[FileChange],
    ) -> Result<Option<Commit>, Error> {
        let mut walk = self.git.revwalk()?;
        walk.set_sorting(Sort::TOPOLOGICAL)?;
        walk.simplify_first_parent()?;
        walk.push(tip.0)?;
        walk.hide(base.0)?;
        let mut landed = None;
        for id in walk.take(LANDED_LIMIT) {
            self.check_deadline()?;
            let commit = Commit(id?);
            if self.holds(commit, files)? {
                landed = Some(commit);
            }
        }
        Ok(landed)
    }

    fn holds(&self, commit: Commit, files: &[FileChange]) -> Result<bool, Error> {
        let tree = self.git.find_commit(commit.0)?.tree()?;
        for file in files {
            let here = match tree.get_path(Path::new(&file.path)) {
                Ok(entry) => Some(entry.id()),
                Err(e) if e.code() == ErrorCode::NotFound => None,
                Err(e) => return Err(e.into()),
            };
            let wanted = match &file.content {
                Some(content) => Some(Oid::hash_object(ObjectType::Blob, content)?),
                None => None,
            };
            if here != wanted {
                return Ok(false);
            }
        }
        Ok(!files.is_empty())
    }
}

/// libgit2 takes any text as a path; git itself would refuse these.
fn check_path(path: &str) -> Result<(), Error> {
    let good = |part: Component<'_>| match part {
        Component::Normal(name) => !name.eq_ignore_ascii_case(".git"),
        Component::Prefix(_) | Component::RootDir | Component::CurDir | Component::ParentDir => {
            false
        }
    };
    let plain = !path.is_empty() && !path.ends_with('/') && !path.contains("//");
    if plain && !path.contains(['\0', '\\']) && Path::new(path).components().all(good) {
        return Ok(());
    }
    let what = format!("{path:?} is no path of a file in a repository");
    Err(Error::new(ErrorKind::Git, what))
}

/// Whether a server took the one branch; its own words where it did not.
fn judge(report: &[u8], branch: &str) -> Result<(), String> {
    let plain = |line: &[u8]| {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end().chars().filter(|c| !c.is_control());
        text.take(300).collect::<String>()
    };
    let lines = lines(report).ok_or("its report cannot be read")?;
    let lines: Vec<String> = lines.into_iter().map(plain).collect();
    if let Some(why) = lines.iter().find_map(|line| line.strip_prefix("unpack "))
        && why != "ok"
    {
        return Err(format!("it cannot unpack the change: {why}"));
    }
    let refused = format!("ng refs/heads/{branch} ");
    if let Some(why) = lines.iter().find_map(|line| line.strip_prefix(&refused)) {
        return Err(why.to_owned());
    }
    match lines.contains(&format!("ok refs/heads/{branch}")) {
        true => Ok(()),
        false => Err("its report says nothing of the branch".to_owned()),
    }
}

impl Mirrors {
    /// Opens a repository with a commit of its in it that a server is known to have.
    ///
    /// # Errors
    /// As [`Mirrors::open`] and [`Repo::brought`].
    pub fn open_with(
        &self,
        repo: &str,
        commit: &str,
        credentials: &dyn Fn(&str) -> Option<Secret>,
        deadline: Instant,
    ) -> Result<(Repo, Commit), Error> {
        let repo = self.open(repo, credentials, deadline)?;
        let commit = repo.brought(commit)?;
        Ok((repo, commit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_good_only_if_it_says_so() {
        let report = |texts: &[&str]| {
            let mut bytes: Vec<u8> = texts.iter().flat_map(|text| line(text)).collect();
            bytes.extend_from_slice(b"0000");
            bytes
        };
        assert!(judge(&report(&["unpack ok\n", "ok refs/heads/b\n"]), "b").is_ok());
        for (texts, why) in [
            (&["unpack index-pack abnormal exit\n"][..], "cannot unpack"),
            (
                &["unpack ok\n", "ng refs/heads/b hook declined\n"],
                "hook declined",
            ),
            (
                &["unpack ok\n", "ok refs/heads/c\n"],
                "nothing of the branch",
            ),
            (&[], "nothing of the branch"),
        ] {
            let said = judge(&report(texts), "b").unwrap_err();
            assert!(said.contains(why), "{said}");
        }
        assert!(judge(b"what?", "b").is_err());
    }

    #[test]
    fn odd_paths_are_refused() {
        for path in [
            "",
            "/a",
            "../a",
            "a/../b",
            "a//b",
            "a/",
            ".git/config",
            "a/.GIT/x",
            "a\\b",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
        for path in ["a", "a/b.c", ".github/x", "a.git/b"] {
            assert!(check_path(path).is_ok(), "{path}");
        }
    }
}
