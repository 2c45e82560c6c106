//! A folder of what is evaluated: a folder for each, told by the file in it. What such a file says is
//! for `scenario` and `fix::case`.

use crate::app::Error;
use crate::config::{Complaint, Place};
use std::io;
use std::path::Path;

/// Largest file of settings that is read, in bytes.
const FILE_LIMIT: u64 = 1 << 20;

/// Reads each folder below this one that holds `file`, by name. `what`: as people call them.
///
/// # Errors
/// When there is none, or any of them is not right.
pub fn read<T>(
    folder: &Path,
    file: &str,
    what: &str,
    read: impl Fn(&Path) -> Result<T, Vec<Complaint>>,
) -> Result<Vec<T>, Error> {
    let failed = |fault: io::Error| Error::unfinished(folder.display(), fault);
    let mut places = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let place = entry.map_err(failed)?.path();
        if place.join(file).is_file() {
            places.push(place);
        }
    }
    places.sort();
    if places.is_empty() {
        let remedy = format!("name the folder that holds the {what}' folders");
        let place = Place::file(&folder.to_string_lossy());
        return Err(
            Complaint::fault(place, format!("no folder with a {file} in it"), remedy).into(),
        );
    }
    let mut good = Vec::new();
    let mut complaints = Vec::new();
    for place in &places {
        match read(place) {
            Ok(one) => good.push(one),
            Err(mut more) => complaints.append(&mut more),
        }
    }
    match complaints.is_empty() {
        true => Ok(good),
        false => Err(Error::Complaints(complaints)),
    }
}

/// A file's text, and its name for complaints.
///
/// # Errors
/// When it cannot be read, or is too large.
pub fn text_of(path: &Path) -> Result<(String, String), Vec<Complaint>> {
    let file = path.to_string_lossy().into_owned();
    let fault = |what: String| vec![Complaint::fault(Place::file(&file), what, "")];
    let size = std::fs::metadata(path).map_or(0, |about| about.len());
    if size > FILE_LIMIT {
        return Err(fault(format!("more than {FILE_LIMIT} bytes")));
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok((text, file)),
        Err(why) => Err(fault(why.to_string())),
    }
}
