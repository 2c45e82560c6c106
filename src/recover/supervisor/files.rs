//! Releases on one host: each a folder, and a symbolic link to the one that runs. The link is replaced
//! in one step, and only while it points to where it did when that was decided.

use crate::model::recovery::{Place, Release};
use crate::model::{CommitId, Timestamp};
use crate::recover::LISTED;
use crate::recover::clock::stamp;
use crate::recover::error::{Error, ErrorKind, shown};
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A file in a release's folder that names its commit.
const COMMIT: &str = "COMMIT";

/// Where they are.
pub(super) struct Releases {
    folder: PathBuf,
    link: PathBuf,
}

/// What the link points to.
pub(super) struct Current {
    pub id: String,
    /// When it was made to.
    pub since: Option<Timestamp>,
}

impl Releases {
    /// `None` where the service has none.
    pub fn of(place: &Place) -> Option<Releases> {
        Some(Releases {
            folder: place.releases.clone()?,
            link: place.current.clone()?,
        })
    }

    pub fn current(&self) -> Result<Current, Error> {
        let told = |e| cannot("read", &self.link, e);
        let target = fs::read_link(&self.link).map_err(told)?;
        let id = target.file_name().and_then(|name| name.to_str());
        // A folder of the same name elsewhere is another program.
        let is_ours = |id: &&str| {
            let there = fs::canonicalize(&self.link);
            let ours = fs::canonicalize(&self.folder).map(|folder| folder.join(id));
            there.is_ok_and(|there| ours.is_ok_and(|ours| there == ours))
        };
        let id = id.filter(|id| is_name(id)).filter(is_ours).ok_or_else(|| {
            let what = format!(
                "{} points to no release in {}",
                self.link.display(),
                self.folder.display()
            );
            Error::new(ErrorKind::Settings, what)
        })?;
        let since = fs::symlink_metadata(&self.link)
            .and_then(|about| about.modified())
            .ok()
            .map(stamp);
        Ok(Current {
            id: id.to_owned(),
            since,
        })
    }

    /// Newest first, by the time at which their folder was last changed.
    pub fn all(&self) -> Result<Vec<Release>, Error> {
        let current = self.current()?.id;
        let told = |e| cannot("list", &self.folder, e);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(told)? {
            let entry = entry.map_err(told)?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            // A link among them is another name for one, not another one.
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_folder || !is_name(&name) {
                continue;
            }
            let made = entry.metadata().and_then(|about| about.modified()).ok();
            all.push(Release {
                commit: commit(&entry.path()).or_else(|| CommitId::parse(&name)),
                current: name == current,
                name: name.clone(),
                id: name,
                made: made.map(stamp),
                good: None,
            });
        }
        all.sort_by(|a, b| (b.made, &b.id).cmp(&(a.made, &a.id)));
        // The one that runs stays among them, however many there are.
        let mut kept = 0;
        all.retain(|release| {
            kept += 1;
            kept <= LISTED || release.current
        });
        Ok(all)
    }

    pub fn plan(&self, to: &str) -> String {
        format!(
            "symlink {} -> {}",
            self.link.display(),
            self.folder.join(to).display()
        )
    }

    /// Whether the release is there, and the link still points to `from`.
    pub fn ready(&self, from: Option<&str>, to: &str) -> Result<(), Error> {
        let target = self.folder.join(to);
        if !is_name(to) || !target.is_dir() {
            let what = format!(
                "there is no release {} in {}",
                shown(to),
                self.folder.display()
            );
            return Err(Error::new(ErrorKind::Missing, what));
        }
        if Some(self.current()?.id.as_str()) != from {
            let what = format!("{} was changed meanwhile", self.link.display());
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        Ok(())
    }

    /// Points the link to a release, if it still points to `from`.
    pub fn switch(&self, from: Option<&str>, to: &str) -> Result<(), Error> {
        self.ready(from, to)?;
        let target = self.folder.join(to);
        let name = self.link.file_name().and_then(|name| name.to_str());
        let new = format!(
            ".{}.autofix-{}",
            name.unwrap_or("current"),
            std::process::id()
        );
        let new = self.link.with_file_name(new);
        // Of an earlier try that was cut off.
        let _ = fs::remove_file(&new);
        symlink(&target, &new).map_err(|e| cannot("write", &new, e))?;
        fs::rename(&new, &self.link).map_err(|e| {
            let _ = fs::remove_file(&new);
            cannot("replace", &self.link, e)
        })
    }
}

/// A name and not a path.
fn is_name(name: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'+');
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.bytes().all(good)
}

fn commit(folder: &Path) -> Option<CommitId> {
    let mut text = String::new();
    let file = fs::File::open(folder.join(COMMIT)).ok()?;
    file.take(200).read_to_string(&mut text).ok()?;
    CommitId::parse(text.split_whitespace().next()?)
}

fn cannot(what: &str, path: &Path, e: std::io::Error) -> Error {
    let what = format!(
        "cannot {what} {}: {e}; autofix needs the right to it for [service.recover] releases and current",
        path.display()
    );
    Error::new(ErrorKind::Settings, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn releases() -> (tempfile::TempDir, Releases) {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, age) in [("r1", 300), ("r2", 200), ("r3", 100)] {
            fs::create_dir_all(at("releases").join(name)).unwrap();
            let file = fs::File::open(at("releases").join(name)).unwrap();
            let then = SystemTime::now() - std::time::Duration::from_secs(age);
            file.set_modified(then).unwrap();
        }
        symlink(at("releases").join("r3"), at("current")).unwrap();
        let releases = Releases {
            folder: at("releases"),
            link: at("current"),
        };
        (folder, releases)
    }

    #[test]
    fn releases_are_listed_newest_first_and_the_link_is_switched_in_one_step() {
        let (folder, releases) = releases();
        fs::write(folder.path().join("releases/r2/COMMIT"), "ABCDEF1\n").unwrap();
        symlink("r1", folder.path().join("releases/latest")).unwrap();
        let past = SystemTime::now() - std::time::Duration::from_secs(200);
        let file = fs::File::open(folder.path().join("releases/r2")).unwrap();
        file.set_modified(past).unwrap();
        let all = releases.all().unwrap();
        let ids: Vec<&str> = all.iter().map(|release| release.id.as_str()).collect();
        assert_eq!(ids, ["r3", "r2", "r1"]);
        assert!(all[0].current);
        assert_eq!(all[1].commit, CommitId::parse("abcdef1"));
        releases.switch(Some("r3"), "r2").unwrap();
        assert_eq!(releases.current().unwrap().id, "r2");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_link_that_was_changed_or_a_name_that_leads_elsewhere_changes_nothing() {
        let (_folder, releases) = releases();
        let kind = |from, to| releases.switch(from, to).unwrap_err().kind;
        assert_eq!(kind(Some("r2"), "r1"), ErrorKind::Invalid);
        for to in [
            "../releases/r1",
            "/etc",
            ".",
            "..",
            "r9",
            "",
            "latest",
            "r1/",
        ] {
            assert_eq!(kind(Some("r3"), to), ErrorKind::Missing, "{to}");
        }
        assert_eq!(releases.current().unwrap().id, "r3");
    }

    #[test]
    fn a_link_to_a_folder_of_the_same_name_elsewhere_is_no_release() {
        let (folder, releases) = releases();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("other/r2")).unwrap();
        fs::remove_file(at("current")).unwrap();
        symlink(at("other/r2"), at("current")).unwrap();
        assert_eq!(releases.current().err().unwrap().kind, ErrorKind::Settings);
        // A relative one inside is.
        fs::remove_file(at("current")).unwrap();
        symlink("releases/r2", at("current")).unwrap();
        assert_eq!(releases.current().unwrap().id, "r2");
    }
}
