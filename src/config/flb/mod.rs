//! Fluent Bit's own configuration files, as far as autofix must understand them: which
//! `[OUTPUT]` blocks are `Name autofix`, with each key's line, and how the plugin is loaded.
//! Not a check of the rest of a file; the host does that (`--dry-run`).

mod classic;
mod yaml;

use crate::config::entry::Entry;
use crate::config::files::read_text;
use crate::registry::{Complaint, Place};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Largest file that is read, in bytes.
const FILE_LIMIT: u64 = 4 << 20;

/// Most files that may be included, and how deep.
const FILES_LIMIT: usize = 500;
const DEPTH_LIMIT: usize = 16;

/// One section of a file.
#[derive(Clone, Debug)]
pub struct Block {
    /// In lower case: `output`, `service`, `plugins`.
    pub section: String,
    pub place: Place,
    pub entries: Vec<Entry>,
}

impl Block {
    /// The key's value, in any case.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        let mut entries = self.entries.iter();
        entries.find(|entry| entry.key.eq_ignore_ascii_case(key))
    }
}

/// A file with all that it includes.
#[derive(Clone, Debug, Default)]
pub struct FluentBit {
    pub blocks: Vec<Block>,
    /// Paths of plugins that it loads.
    pub plugins: Vec<Entry>,
    pub complaints: Vec<Complaint>,
}

impl FluentBit {
    /// The blocks that are ours.
    pub fn outputs(&self) -> Vec<&Block> {
        let ours = |block: &&Block| {
            let name = block.get("name").map(|entry| entry.value.as_str());
            block.section == "output"
                && name.is_some_and(|name| name.eq_ignore_ascii_case(super::OUTPUT_NAME))
        };
        self.blocks.iter().filter(ours).collect()
    }
}

/// Reads a file in the form that its name or its first lines tell: `.yaml`, `.yml`, or classic.
/// Fails only where the file itself cannot be read.
pub fn read(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> Result<FluentBit, Complaint> {
    let text = read_text(path, FILE_LIMIT)?;
    let mut reader = Reader {
        folder: path.parent().unwrap_or(Path::new("")).to_owned(),
        env,
        set: HashMap::new(),
        found: FluentBit::default(),
        files: 1,
    };
    if is_yaml(path, &text) {
        yaml::read(&mut reader, path, &text, 0);
    } else {
        classic::read(&mut reader, path, &text, 0);
    }
    reader.plugins_file();
    Ok(reader.found)
}

/// The one block to use: the only one, or the one of that alias, match or number (from 1).
pub fn choose<'a>(
    path: &Path,
    outputs: &[&'a Block],
    which: Option<&str>,
) -> Result<&'a Block, Complaint> {
    let place = || Place::file(&path.to_string_lossy());
    let label = |block: &Block| {
        let line = block
            .place
            .line
            .map_or(String::new(), |line| format!(" in line {line}"));
        let name = block.get("alias").or_else(|| block.get("match"));
        name.map_or(line.clone(), |entry| {
            format!("{line} ({} {})", entry.key, entry.value)
        })
    };
    let all = || {
        outputs
            .iter()
            .map(|block| label(block))
            .collect::<Vec<_>>()
            .join(",")
    };
    match (outputs, which) {
        ([], _) => Err(Complaint::fault(
            place(),
            "no output called autofix",
            "add one; `autofix init` prints it",
        )),
        ([only], None) => Ok(only),
        (_, None) => Err(Complaint::fault(
            place(),
            format!("several outputs called autofix:{}", all()),
            "say which with --output ALIAS, MATCH or NUMBER",
        )),
        (_, Some(which)) => {
            let number = which
                .parse::<usize>()
                .ok()
                .and_then(|number| number.checked_sub(1));
            let named = |block: &&&Block| {
                let mut names = ["alias", "match"].iter().filter_map(|key| block.get(key));
                names.any(|entry| entry.value == which)
            };
            let found = outputs.iter().find(named);
            let found = found.or_else(|| outputs.get(number?));
            found.copied().ok_or_else(|| {
                let what = format!("no output `{}`", which.escape_debug());
                Complaint::fault(place(), what, format!("there are:{}", all()))
            })
        }
    }
}

fn is_yaml(path: &Path, text: &str) -> bool {
    match path.extension().and_then(|ext| ext.to_str()) {
        Some("yaml" | "yml") => true,
        Some("conf") => false,
        _ => {
            let mut lines = text.lines().map(str::trim);
            let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
            first.is_some_and(|line| !line.starts_with(['[', '@']) && line.contains(':'))
        }
    }
}

struct Reader<'a> {
    /// Of the main file: relative names start there.
    folder: PathBuf,
    env: &'a dyn Fn(&str) -> Option<String>,
    /// By `@SET` or `env:`.
    set: HashMap<String, String>,
    found: FluentBit,
    files: usize,
}

impl Reader<'_> {
    fn fault(&mut self, place: Place, what: impl Into<String>, remedy: &str) {
        self.found
            .complaints
            .push(Complaint::fault(place, what, remedy));
    }

    fn warn(&mut self, place: Place, what: impl Into<String>, remedy: &str) {
        self.found
            .complaints
            .push(Complaint::warning(place, what, remedy));
    }

    /// Replaces `${NAME}` and `${NAME:-default}` as the host does.
    fn expand(&mut self, text: &str, place: &Place) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, tail)) = after.split_once('}') else {
                out.push_str("${");
                rest = after;
                continue;
            };
            out.push_str(&self.variable(name, place));
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    fn variable(&mut self, name: &str, place: &Place) -> String {
        let (name, default) = match name.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (name, None),
        };
        if let Some(value) = self.set.get(name).cloned().or_else(|| (self.env)(name)) {
            return value;
        }
        if default.is_none() {
            let what = format!("the variable `{}` is not set here", name.escape_debug());
            let remedy = "set it as the host has it; the host reads an unset one as empty";
            self.warn(place.clone(), what, remedy);
        }
        default.unwrap_or_default().to_owned()
    }

    /// The files that an include names; `*` and `?` may stand in the last part.
    fn included(&mut self, name: &str, place: &Place, depth: usize) -> Vec<(PathBuf, String)> {
        let pattern = self.folder.join(name);
        let paths = if name.contains(['*', '?']) {
            matching(&pattern)
        } else {
            vec![pattern]
        };
        let mut read = Vec::new();
        for path in paths {
            self.files += 1;
            if self.files > FILES_LIMIT || depth >= DEPTH_LIMIT {
                self.fault(
                    place.clone(),
                    "too many includes",
                    "does a file include itself?",
                );
                break;
            }
            match read_text(&path, FILE_LIMIT) {
                Ok(text) => read.push((path, text)),
                Err(complaint) => {
                    let what = format!("{}: {}", path.display(), complaint.what);
                    self.fault(place.clone(), what, &complaint.remedy);
                }
            }
        }
        read
    }

    /// `Plugins_File` of the service block names a file that loads plugins.
    fn plugins_file(&mut self) {
        let services = self
            .found
            .blocks
            .iter()
            .filter(|block| block.section == "service");
        let named: Vec<Entry> = services
            .filter_map(|block| block.get("plugins_file").cloned())
            .collect();
        for entry in named {
            for (path, text) in self.included(&entry.value, &entry.place, 0) {
                let mut inner = Reader {
                    folder: self.folder.clone(),
                    env: self.env,
                    set: self.set.clone(),
                    found: FluentBit::default(),
                    files: self.files,
                };
                if is_yaml(&path, &text) {
                    yaml::read(&mut inner, &path, &text, 1);
                } else {
                    classic::read(&mut inner, &path, &text, 1);
                }
                let blocks = inner.found.blocks.into_iter();
                let plugins = blocks.filter(|block| block.section == "plugins");
                self.found
                    .plugins
                    .extend(plugins.flat_map(|block| block.entries));
                self.found.plugins.append(&mut inner.found.plugins);
                self.found.complaints.append(&mut inner.found.complaints);
            }
        }
    }
}

/// Files of a folder whose name fits, sorted.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Vec::new();
    };
    let name: Vec<char> = name.to_string_lossy().chars().collect();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let file = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned());
            file.is_some_and(|file| fits(&name, &file.chars().collect::<Vec<_>>()))
        })
        .collect();
    paths.sort();
    paths
}

/// `*` and `?` in linear space and quadratic time at most; names are short.
fn fits(pattern: &[char], name: &[char]) -> bool {
    let mut reach = vec![false; name.len() + 1];
    if let Some(first) = reach.first_mut() {
        *first = true;
    }
    for sign in pattern {
        let mut next = vec![false; name.len() + 1];
        let mut any = false;
        for (at, slot) in next.iter_mut().enumerate() {
            let here = reach.get(at).copied().unwrap_or(false);
            let before = at.checked_sub(1);
            let came = before
                .and_then(|at| reach.get(at))
                .copied()
                .unwrap_or(false);
            let letter = before.and_then(|at| name.get(at));
            any |= here;
            *slot = match sign {
                '*' => any,
                '?' => came,
                sign => came && letter == Some(sign),
            };
        }
        reach = next;
    }
    reach.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests;
