//! The tools as a model is told of them: names, descriptions, and the schema of each input. One
//! table of fields, from which schemas are made and inputs are read.

use super::Kind;
use crate::llm::Tool;
use serde_json::{Map, Value, json};

/// A field of an input.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    pub name: &'static str,
    pub form: Form,
    pub needed: bool,
    about: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// A whole number from 1.
    Line,
    Flag,
}

const fn field(name: &'static str, form: Form, needed: bool, about: &'static str) -> Field {
    Field {
        name,
        form,
        needed,
        about,
    }
}

const PATH: Field = field(
    "path",
    Form::Text,
    true,
    "Path relative to the repository's top folder, with /.",
);

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::ListFiles => "list_files",
            Kind::ReadFile => "read_file",
            Kind::SearchCode => "search_code",
            Kind::FindSymbol => "find_symbol",
            Kind::History => "history",
            Kind::Blame => "blame",
            Kind::ShowCommit => "show_commit",
            Kind::ReadLogs => "read_logs",
        }
    }

    fn about(self) -> &'static str {
        match self {
            Kind::ListFiles => {
                "Lists a folder of the repository at the deployed commit, or with a pattern all \
                 files below it that fit. Links and submodules are named and not followed."
            }
            Kind::ReadFile => {
                "Reads lines of a file at the deployed commit, with their numbers: 400 lines \
                 unless from and to say otherwise, 800 at most. Secrets and personal data are \
                 replaced by placeholders such as [password-1]; everything else is exact."
            }
            Kind::SearchCode => {
                "Searches all text files at the deployed commit with a regular expression (Rust's \
                 regex syntax: no look-around, no back-references), line by line."
            }
            Kind::FindSymbol => {
                "Finds where a function, class, constant or other name is defined and used at the \
                 deployed commit. Give the bare name."
            }
            Kind::History => {
                "Lists the commits that changed a file or folder, newest first, from the deployed \
                 commit back; with from and to, only what was done to these lines, with the lines \
                 that were taken away and put in."
            }
            Kind::Blame => {
                "Says which commit wrote each line of a range of a file, as it stands at the \
                 deployed commit. At most 200 lines."
            }
            Kind::ShowCommit => {
                "Shows a commit of the deployed commit's history: who, when, message and diff. \
                 With path, only what it did there."
            }
            Kind::ReadLogs => {
                "Reads log lines around the incident, by their ids, oldest first: all of them, \
                 those from one id to another, or those that a regular expression fits."
            }
        }
    }
}

/// The fields of a tool's input.
pub(super) fn fields(kind: Kind) -> &'static [Field] {
    const LIST: &[Field] = &[
        field(
            "folder",
            Form::Text,
            false,
            "Folder; the service's own if left out, . for the top.",
        ),
        field(
            "pattern",
            Form::Text,
            false,
            "Pattern for paths, such as **/*.py; one without a slash fits names in any folder.",
        ),
    ];
    const READ: &[Field] = &[
        PATH,
        field("from", Form::Line, false, "First line, from 1."),
        field("to", Form::Line, false, "Last line."),
    ];
    const SEARCH: &[Field] = &[
        field(
            "pattern",
            Form::Text,
            true,
            "Regular expression; a plain text needs its signs escaped.",
        ),
        field(
            "paths",
            Form::Text,
            false,
            "Search only paths that fit, such as src/ or **/*.go.",
        ),
        field(
            "ignore_case",
            Form::Flag,
            false,
            "Whether capital letters fit small ones.",
        ),
    ];
    const SYMBOL: &[Field] = &[field(
        "name",
        Form::Text,
        true,
        "The bare name, such as total.",
    )];
    const BLAME: &[Field] = &[
        PATH,
        field("from", Form::Line, true, "First line, from 1."),
        field("to", Form::Line, true, "Last line."),
    ];
    const SHOW: &[Field] = &[
        field(
            "commit",
            Form::Text,
            true,
            "Its id, 7 to 40 hexadecimal digits.",
        ),
        field(
            "path",
            Form::Text,
            false,
            "Show only what it did to this file or folder.",
        ),
    ];
    const LOGS: &[Field] = &[
        field("from", Form::Text, false, "Id of the first line."),
        field("to", Form::Text, false, "Id of the last line."),
        field(
            "pattern",
            Form::Text,
            false,
            "Regular expression that a line must fit.",
        ),
    ];
    match kind {
        Kind::ListFiles => LIST,
        Kind::ReadFile | Kind::History => READ,
        Kind::SearchCode => SEARCH,
        Kind::FindSymbol => SYMBOL,
        Kind::Blame => BLAME,
        Kind::ShowCommit => SHOW,
        Kind::ReadLogs => LOGS,
    }
}

/// The tool as a model is told of it.
pub(super) fn tool(kind: Kind) -> Tool {
    let mut properties = Map::new();
    for field in fields(kind) {
        let form = match field.form {
            Form::Text => json!({"type": "string", "description": field.about}),
            Form::Line => json!({"type": "integer", "minimum": 1, "description": field.about}),
            Form::Flag => json!({"type": "boolean", "description": field.about}),
        };
        properties.insert(field.name.to_owned(), form);
    }
    let needed = fields(kind).iter().filter(|field| field.needed);
    let needed: Vec<&str> = needed.map(|field| field.name).collect();
    Tool {
        name: kind.name(),
        description: kind.about(),
        schema: json!({
            "type": "object",
            "properties": Value::Object(properties),
            "required": needed,
            "additionalProperties": false,
        }),
    }
}
