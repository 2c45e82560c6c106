//! The registry's files: which belong to it, reading them, and seeing that they changed. What
//! stands in them is the registry's own business.

use crate::config::options::Services;
use crate::redact;
use crate::registry::{Complaint, Place, Registry, Text};
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Largest registry file that is read, in bytes.
const FILE_LIMIT: u64 = 8 << 20;

/// Most files that one registry may have.
const FILES_LIMIT: usize = 1_000;

/// Largest file of learnt templates that is read, in bytes.
const SEED_LIMIT: u64 = 64 << 20;

/// Longest description file that is read, in bytes.
const DESCRIPTION_LIMIT: u64 = 64 << 10;

/// Reads and checks the services once.
pub fn load_registry(services: &Services) -> Result<Registry, Vec<Complaint>> {
    match services {
        Services::None => Ok(Registry::default()),
        Services::Path(path) => {
            let files = registry_files(path).map_err(|complaint| vec![complaint])?;
            let texts = read_all(&files)?;
            check_redaction(Registry::parse(&texts)?)
        }
        Services::One(service, description) => {
            let mut service = service.as_ref().clone();
            if let Some(path) = description {
                let text =
                    read_text(path, DESCRIPTION_LIMIT).map_err(|complaint| vec![complaint])?;
                service.description = Some(text.trim().to_owned());
            }
            Ok(Registry::of(vec![service]))
        }
    }
}

/// The registry, if redaction takes what every service sets for it.
fn check_redaction(registry: Registry) -> Result<Registry, Vec<Complaint>> {
    let mut complaints = Vec::new();
    for service in registry.services() {
        for wrong in redact::Settings::from(&service.redact).check() {
            let what = format!(
                "`redact` of `{}`: {}: {}",
                service.name, wrong.place, wrong.what
            );
            complaints.push(Complaint::fault(service.place.clone(), what, wrong.remedy));
        }
    }
    if complaints.is_empty() {
        Ok(registry)
    } else {
        Err(complaints)
    }
}

/// A file of learnt templates as text.
pub fn read_seed(path: &Path) -> Result<String, Complaint> {
    read_text(path, SEED_LIMIT)
}

/// Services with the files they come from, so that a change is seen.
#[derive(Debug)]
pub struct RegistrySource {
    services: Services,
    stamp: Vec<Stamp>,
}

/// What tells one content of a file from another without reading it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    path: PathBuf,
    inode: u64,
    size: u64,
    /// Modified and changed, in seconds and nanoseconds.
    times: [i64; 4],
}

impl RegistrySource {
    pub fn new(services: Services) -> RegistrySource {
        RegistrySource {
            services,
            stamp: Vec::new(),
        }
    }

    /// Reads the services now.
    pub fn load(&mut self) -> Result<Registry, Vec<Complaint>> {
        // Taken before reading: an edit in between is seen at the next poll.
        self.stamp = stamp(&self.services);
        load_registry(&self.services)
    }

    /// Reads them again if a file changed since the last reading, else `None`. After an error
    /// the caller keeps the registry it has; the next edit is read again.
    pub fn poll(&mut self) -> Option<Result<Registry, Vec<Complaint>>> {
        (stamp(&self.services) != self.stamp).then(|| self.load())
    }
}

fn stamp(services: &Services) -> Vec<Stamp> {
    let paths = match services {
        Services::None | Services::One(_, None) => Vec::new(),
        Services::Path(path) => registry_files(path).unwrap_or_default(),
        Services::One(_, Some(path)) => vec![path.clone()],
    };
    paths.into_iter().filter_map(stamp_of).collect()
}

pub(super) fn stamp_of(path: PathBuf) -> Option<Stamp> {
    let meta: Metadata = fs::metadata(&path).ok()?;
    Some(Stamp {
        path,
        inode: meta.ino(),
        size: meta.size(),
        times: [
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        ],
    })
}

/// The file itself, or a folder's `*.toml` and those of its `services.d`, each sorted by name.
pub fn registry_files(path: &Path) -> Result<Vec<PathBuf>, Complaint> {
    let place = || Place::file(&path.to_string_lossy());
    let meta = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !meta.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = toml_files(path).map_err(|error| unreadable(path, &error))?;
    let more = path.join("services.d");
    if more.is_dir() {
        files.extend(toml_files(&more).map_err(|error| unreadable(&more, &error))?);
    }
    if files.is_empty() {
        let what = "no *.toml file in this folder or its services.d";
        return Err(Complaint::fault(
            place(),
            what,
            "run `autofix init` in a checkout",
        ));
    }
    if files.len() > FILES_LIMIT {
        let what = format!("more than {FILES_LIMIT} files");
        return Err(Complaint::fault(
            place(),
            what,
            "put several services into one file",
        ));
    }
    Ok(files)
}

fn toml_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path
            .file_name()
            .is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && path.extension().is_some_and(|ext| ext == "toml") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_all(files: &[PathBuf]) -> Result<Vec<Text>, Vec<Complaint>> {
    let (mut texts, mut complaints) = (Vec::new(), Vec::new());
    for path in files {
        match read_text(path, FILE_LIMIT) {
            Ok(text) => texts.push(Text {
                file: path.to_string_lossy().into_owned(),
                text,
            }),
            Err(complaint) => complaints.push(complaint),
        }
    }
    if complaints.is_empty() {
        Ok(texts)
    } else {
        Err(complaints)
    }
}

/// A file's text, up to a limit.
pub(crate) fn read_text(path: &Path, limit: u64) -> Result<String, Complaint> {
    let place = || Place::file(&path.to_string_lossy());
    // Before it is opened: opening a pipe would wait for a writer.
    let meta = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if !meta.is_file() {
        return Err(Complaint::fault(
            place(),
            "not a regular file",
            "name a file",
        ));
    }
    let file = fs::File::open(path).map_err(|error| unreadable(path, &error))?;
    let mut bytes = Vec::new();
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > limit {
        let what = format!("larger than {} KB", limit >> 10);
        return Err(Complaint::fault(place(), what, "make it smaller"));
    }
    String::from_utf8(bytes)
        .map_err(|_| Complaint::fault(place(), "not valid UTF-8", "save it as UTF-8"))
}

fn unreadable(path: &Path, error: &io::Error) -> Complaint {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "check the path; in a container it must be mounted there",
        io::ErrorKind::PermissionDenied => "let the host's user read it",
        _ => "",
    };
    let what = format!("cannot be read: {error}");
    Complaint::fault(Place::file(&path.to_string_lossy()), what, remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_folder_with_services_d() {
        let dir = tempfile::tempdir().unwrap();
        let path = Services::Path(dir.path().to_owned());
        assert!(load_registry(&path).is_err(), "an empty folder");
        fs::create_dir(dir.path().join("services.d")).unwrap();
        write(
            &dir.path().join("services.toml"),
            "[[service]]\nname = \"a\"\n",
        );
        write(
            &dir.path().join("services.d/b.toml"),
            "[[service]]\nname = \"b\"\n",
        );
        write(&dir.path().join("services.d/b.toml~"), "[[[");
        write(&dir.path().join("services.d/.#b.toml"), "[[[");
        let registry = load_registry(&path).unwrap();
        let names: Vec<_> = registry.services().iter().map(|s| s.name.clone()).collect();
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn what_redaction_does_not_take_is_told_with_its_service() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("services.toml");
        let text =
            "\n[[service]]\nname = \"a\"\nredact = { patterns = [\"x*\"], allow = [\"/(/\"] }\n";
        write(&file, text);
        let complaints = load_registry(&Services::Path(file.clone())).unwrap_err();
        let all: Vec<String> = complaints.iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), 2, "{all:?}");
        assert!(
            all[0]
                .contains("services.toml:2: `redact` of `a`: patterns[0]: `x*` matches the empty")
        );
        assert!(
            all[1].contains("allow[0]: `(` is no regular expression"),
            "{}",
            all[1]
        );
    }

    #[test]
    fn a_change_is_seen_and_a_broken_edit_is_told_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("services.toml");
        write(&file, "[[service]]\nname = \"a\"\n");
        let mut source = RegistrySource::new(Services::Path(file.clone()));
        assert!(source.load().is_ok());
        assert!(source.poll().is_none());
        write(&file, "[[service]]\nnam = \"ab\"\n");
        assert!(source.poll().unwrap().is_err());
        assert!(source.poll().is_none(), "told once");
        let other = dir.path().join("new");
        write(&other, "[[service]]\nname = \"b\"\n");
        fs::rename(&other, &file).unwrap();
        let registry = source.poll().unwrap().unwrap();
        assert_eq!(registry.services()[0].name, "b");
        fs::remove_file(&file).unwrap();
        assert!(
            source.poll().unwrap().is_err(),
            "a file that is gone is told"
        );
    }

    #[test]
    fn the_description_of_a_single_service_may_be_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("what.txt");
        write(&file, "Takes payments\n");
        let entries = [("Service", "a"), ("Descriptor", file.to_str().unwrap())]
            .map(|(key, value)| crate::config::given(key, value, Path::new("/")));
        let options = crate::config::from_entries(&entries).unwrap();
        let registry = load_registry(&options.services).unwrap();
        assert_eq!(
            registry.services()[0].description.as_deref(),
            Some("Takes payments")
        );
    }
}
