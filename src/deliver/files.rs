//! Writes a case's results into its folder so that a reader sees each file whole or not at all,
//! and nobody but the owner reads it. What the files say is [`super::report`]'s business.

use super::{Case, Error, report};
use crate::model::IncidentId;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes of the largest diff that is written: far above what the rules for diffs allow, so that
/// only a mistake reaches it.
pub const PATCH_LIMIT: usize = 4 * 1024 * 1024;

/// What was said between us and a model, in an incident's folder.
pub const TRANSCRIPT: &str = "transcript.jsonl";

/// Where the results of an incident stand; all paths absolute where `State_Dir` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivered {
    pub folder: PathBuf,
    pub report: PathBuf,
    pub json: PathBuf,
    /// `None`: no diff was made.
    pub patch: Option<PathBuf>,
}

/// The folder of one incident under `incidents`.
pub fn folder_of(incidents: &Path, id: IncidentId) -> PathBuf {
    incidents.join(id.to_string())
}

/// Where [`write()`] puts an incident's diff.
pub fn patch_of(incidents: &Path, id: IncidentId) -> PathBuf {
    folder_of(incidents, id).join("fix.patch")
}

/// Writes `fix.patch` (where there is a diff), `report.json` and `report.md` into
/// `incidents/ID`, each atomically, mode 0600 in folders of mode 0700. May be repeated: the
/// newer results replace the older, and an older diff that no longer holds is removed.
///
/// # Errors
/// The file system's refusal, with what was tried and where.
pub fn write(incidents: &Path, case: &Case<'_>) -> Result<Delivered, Error> {
    let folder = folder_of(incidents, case.incident.id);
    make_folder(incidents)?;
    make_folder(&folder)?;
    let patch_path = patch_of(incidents, case.incident.id);
    let patch = match &case.findings.patch {
        Some(patch) if patch.text().len() > PATCH_LIMIT => {
            return Err(Error::PatchTooLarge(patch.text().len()));
        }
        Some(patch) => {
            replace(&patch_path, patch.text().as_bytes())?;
            Some(patch_path)
        }
        None => {
            remove(&patch_path)?;
            None
        }
    };
    let delivered = Delivered {
        report: folder.join("report.md"),
        json: folder.join("report.json"),
        patch,
        folder,
    };
    let patch = delivered.patch.as_deref();
    replace(&delivered.json, report::json(case, patch).as_bytes())?;
    // Last, so that a reader who finds the report finds what it speaks of.
    replace(&delivered.report, report::markdown(case, patch).as_bytes())?;
    Ok(delivered)
}

/// Writes `transcript.jsonl` into an incident's folder, in place of an older one. The text is redacted
/// by whoever hands it over.
///
/// # Errors
/// As [`write()`].
pub fn transcript(incidents: &Path, id: IncidentId, text: &str) -> Result<(), Error> {
    let folder = folder_of(incidents, id);
    make_folder(incidents)?;
    make_folder(&folder)?;
    replace(&folder.join(TRANSCRIPT), text.as_bytes())
}

fn make_folder(path: &Path) -> Result<(), Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(Error::disk("make the folder", path))?;
    let found = fs::symlink_metadata(path).map_err(Error::disk("look at", path))?;
    if !found.is_dir() {
        return Err(Error::NotAFolder(path.to_owned()));
    }
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))
            .map_err(Error::disk("close to others", path))?;
    }
    Ok(())
}

/// Puts the bytes under `path` in one step that survives a power cut.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    // A leftover of a process that was killed here and had the same id.
    remove(&new)?;
    let written = fill(&new, bytes)
        .and_then(|()| fs::rename(&new, path).map_err(Error::disk("put in place", path)));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written?;
    sync_folder(path)
}

fn fill(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(Error::disk("create", path))?;
    let filled = file.write_all(bytes).and_then(|()| file.sync_all());
    filled.map_err(Error::disk("write", path))
}

fn remove(path: &Path) -> Result<(), Error> {
    match fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::disk("remove", path)(e)),
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().unwrap_or(path);
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(Error::disk("make lasting", folder))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::report::samples::{findings, incident};
    use std::os::unix::fs::symlink;

    fn case_in(folder: &Path) -> Result<Delivered, Error> {
        let (incident, findings) = (incident(), findings());
        let case = Case {
            incident: &incident,
            findings: &findings,
            repository: None,
            commit: None,
        };
        write(&folder.join("incidents"), &case)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_reads_and_nothing_else_is_left() {
        let home = tempfile::tempdir().unwrap();
        let done = case_in(home.path()).unwrap();
        assert_eq!(mode(&done.folder), 0o700);
        assert_eq!(mode(done.folder.parent().unwrap()), 0o700);
        assert_eq!(mode(&done.report), 0o600);
        assert_eq!(mode(&done.json), 0o600);
        let mut names: Vec<_> = fs::read_dir(&done.folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["report.json", "report.md"]);
    }

    #[test]
    fn a_diff_that_no_longer_holds_goes() {
        let home = tempfile::tempdir().unwrap();
        let done = case_in(home.path()).unwrap();
        let old = done.folder.join("fix.patch");
        fs::write(&old, "old").unwrap();
        assert_eq!(case_in(home.path()).unwrap().patch, None);
        assert!(!old.exists());
    }

    #[test]
    fn an_open_folder_is_closed_and_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let incidents = home.path().join("incidents");
        fs::create_dir(&incidents).unwrap();
        fs::set_permissions(&incidents, Permissions::from_mode(0o755)).unwrap();
        let done = case_in(home.path()).unwrap();
        assert_eq!(mode(&incidents), 0o700);
        fs::remove_dir_all(&done.folder).unwrap();
        symlink(home.path(), &done.folder).unwrap();
        assert!(matches!(case_in(home.path()), Err(Error::NotAFolder(_))));
    }

    #[test]
    fn a_link_in_place_of_a_file_is_replaced_and_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let done = case_in(home.path()).unwrap();
        let victim = home.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        fs::remove_file(&done.report).unwrap();
        symlink(&victim, &done.report).unwrap();
        case_in(home.path()).unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert!(fs::symlink_metadata(&done.report).unwrap().is_file());
    }

    #[test]
    fn a_leftover_of_a_killed_process_does_not_stand_in_the_way() {
        let home = tempfile::tempdir().unwrap();
        let done = case_in(home.path()).unwrap();
        let left = format!("report.md.{}.new", std::process::id());
        fs::write(done.folder.join(&left), "half").unwrap();
        case_in(home.path()).unwrap();
        assert!(!done.folder.join(left).exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("incidents"), "a file").unwrap();
        let said = case_in(home.path()).unwrap_err().to_string();
        assert!(said.starts_with("cannot make the folder"), "{said}");
    }
}
