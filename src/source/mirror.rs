//! From the address of a repository to an open [`Repo`]: local ones are read where they are,
//! remote ones from a bare mirror in the state folder, fetched again when a commit is missing.
//! What is in them is `repo`'s business; how bytes come over the wire is `transport`'s.

use crate::log::Log;
use crate::net::{Http, Secret};
use crate::source::address::{self, Address, parse};
use crate::source::error::{Error, ErrorKind};
use crate::source::git_setup;
use crate::source::lock::Lock;
use crate::source::repo::{Beside, Repo};
use crate::source::texts::KEPT_BYTES;
use crate::source::transport::Session;
use git2::{AutotagOption, ErrorCode, FetchOptions, FetchPrune, RemoteCallbacks, Repository};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Most bytes that one fetch may bring over the wire.
pub const SIZE_LIMIT: u64 = 512 << 20;
/// How much of the history is fetched where all of it is more than the limit, in commits.
pub const DEPTH: i32 = 500;
/// How long a mirror counts as new: fetching again within it cannot help.
const FRESH: Duration = Duration::from_secs(30);

/// The server's branches and tags, and nothing else: proposals of strangers stay out.
const WANTED: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Opens repositories and keeps the mirrors of remote ones.
#[derive(Clone, Debug)]
pub struct Mirrors {
    dir: PathBuf,
    http: Http,
    log: Log,
    size_limit: u64,
    kept_limit: u64,
}

impl Mirrors {
    /// `dir`: the folder for mirrors, made when the first one is needed.
    pub fn new(dir: PathBuf, http: Http, log: Log) -> Mirrors {
        Mirrors {
            dir,
            http,
            log,
            size_limit: SIZE_LIMIT,
            kept_limit: KEPT_BYTES,
        }
    }

    /// Another limit than [`SIZE_LIMIT`] for what one fetch may bring, in bytes.
    pub fn with_size_limit(mut self, bytes: u64) -> Mirrors {
        self.size_limit = bytes;
        self
    }

    /// Another limit than [`KEPT_BYTES`] for the texts that are kept for searches, in bytes.
    pub fn with_kept_limit(mut self, bytes: u64) -> Mirrors {
        self.kept_limit = bytes;
        self
    }

    /// Opens the repository at a path, a `file://` or an `https://` address (`http://` on
    /// loopback only). `credentials` gives the token for a host; it is asked for remote
    /// addresses only. The deadline holds for this call and for all that the `Repo` does.
    ///
    /// # Errors
    /// Every kind of [`ErrorKind`] but those about commits.
    pub fn open(
        &self,
        repo: &str,
        credentials: &dyn Fn(&str) -> Option<Secret>,
        deadline: Instant,
    ) -> Result<Repo, Error> {
        git_setup::ensure()?;
        match parse(repo)? {
            Address::Local(path) => {
                let beside = self.beside_local(&path);
                Repo::open(&path, repo, deadline, None, beside)
            }
            Address::Remote { url, host, key } => {
                let refetch = Refetch {
                    mirrors: self.clone(),
                    mirror: self.dir.join(format!("{key}.git")),
                    secret: credentials(&host),
                    url,
                };
                let mut notes = Vec::new();
                if !refetch.mirror.exists() {
                    notes = refetch.run(deadline)?;
                }
                let (mirror, url) = (refetch.mirror.clone(), refetch.url.clone());
                let beside = Some(self.beside(&key));
                let repo = Repo::open(&mirror, &url, deadline, Some(refetch), beside)?;
                notes.into_iter().for_each(|note| repo.note(note));
                Ok(repo)
            }
        }
    }
}

impl Mirrors {
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// What is kept of a local repository stands where mirrors do, if there is such a folder.
    fn beside_local(&self, path: &Path) -> Option<Beside> {
        (!self.dir.as_os_str().is_empty()).then_some(())?;
        let real = path.canonicalize().ok()?;
        Some(self.beside(&address::key_of("local", &real.to_string_lossy())))
    }

    fn beside(&self, key: &str) -> Beside {
        Beside {
            prefix: self.dir.join(key),
            limit: self.kept_limit,
        }
    }
}

/// Brings one mirror up to date.
#[derive(Clone, Debug)]
pub(super) struct Refetch {
    mirrors: Mirrors,
    mirror: PathBuf,
    secret: Option<Secret>,
    url: String,
}

impl Refetch {
    fn beside(&self, ending: &str) -> PathBuf {
        self.mirror.with_extension(ending)
    }

    /// Whether it was just fetched, by any process, so that fetching again cannot help.
    pub fn is_fresh(&self) -> bool {
        let stamp = fs::metadata(self.beside("stamp")).and_then(|m| m.modified());
        stamp.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < FRESH))
    }

    /// Fetches; several processes take turns. Gives the notes about what was cut.
    pub fn run(&self, deadline: Instant) -> Result<Vec<String>, Error> {
        self.run_unless_fresh(deadline, true)
    }

    /// Fetches, however new the mirror is: the server is known to have what the mirror has not.
    pub fn run_now(&self, deadline: Instant) -> Result<Vec<String>, Error> {
        self.run_unless_fresh(deadline, false)
    }

    fn run_unless_fresh(&self, deadline: Instant, rests: bool) -> Result<Vec<String>, Error> {
        let disk = |e: std::io::Error| {
            let dir = self.mirrors.dir.display();
            Error::new(ErrorKind::Disk, format!("mirror folder {dir}: {e}"))
        };
        make_private(&self.mirrors.dir).map_err(disk)?;
        let lock = Lock::take(&self.beside("lock"), deadline).map_err(disk)?;
        let Some(_lock) = lock else {
            let what = format!("another process is still fetching {}", self.url);
            return Err(Error::new(ErrorKind::Deadline, what));
        };
        // Another process may have done it while this one waited.
        if rests && self.mirror.exists() && self.is_fresh() {
            return Ok(Vec::new());
        }
        let notes = if self.mirror.exists() {
            clear_leftovers(&self.mirror);
            let git = Repository::open_bare(&self.mirror)?;
            self.fetch(&git, deadline, git.is_shallow())?
        } else {
            self.make(deadline).inspect_err(|_| {
                let _ = fs::remove_dir_all(self.beside("new"));
            })?
        };
        fs::write(self.beside("stamp"), b"").map_err(disk)?;
        Ok(notes)
    }

    /// The first fetch goes into a folder of its own: a mirror is whole or not there.
    fn make(&self, deadline: Instant) -> Result<Vec<String>, Error> {
        let new = self.beside("new");
        let fresh = || -> Result<Repository, Error> {
            let _ = fs::remove_dir_all(&new);
            Ok(Repository::init_bare(&new)?)
        };
        self.mirrors.log.info(&format!("mirroring {}", self.url));
        let notes = match self.fetch(&fresh()?, deadline, false) {
            Err(e) if e.kind == ErrorKind::TooLarge => self.fetch(&fresh()?, deadline, true)?,
            done => done?,
        };
        fs::rename(&new, &self.mirror).map_err(|e| {
            let path = self.mirror.display();
            Error::new(ErrorKind::Disk, format!("mirror {path}: {e}"))
        })?;
        Ok(notes)
    }

    fn fetch(&self, git: &Repository, deadline: Instant, cut: bool) -> Result<Vec<String>, Error> {
        let limit = self.mirrors.size_limit;
        let secret = self.secret.clone();
        let session = Session::new(
            self.mirrors.http.clone(),
            &self.url,
            secret,
            deadline,
            limit,
        );
        let fetched = session.during(|| fetch_all(git, deadline, cut));
        if let Err(e) = fetched {
            return Err(session.failure().unwrap_or_else(|| {
                let (kind, what) = match Instant::now() >= deadline {
                    true => (ErrorKind::Deadline, "no time left for fetching"),
                    false => (ErrorKind::Network, e.message()),
                };
                Error::new(kind, format!("{}: {what}", self.url))
            }));
        }
        let cut = cut.then(|| {
            format!(
                "{} is larger than {limit} bytes: only the newest {DEPTH} commits are at hand",
                self.url
            )
        });
        Ok(cut.into_iter().collect())
    }
}

fn fetch_all(git: &Repository, deadline: Instant, cut: bool) -> Result<(), git2::Error> {
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(|_| Instant::now() < deadline);
    let mut options = FetchOptions::new();
    options
        .remote_callbacks(callbacks)
        .prune(FetchPrune::On)
        .update_fetchhead(false)
        .download_tags(AutotagOption::None);
    if cut {
        options.depth(DEPTH);
    }
    // The session holds the real address; libgit2 only needs one of our scheme.
    let mut remote = git.remote_anonymous(&format!("{}://mirror/", git_setup::SCHEME))?;
    remote.fetch(&WANTED, Some(&mut options), None)?;
    // A mirror's HEAD is the server's: which branch is the default one may change. A server with
    // no branch yet has none.
    match remote.default_branch() {
        Ok(name) => git.set_head(name.as_str()?),
        Err(e) if e.code() == ErrorCode::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// What a killed process left in a mirror that nobody else fetches into now.
fn clear_leftovers(mirror: &Path) {
    let mut folders = vec![mirror.join("refs")];
    let pack = mirror.join("objects/pack");
    for name in [
        "packed-refs.lock",
        "HEAD.lock",
        "config.lock",
        "shallow.lock",
    ] {
        let _ = fs::remove_file(mirror.join(name));
    }
    for entry in fs::read_dir(pack).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.ends_with(".pack") && !name.ends_with(".idx") {
            let _ = fs::remove_file(entry.path());
        }
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "lock") {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Source code is nobody else's business.
pub(super) fn make_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
}
