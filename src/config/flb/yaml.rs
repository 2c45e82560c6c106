//! The YAML form: `pipeline.outputs`, `includes`, `env`, `plugins`, `service`. Values are taken
//! as they are written, because the host hands every one over as text.

use crate::config::entry::Entry;
use crate::config::flb::{Block, Reader};
use crate::registry::Place;
use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, YamlData};
use std::path::Path;

/// One file's text, for nodes to be cut out of.
struct Source<'a> {
    file: String,
    letters: &'a [char],
}

/// Reads one file's text and what it includes.
pub(super) fn read(reader: &mut Reader<'_>, path: &Path, text: &str, depth: usize) {
    let file = path.to_string_lossy().into_owned();
    if let Some(line) = text.lines().position(is_too_deep) {
        let place = Place::line(&file, u32::try_from(line + 1).unwrap_or(u32::MAX));
        return reader.fault(place, "nested too deeply", "");
    }
    let documents = match MarkedYaml::load_from_str(text) {
        Ok(documents) => documents,
        Err(error) => {
            let place = Place::line(&file, u32::try_from(error.marker().line()).unwrap_or(1));
            let what = format!("not valid YAML: {}", error.info());
            reader.fault(place, what, "");
            return;
        }
    };
    // Markers count characters.
    let letters: Vec<char> = text.chars().collect();
    let source = Source {
        file,
        letters: &letters,
    };
    for document in &documents {
        document_of(reader, &source, document, depth);
    }
}

/// Longest indentation, in bytes.
const INDENT_LIMIT: usize = 1_000;

/// The parser calls itself for each level of a block, and a level takes a column or more at the
/// start of a line. Of brackets it has its own limit.
fn is_too_deep(line: &str) -> bool {
    let indent = |b: &u8| matches!(b, b' ' | b'\t' | b'-' | b'?' | b':');
    line.bytes().take_while(indent).count() > INDENT_LIMIT
}

fn document_of(reader: &mut Reader<'_>, source: &Source<'_>, root: &MarkedYaml<'_>, depth: usize) {
    let Some(top) = pairs(source, root) else {
        if !matches!(root.data, YamlData::Value(Scalar::Null)) {
            let what = "the file is no YAML map";
            reader.fault(source.place(root), what, "begin with service: or pipeline:");
        }
        return;
    };
    let find = |name: &str| top.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    if let Some((_, node)) = find("env") {
        for (name, value) in pairs(source, node).unwrap_or_default() {
            reader
                .set
                .insert(name, source.text(value).unwrap_or_default());
        }
    }
    if let Some((_, node)) = find("includes") {
        includes(reader, source, node, depth);
    }
    if let Some((_, node)) = find("service") {
        let block = block(reader, source, "service", node);
        reader.found.blocks.extend(block);
    }
    if let Some((_, node)) = find("plugins") {
        for item in items(node) {
            let place = source.place(item);
            let path = source.text(item).unwrap_or_default();
            let value = reader.expand(&path, &place);
            reader.found.plugins.push(Entry {
                key: "path".to_owned(),
                value,
                place,
            });
        }
    }
    if let Some((_, node)) = find("pipeline") {
        pipeline(reader, source, node);
    }
}

fn includes(reader: &mut Reader<'_>, source: &Source<'_>, node: &MarkedYaml<'_>, depth: usize) {
    for item in items(node) {
        let place = source.place(item);
        let name = source.text(item).unwrap_or_default();
        let name = reader.expand(&name, &place);
        for (path, text) in reader.included(&name, &place, depth) {
            read(reader, &path, &text, depth + 1);
        }
    }
}

fn pipeline(reader: &mut Reader<'_>, source: &Source<'_>, node: &MarkedYaml<'_>) {
    let parts = pairs(source, node).unwrap_or_default();
    for (part, outputs) in &parts {
        if !part.eq_ignore_ascii_case("outputs") {
            continue;
        }
        if !matches!(outputs.data, YamlData::Sequence(_)) {
            let place = source.place(outputs);
            reader.fault(
                place,
                "`outputs` is no list",
                "begin each output with `- name:`",
            );
        }
        for item in items(outputs) {
            let block = block(reader, source, "output", item);
            reader.found.blocks.extend(block);
        }
    }
}

fn block(
    reader: &mut Reader<'_>,
    source: &Source<'_>,
    section: &str,
    node: &MarkedYaml<'_>,
) -> Option<Block> {
    let mut entries = Vec::new();
    for (key, value) in pairs(source, node)? {
        let place = source.place(value);
        let key = key_of_host(&key);
        let mut push = |reader: &mut Reader<'_>, text: String, place: Place| {
            entries.push(Entry {
                key: key.clone(),
                value: reader.expand(&text, &place),
                place,
            });
        };
        match &value.data {
            // Each item becomes an entry of the same key, as in the host.
            YamlData::Sequence(items) => {
                for item in items {
                    let text = source.text(item).unwrap_or_default();
                    push(reader, text, source.place(item));
                }
            }
            _ => push(reader, source.text(value).unwrap_or_default(), place),
        }
    }
    Some(Block {
        section: section.to_owned(),
        place: source.place(node),
        entries,
    })
}

/// The host turns `camelCase` into `camel_case` where there is no `_`.
fn key_of_host(key: &str) -> String {
    let camel = key.starts_with(|c: char| c.is_ascii_lowercase()) && !key.contains('_');
    if !camel {
        return key.to_owned();
    }
    let mut snake = String::with_capacity(key.len() + 2);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

impl Source<'_> {
    fn place(&self, node: &MarkedYaml<'_>) -> Place {
        let line = u32::try_from(node.span.start.line()).unwrap_or(u32::MAX);
        Place::line(&self.file, line)
    }

    /// A scalar as it was written; `None` for anything else.
    fn text(&self, node: &MarkedYaml<'_>) -> Option<String> {
        match &node.data {
            YamlData::Value(Scalar::String(text)) => Some(text.to_string()),
            YamlData::Value(_) | YamlData::Representation(..) | YamlData::BadValue => {
                let (from, to) = (node.span.start.index(), node.span.end.index());
                let cut = self.letters.get(from..to)?;
                Some(cut.iter().collect::<String>().trim().to_owned())
            }
            YamlData::Tagged(_, inner) => self.text(inner),
            YamlData::Sequence(_) | YamlData::Mapping(_) | YamlData::Alias(_) => None,
        }
    }
}

fn pairs<'n, 'i>(
    source: &Source<'_>,
    node: &'n MarkedYaml<'i>,
) -> Option<Vec<(String, &'n MarkedYaml<'i>)>> {
    let YamlData::Mapping(map) = &node.data else {
        return None;
    };
    let pairs = map.iter();
    Some(
        pairs
            .filter_map(|(key, value)| Some((source.text(key)?, value)))
            .collect(),
    )
}

fn items<'n, 'i>(node: &'n MarkedYaml<'i>) -> &'n [MarkedYaml<'i>] {
    match &node.data {
        YamlData::Sequence(items) => items,
        _ => &[],
    }
}
