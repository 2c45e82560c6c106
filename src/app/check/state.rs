//! Whether a folder can hold autofix's state: writable, one's own, on a disk that lasts.

use crate::config::environment;
use crate::registry::{Complaint, Place};
use crate::store::place::{self, Disk};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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
    match place::disk(folder) {
        Disk::Fleeting => complaints.push(warning(
            "lies in memory or in a container's own layer, so it does not last".to_owned(),
            "mount a volume there, or incidents are forgotten at each start",
        )),
        Disk::Network => complaints.push(fault(
            "lies on a network file system, where SQLite's WAL does not work".to_owned(),
            "choose a folder on a local disk or a block volume",
        )),
        Disk::Lasting | Disk::Unknown => {}
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
    complaints.extend(check_mode(folder, meta.mode()));
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

/// As the store does when it opens the folder.
fn check_mode(folder: &Path, mode: u32) -> Option<Complaint> {
    let at = Place::file(&folder.to_string_lossy());
    if mode & 0o022 != 0 {
        let what = format!("others may write there: mode {:o}", mode & 0o7777);
        let remedy = "chmod 700, or name a folder of its own";
        return Some(Complaint::fault(at, what, remedy));
    }
    if mode & 0o077 == 0 || folder.join(place::DATABASE).exists() {
        return None;
    }
    let empty = fs::read_dir(folder).is_ok_and(|mut list| list.next().is_none());
    (!empty).then(|| {
        let what = "has other files in it and can be read by others";
        Complaint::fault(at, what, "name a folder of its own")
    })
}

/// It will be made when the host starts, if the folder above allows it.
fn check_parent(folder: &Path) -> Vec<Complaint> {
    let exists = folder
        .ancestors()
        .find_map(|above| above.canonicalize().ok());
    let above = exists.unwrap_or_else(|| PathBuf::from("/"));
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
        assert!(all.contains("other files in it"), "{all}");
        assert!(all.contains("file OFF"), "{all}");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(said(dir.path()).contains("mode 777"));
    }
}
