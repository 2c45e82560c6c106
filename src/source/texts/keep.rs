//! Which kept texts stay on disk: the newest of each repository and of all together, up to a
//! bound. Knows files by their names and times; what is in them does not matter here.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// What the files' names end with.
pub(super) const ENDING: &str = "texts";
/// Most bytes that are kept of all repositories together, if nobody says otherwise. While texts
/// of a commit are written, they come on top.
pub const KEPT_BYTES: u64 = 768 << 20;
/// Commits of one repository that are kept: in a rolling deploy two are live.
const COMMITS: usize = 2;
/// What is still unfinished after this time belongs to a process that was killed.
const ABANDONED: Duration = Duration::from_secs(3_600);

struct Kept {
    path: PathBuf,
    /// The repository's part of the name.
    owner: String,
    bytes: u64,
    used: SystemTime,
}

/// Makes room beside this file, which is new: for others there is what it leaves of the bytes.
pub(super) fn make_room(place: &Path, limit: u64) {
    let Some(folder) = place.parent() else { return };
    let owner = owner(place);
    let mut bytes = fs::metadata(place).map_or(0, |about| about.len());
    let mut commits = 1;
    for kept in newest_first(folder) {
        if kept.path == place {
            continue;
        }
        bytes += kept.bytes;
        let same = Some(&kept.owner) == owner.as_ref();
        commits += usize::from(same);
        if (same && commits > COMMITS) || bytes > limit {
            // Whoever reads it has it open; it goes when they are done.
            let _ = fs::remove_file(&kept.path);
        }
    }
}

/// Removes all kept texts in a folder; gives the bytes that this freed.
pub fn clear(folder: &Path) -> u64 {
    let removed = newest_first(folder)
        .into_iter()
        .filter(|kept| fs::remove_file(&kept.path).is_ok());
    removed.map(|kept| kept.bytes).sum()
}

/// All that are kept, and on the way removes what nobody finishes.
fn newest_first(folder: &Path) -> Vec<Kept> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(about) = entry.metadata() else {
            continue;
        };
        let used = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if is_new(&name) && used.elapsed().is_ok_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(&path);
        } else if let Some(owner) = owner(&path) {
            all.push(Kept {
                path,
                owner,
                bytes: about.len(),
                used,
            });
        }
    }
    all.sort_by_key(|kept| std::cmp::Reverse(kept.used));
    all
}

/// `shop-0123456789abcdef` of `shop-0123456789abcdef.COMMIT.texts`.
fn owner(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let (owner, commit) = name
        .strip_suffix(ENDING)?
        .strip_suffix('.')?
        .split_once('.')?;
    is_commit(commit).then(|| owner.to_owned())
}

/// `OWNER.COMMIT.PROCESS-TIME.new`.
fn is_new(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    matches!(parts[..], [_, commit, process, "new"]
        if is_commit(commit) && process.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
}

fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}
