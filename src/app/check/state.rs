//! Whether a folder can hold autofix's state: writable, one's own, on a disk that lasts.

use crate::config::disk::{self, Disk};
use crate::config::environment;
use crate::registry::{Complaint, Place};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Complaints about a state folder. A probe file is made and removed.
pub(super) fn check(folder: &Path) -> Vec<Complaint> {
    let place = || Place::file(&folder.to_string_lossy());
    let fault = |what: String, remedy: &str| Complaint::fault(place(), what, remedy);
    let warning = |what: String, remedy: &str| Complaint::warning(place(), what, remedy);
    let mut complaints = Vec::new();
    if !folder.is_absolute() {
        complaints.push(fault(
            "a relative path".to_owned(),
            "write it from the root",
        ));
        return complaints;
    }
    let (disk, read_only) = disk::of(folder);
    match disk {
        Disk::Ephemeral(kind) => complaints.push(warning(
            format!("lies on {kind}, which does not outlive the container or machine"),
            "mount a volume there, or incidents are forgotten at each start",
        )),
        Disk::Network(kind) => complaints.push(fault(
            format!("lies on {kind}, a network file system, where SQLite's WAL cannot work"),
            "choose a folder on a disk of this machine",
        )),
        Disk::Lasting | Disk::Unknown => {}
    }
    if read_only {
        let what = "lies on a file system that is mounted read-only".to_owned();
        complaints.push(fault(
            what,
            "mount it writable, or set State_Dir to another folder",
        ));
        return complaints;
    }
    match fs::symlink_metadata(folder) {
        Ok(_) => complaints.extend(check_existing(folder)),
        Err(_) => complaints.extend(check_parent(folder)),
    }
    if folder.join("OFF").exists() {
        let what = "autofix is turned off by the file OFF".to_owned();
        complaints.push(warning(what, "remove it to turn autofix on again"));
    }
    complaints
}

fn check_existing(folder: &Path) -> Vec<Complaint> {
    let place = || Place::file(&folder.to_string_lossy());
    let fault = |what: String, remedy: &str| vec![Complaint::fault(place(), what, remedy)];
    let meta = match fs::metadata(folder) {
        Ok(meta) => meta,
        Err(error) => return fault(format!("cannot be looked at: {error}"), ""),
    };
    if !meta.is_dir() {
        return fault("not a folder".to_owned(), "name a folder");
    }
    let mut complaints = Vec::new();
    if let Some(user) = environment::user()
        && user != meta.uid()
    {
        let what = format!("belongs to user {}, and this is user {user}", meta.uid());
        complaints.extend(fault(what, "give it to the host's user: chown"));
    }
    if meta.mode() & 0o077 != 0 {
        let what = format!("others may look into it: mode {:o}", meta.mode() & 0o777);
        let remedy = "autofix sets it to 700 when it starts";
        complaints.push(Complaint::warning(place(), what, remedy));
    }
    let probe = folder.join(format!(".check-{}", std::process::id()));
    match fs::File::create_new(&probe) {
        // Left behind only where removing fails right after making it.
        Ok(_) => drop(fs::remove_file(&probe)),
        Err(error) => complaints.extend(fault(
            format!("cannot be written: {error}"),
            "let the host's user write there",
        )),
    }
    complaints
}

/// It will be made when the host starts, if the folder above allows it.
fn check_parent(folder: &Path) -> Vec<Complaint> {
    let above = disk::existing(folder);
    let place = Place::file(&folder.to_string_lossy());
    let Ok(meta) = fs::metadata(&above) else {
        return Vec::new();
    };
    let above = above.display();
    if !meta.is_dir() {
        let what = format!("cannot be made: {above} is not a folder");
        return vec![Complaint::fault(place, what, "choose another folder")];
    }
    let user = environment::user().unwrap_or(0);
    let may =
        user == 0 || (meta.uid() == user && meta.mode() & 0o200 != 0) || meta.mode() & 0o022 != 0;
    if may {
        return Vec::new();
    }
    let what = format!("does not exist, and user {user} may not make it in {above}");
    vec![Complaint::fault(
        place,
        what,
        "make it, and give it to the host's user",
    )]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_folder_of_one_s_own_is_good_and_stays_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let faults = |path: &Path| check(path).into_iter().filter(Complaint::is_fault).count();
        assert_eq!(faults(dir.path()), 0);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert_eq!(faults(&dir.path().join("new/state")), 0);
        assert!(!dir.path().join("new").exists());
    }

    #[test]
    fn bad_folders_are_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let said = |path: &Path| {
            check(path)
                .iter()
                .map(|c| format!("{c}\n"))
                .collect::<String>()
        };
        assert!(said(&file).contains("not a folder"));
        assert!(said(&file.join("x")).contains("is not a folder"));
        assert!(said(Path::new("state")).contains("a relative path"));
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(dir.path().join("OFF"), "").unwrap();
        let all = said(dir.path());
        assert!(
            all.contains("mode 755") && all.contains("file OFF"),
            "{all}"
        );
    }
}
