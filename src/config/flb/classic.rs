//! The classic form: sections in brackets, indented `Key value` lines, `@SET` and `@INCLUDE`.

use crate::config::entry::Entry;
use crate::config::flb::{Block, Reader};
use crate::registry::Place;
use std::path::Path;

/// Reads one file's text and what it includes.
pub(super) fn read(reader: &mut Reader<'_>, path: &Path, text: &str, depth: usize) {
    let file = path.to_string_lossy();
    for (at, line) in text.lines().enumerate() {
        let place = Place::line(&file, u32::try_from(at + 1).unwrap_or(u32::MAX));
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(directive) = line.strip_prefix('@') {
            command(reader, directive, &place, depth);
        } else if line.starts_with('[') {
            section(reader, line, place, depth);
        } else {
            entry(reader, line, place);
        }
    }
}

fn section(reader: &mut Reader<'_>, line: &str, place: Place, depth: usize) {
    let name = line
        .trim_start_matches('[')
        .split(']')
        .next()
        .unwrap_or_default();
    if !line.contains(']') {
        reader.fault(place.clone(), "a section without `]`", "close the bracket");
    }
    let section = name.trim().to_ascii_lowercase();
    if section == "plugins" && depth == 0 {
        reader.fault(
            place.clone(),
            "[PLUGINS] has no effect in the main file",
            "put it into a file of its own and name that with Plugins_File in [SERVICE]",
        );
    }
    reader.found.blocks.push(Block {
        section,
        place,
        entries: Vec::new(),
    });
}

fn entry(reader: &mut Reader<'_>, line: &str, place: Place) {
    let (key, value) = split(line);
    let value = reader.expand(value, &place);
    let Some(block) = reader.found.blocks.last_mut() else {
        reader.fault(
            place,
            "a key before the first section",
            "put it under a [SECTION]",
        );
        return;
    };
    block.entries.push(Entry {
        key: key.to_owned(),
        value: value.trim().to_owned(),
        place,
    });
}

fn command(reader: &mut Reader<'_>, directive: &str, place: &Place, depth: usize) {
    let (word, rest) = split(directive);
    if word.eq_ignore_ascii_case("set") {
        match rest.split_once('=') {
            Some((name, value)) => {
                reader
                    .set
                    .insert(name.trim().to_owned(), value.trim().to_owned());
            }
            None => reader.fault(place.clone(), "@SET without `=`", "write @SET NAME=VALUE"),
        }
    } else if word.eq_ignore_ascii_case("include") {
        let name = reader.expand(rest, place);
        for (path, text) in reader.included(&name, place, depth) {
            read(reader, &path, &text, depth + 1);
        }
    } else {
        let what = format!("`@{}` is no command", word.escape_debug());
        reader.fault(place.clone(), what, "known are @SET and @INCLUDE");
    }
}

fn split(line: &str) -> (&str, &str) {
    match line.split_once(char::is_whitespace) {
        Some((key, value)) => (key, value.trim()),
        None => (line, ""),
    }
}
