//! The one table of keys of `[OUTPUT] Name autofix`: names, defaults, what they are for, and
//! what the host keeps for itself. What a value may be stands in `options`.

use std::fmt::Write;

/// A key of the output.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    pub name: &'static str,
    /// As a person would write it; empty: none.
    pub default: &'static str,
    pub doc: &'static str,
}

const fn works(name: &'static str, default: &'static str, doc: &'static str) -> Key {
    Key { name, default, doc }
}

/// Every key, in the order of the documentation.
pub const KEYS: &[Key] = &[
    works(
        "Services",
        "",
        "Registry: a file such as `services.toml`, or a folder with `services.toml`, other \
         `*.toml` files and a folder `services.d`. Absolute. Read again when it changes.",
    ),
    works(
        "Service",
        "",
        "Instead of `Services`, for an output that serves one service: its name.",
    ),
    works(
        "Repo",
        "",
        "Of that one service: absolute path, `file://` or `https://` address of the repository.",
    ),
    works(
        "Commit",
        "",
        "Of that one service, the deployed commit: a SHA, `field:NAME`, `env:NAME`, \
         `file:PATH`, `image:FIELD` or `ecs-metadata`.",
    ),
    works(
        "Descriptor",
        "",
        "Of that one service: what it does, in words, or the absolute path of a text file.",
    ),
    works(
        "State_Dir",
        super::environment::DEFAULT_STATE_DIR,
        "Folder for incidents, patches and mirrors. Absolute, on a disk that lasts.",
    ),
    works(
        "Mode",
        "dry-run",
        "`observe`: incidents only, no git and no network. `dry-run`: a report and a diff in \
         `State_Dir`. `pr`: the diff becomes a pull request as well. A service's `mode` can only be \
         more careful. A replay delivers nothing.",
    ),
    works(
        "Triage",
        "rules",
        "Who judges what is new. `rules`: the built-in rules alone. `ollama`, `openai`: also a small \
         model, on a server that speaks Ollama's or OpenAI's protocol (llama-server, vLLM).",
    ),
    works(
        "Triage_Url",
        "",
        "Of that server. Ollama's own address where it is not set; needed for `openai`.",
    ),
    works(
        "Triage_Model",
        super::triage::MODEL,
        "The model that is asked.",
    ),
    works(
        "Triage_Batch_Lines",
        "50",
        "Kinds of lines that make a batch full.",
    ),
    works(
        "Triage_Batch_Seconds",
        "10",
        "After so many seconds a batch is sent though it is not full.",
    ),
    works(
        "Triage_Key_Env",
        "",
        "Variable with the server's key. It is sent only to `Triage_Url`.",
    ),
    works(
        "Triage_Key_File",
        "",
        "The same in a file. Absolute; read at each use.",
    ),
    works(
        "Egress",
        "",
        "How far redacted text may go: `none`, `local` (this host and private networks) or `cloud`. \
         Not set: `local` where the model is on this host, else `none`. A service's `egress` goes \
         before it.",
    ),
    works(
        "Watches",
        "",
        "File of a team's own watches, a JSON list. Absolute. Read again when it changes.",
    ),
    works(
        "Fixer",
        "auto",
        "Who makes the proposal. `auto`: the model where one of the keys below names it, else `revert`. \
         `revert`: takes back the change that broke the line. `anthropic`, `bedrock`, `openai`, \
         `ollama`: a model on a server that speaks that protocol. `off`: incidents are recorded and \
         stay open for `autofix fix`.",
    ),
    works(
        "Fixer_Url",
        "",
        "Of that server, with or without `/v1`. Anthropic's, Bedrock's or Ollama's own address where it \
         is not set; needed for `openai`.",
    ),
    works(
        "Fixer_Model",
        "",
        "The model that investigates; `claude-opus-5-5` at Anthropic's. Needed for `bedrock`, `openai` and `ollama`.",
    ),
    works(
        "Fixer_Key_Env",
        "",
        "Variable with the server's key. `ANTHROPIC_API_KEY` where nothing is set and the server is \
         Anthropic's; a key from `ANTHROPIC_AUTH_TOKEN` is sent as a bearer token. It is sent only to \
         `Fixer_Url`. Bedrock takes the task's role instead.",
    ),
    works(
        "Fixer_Key_File",
        "",
        "The same in a file. Absolute; read at each use.",
    ),
    works(
        "Fixer_Region",
        "",
        "Of `bedrock`: the region that is asked, and no other.",
    ),
    works(
        "Fixer_Prices",
        "",
        "US dollars for a million tokens: input, output, cache write, cache read. Known for Claude \
         Opus; nothing for a server on this host or a private network.",
    ),
    works(
        "Budget_Per_Day",
        "10",
        "US dollars for a day of UTC and an owner's services, over restarts. One incident gets at most a \
         fifth of it; the last fifth is kept for services that spent nothing that day.",
    ),
    works(
        "Spend_On_Ephemeral",
        "off",
        "Paid calls though `State_Dir` is on a disk that does not last, where a restart forgets what \
         was spent.",
    ),
    works(
        "Forge_Token_Env",
        "",
        "Variable with the token for private `https://` repositories. It is sent only to hosts \
         that a service's `repo` names.",
    ),
    works(
        "Forge_Token_File",
        "",
        "The same in a file. Absolute; read at each use.",
    ),
    works(
        "Forge_Token_Command",
        "",
        "The same from a program: its absolute path and arguments. Run at each use, without a shell and \
         with no environment but PATH, HOME and LANG, for 10 s at most; it prints the token.",
    ),
    works(
        "Forge_App_Id",
        "",
        "In place of a token, a GitHub App's id or client id.",
    ),
    works(
        "Forge_App_Key_Env",
        "",
        "Variable with the App's private key (PEM).",
    ),
    works(
        "Forge_App_Key_File",
        "",
        "The same in a file. Absolute; read at each use.",
    ),
    works(
        "Forge_App_Installation",
        "",
        "Number of the App's installation. Not set: GitHub is asked which one the repository has.",
    ),
    works(
        "Dedup_Window",
        "24h",
        "The same fault within this time of its last occurrence is the same incident.",
    ),
    works(
        "Max_Fixes_Per_Hour",
        "6",
        "Diffs made in one hour, over restarts; the rest waits.",
    ),
    works(
        "Context_Lines",
        "200",
        "Lines of the same stream kept with an incident.",
    ),
    works(
        "Templates_Seed",
        "",
        "File of learnt templates to start from, as `autofix inspect templates --export` writes \
         it. Absolute; read at start.",
    ),
    works("Queue_Limit", "32M", "Bytes of chunks that may wait."),
    works(
        "Memory_Limit",
        "64M",
        "Bytes for queue, windows and rings together.",
    ),
    works("State_Limit", "1G", "Bytes of `State_Dir`."),
    works(
        "On_Full",
        "drop",
        "When the queue is full: `drop` the chunk and count it, or ask the host to `retry`.",
    ),
];

/// The key of that name, in any case.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name.eq_ignore_ascii_case(name))
}

/// Names of all keys.
pub fn names() -> Vec<&'static str> {
    KEYS.iter().map(|key| key.name).collect()
}

/// What the host does with a key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host {
    /// An ordinary setting of any output.
    Ordinary,
    /// A setting of outputs that open connections: it has no effect on this one.
    Connection,
}

/// Whether the host keeps the key for itself, so that a plugin never sees it.
pub fn eaten_by_host(name: &str) -> Option<Host> {
    const ORDINARY: [&str; 10] = [
        "name",
        "match",
        "match_regex",
        "alias",
        "log_level",
        "log_suppress_interval",
        "retry_limit",
        "workers",
        "storage.total_limit_size",
        "processors",
    ];
    let name = name.to_ascii_lowercase();
    if ORDINARY.contains(&name.as_str()) {
        return Some(Host::Ordinary);
    }
    let connection = matches!(name.as_str(), "host" | "port" | "ipv6" | "tls")
        || ["tls.", "net.", "_debug.http.", "oauth2"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
    connection.then_some(Host::Connection)
}

/// The documentation's table of keys, in Markdown.
pub fn keys_table() -> String {
    let mut table = String::from("| Key | Default | |\n|---|---|---|\n");
    for key in KEYS {
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| `{}` | {} | {} |", key.name, key.default, key.doc);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_ours_is_eaten_by_the_host() {
        for key in KEYS {
            assert_eq!(eaten_by_host(key.name), None, "{}", key.name);
        }
        assert_eq!(eaten_by_host("TLS.verify"), Some(Host::Connection));
        assert_eq!(eaten_by_host("Match"), Some(Host::Ordinary));
    }

    #[test]
    fn the_table_lists_every_key() {
        let table = keys_table();
        assert!(table.contains("| `State_Dir` | /var/lib/autofix |"));
        assert_eq!(table.lines().count(), KEYS.len() + 2);
    }
}
