//! Holds the code to the house that ARCHITECTURE.md describes: which room may know which, and
//! what may stand where. Each rule is run over the tree and over a snippet that breaks it, so
//! that a rule that has stopped looking is found out.

#[path = "house/source.rs"]
mod source;

use source::{File, read_tree};

/// A room, its floor, and the rooms of its own floor that it may know.
type Room = (&'static str, u8, &'static [&'static str]);

/// The table of ARCHITECTURE.md. Every room also knows every floor below its own.
const ROOMS: &[Room] = &[
    ("model", 0, &[]),
    ("registry", 0, &["model"]),
    ("log", 0, &["model"]),
    ("counters", 0, &[]),
    ("record", 1, &[]),
    ("template", 1, &[]),
    ("trace", 1, &[]),
    ("redact", 1, &[]),
    ("watch", 2, &[]),
    ("triage", 2, &["watch"]),
    ("incident", 2, &[]),
    ("rate", 2, &[]),
    ("policy", 2, &[]),
    ("store", 3, &[]),
    ("net", 3, &[]),
    ("llm", 3, &["net"]),
    ("source", 3, &["net"]),
    ("patch", 3, &["source"]),
    ("investigate", 3, &["llm", "source", "patch"]),
    ("deliver", 3, &["net", "source", "patch", "investigate"]),
    ("recover", 3, &["net"]),
    ("pipeline", 4, &[]),
    ("config", 5, &[]),
    ("plugin", 5, &["config"]),
    ("app", 5, &["config", "plugin"]),
    ("ffi", 6, &[]),
    ("cli", 6, &["ffi"]),
    ("main", 6, &["cli"]),
];

/// Crates that do I/O, wrap C or start threads, and the rooms that may name them.
const CRATE_HOMES: &[(&str, &[&str])] = &[
    ("git2", &["source"]),
    ("rusqlite", &["store"]),
    ("ureq", &["net"]),
    ("ring", &["deliver"]),
    ("crossbeam_channel", &["pipeline"]),
    ("memmap2", &["pipeline"]),
    ("clap", &["cli"]),
    ("indicatif", &["cli"]),
    ("anstream", &["cli"]),
    ("tree_sitter", &["patch"]),
    ("tree_sitter_go", &["patch"]),
    ("tree_sitter_java", &["patch"]),
    ("tree_sitter_javascript", &["patch"]),
    ("tree_sitter_php", &["patch"]),
    ("tree_sitter_python", &["patch"]),
    ("tree_sitter_ruby", &["patch"]),
    ("tree_sitter_rust", &["patch"]),
    ("tree_sitter_typescript", &["patch"]),
];

const LENGTH_LIMIT: usize = 500;

fn floor(room: &str) -> Option<u8> {
    ROOMS.iter().find(|r| r.0 == room).map(|r| r.1)
}

fn sources() -> Vec<File> {
    let files = read_tree("src");
    assert!(files.len() > 5, "the tree was not found");
    files
}

/// All of the package but programs whose output is material for tests.
fn everything() -> Vec<File> {
    ["src", "tests", "examples", "benches", "build.rs"]
        .into_iter()
        .flat_map(read_tree)
        .filter(|file| !file.path.starts_with("tests/corpus/"))
        .collect()
}

/// Fails where the tree breaks the rule, and where a snippet that breaks it goes unnoticed.
fn hold(files: &[File], rule: fn(&File) -> Vec<String>, bad: &[(&str, &str)]) {
    let faults: Vec<String> = files.iter().flat_map(rule).collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    for (path, code) in bad {
        let noticed = rule(&File::new(path, code));
        assert!(!noticed.is_empty(), "unnoticed in {path}: {code}");
    }
}

fn in_rooms(file: &File, rooms: &[&str]) -> bool {
    file.room().is_some_and(|room| rooms.contains(&room))
}

/// Complaints about every path of the file for which `refuse` gives a reason.
fn paths_refused(file: &File, refuse: impl Fn(&[&str]) -> Option<String>) -> Vec<String> {
    file.paths
        .iter()
        .filter_map(|path| {
            let parts: Vec<&str> = path.split("::").collect();
            refuse(&parts).map(|why| format!("{}: `{path}`: {why}", file.path))
        })
        .collect()
}

fn arrows(file: &File) -> Vec<String> {
    let Some(room) = file.room().filter(|room| *room != "lib") else {
        return Vec::new();
    };
    let Some(&(_, own_floor, sideways)) = ROOMS.iter().find(|r| r.0 == room) else {
        return vec![format!("{}: no such room in the table", file.path)];
    };
    paths_refused(file, |parts| {
        let [root @ ("crate" | "autofix"), other, ..] = parts else {
            return None;
        };
        let other_floor = floor(other);
        let allowed = *other == room
            || sideways.contains(other)
            || other_floor.is_some_and(|other| other < own_floor);
        let known = other_floor.is_some() || *root == "crate";
        (known && !allowed).then(|| format!("{room} may not know {other}"))
    })
}

#[test]
fn arrows_point_down_or_sideways_as_listed() {
    hold(
        &sources(),
        arrows,
        &[
            ("src/trace/go.rs", "use crate::store::Store;"),
            ("src/trace/go.rs", "use crate::{model::Trace, record};"),
            ("src/model/mod.rs", "fn f() { crate::log::Log::silent(); }"),
            ("src/store/mod.rs", "use crate::net::Http;"),
            ("src/llm/mod.rs", "use crate::store::Store;"),
            (
                "src/source/mod.rs",
                "use crate::{\n  patch::{Accepted},\n};",
            ),
            ("src/attic/mod.rs", "fn f() {}"),
        ],
    );
    let good = File::new("src/patch/mod.rs", "use crate::{model, source::Tree};");
    assert_eq!(arrows(&good), Vec::<String>::new());
}

fn no_room_below_assembly_knows_the_configuration(file: &File) -> Vec<String> {
    let low = file.room().and_then(floor).is_some_and(|floor| floor < 5);
    paths_refused(file, |parts| {
        (low && parts.starts_with(&["crate", "config"]))
            .then(|| "settings live in the room that uses them".to_owned())
    })
}

#[test]
fn nobody_below_floor_five_knows_the_configuration() {
    hold(
        &sources(),
        no_room_below_assembly_knows_the_configuration,
        &[("src/pipeline/fast.rs", "use crate::config::Checked;")],
    );
}

/// `super::` that climbs to the crate's root would go round the arrows.
fn climbing(file: &File) -> Vec<String> {
    paths_refused(file, |parts| {
        let supers = parts.iter().take_while(|part| **part == "super").count();
        let top = matches!(file.room(), None | Some("lib" | "main"));
        (!top && supers >= file.depth()).then(|| "climbs out of its room".to_owned())
    })
}

#[test]
fn no_path_climbs_out_of_its_room() {
    hold(
        &sources(),
        climbing,
        &[
            ("src/log.rs", "use super::store::Store;"),
            ("src/trace/mod.rs", "use super::store;"),
            ("src/trace/go.rs", "fn f() { super::super::store::open() }"),
        ],
    );
}

fn unsafe_code(file: &File) -> Vec<String> {
    let home = in_rooms(file, &["ffi"]) || file.path == "src/source/git_setup.rs";
    let used = file.words().any(|(word, _)| word == "unsafe");
    (used && !home)
        .then(|| {
            format!(
                "{}: unsafe stands in ffi and source/git_setup.rs",
                file.path
            )
        })
        .into_iter()
        .collect()
}

#[test]
fn unsafe_stands_at_the_door_and_in_git_setup() {
    hold(
        &sources(),
        unsafe_code,
        &[("src/net/mod.rs", "fn f(p: *const u8) { unsafe { *p }; }")],
    );
    let said = File::new(
        "src/net/mod.rs",
        "// unsafe\nconst A: &str = r#\"unsafe\"#;",
    );
    assert_eq!(unsafe_code(&said), Vec::<String>::new());
}

fn threads(file: &File) -> Vec<String> {
    let home = in_rooms(file, &["pipeline"]);
    paths_refused(file, |parts| {
        let starts = parts.windows(2).any(|pair| {
            pair[0] == "thread" && matches!(pair[1], "spawn" | "Builder" | "scope" | "*")
        });
        (starts && !home).then(|| "threads start in pipeline".to_owned())
    })
}

#[test]
fn threads_start_in_the_pipeline() {
    hold(
        &sources(),
        threads,
        &[
            ("src/store/mod.rs", "fn f() { std::thread::spawn(|| ()); }"),
            ("src/ffi/mod.rs", "use std::thread::{self, Builder};"),
        ],
    );
}

fn printing(file: &File) -> Vec<String> {
    if in_rooms(file, &["cli"]) {
        return Vec::new();
    }
    let macros = file.words().filter(|(word, after)| {
        let prints = matches!(*word, "println" | "eprintln" | "print" | "eprint" | "dbg");
        prints && after.starts_with('!')
    });
    let mut faults: Vec<String> = macros
        .map(|(word, _)| format!("{}: {word}! stands in cli", file.path))
        .collect();
    faults.extend(paths_refused(file, |parts| {
        let out = parts.ends_with(&["io", "stdout"]);
        let err = parts.ends_with(&["io", "stderr"]) && !in_rooms(file, &["ffi"]);
        (out || err).then(|| "only the command line speaks to a terminal".to_owned())
    }));
    faults
}

#[test]
fn only_the_command_line_prints() {
    hold(
        &sources(),
        printing,
        &[
            ("src/store/mod.rs", "fn f() { println!(\"x\"); }"),
            ("src/main.rs", "fn f() { dbg!(1); }"),
            ("src/app.rs", "fn f() { let _ = std::io::stdout(); }"),
        ],
    );
}

fn environment(file: &File) -> Vec<String> {
    let home = in_rooms(file, &["config", "cli"]);
    paths_refused(file, |parts| {
        let reads = parts.starts_with(&["std", "env"]) || parts.starts_with(&["env", "var"]);
        (reads && !home).then(|| "the environment is read in config and cli".to_owned())
    })
}

#[test]
fn the_environment_is_read_in_config_and_cli() {
    hold(
        &sources(),
        environment,
        &[
            ("src/net/mod.rs", "use std::{env, fs};"),
            ("src/net/mod.rs", "fn f() { std::env::var_os(\"HOME\"); }"),
        ],
    );
}

fn purity(file: &File) -> Vec<String> {
    let low = file.room().and_then(floor).filter(|floor| *floor <= 2);
    let Some(floor) = low else { return Vec::new() };
    paths_refused(file, |parts| {
        let has = |word: &str| parts.contains(&word);
        let clock = has("Instant") || has("SystemTime") || has("now_utc") || has("now_local");
        let sockets = ["TcpStream", "TcpListener", "UdpSocket", "ToSocketAddrs"];
        let hands = matches!(parts, ["std", "fs" | "process" | "thread", ..])
            || sockets.iter().any(|socket| has(socket));
        let locks = floor == 2 && (has("Mutex") || has("RwLock") || has("parking_lot"));
        (clock || hands || locks).then(|| "floors 0 to 2 take time and text as values".to_owned())
    })
}

#[test]
fn ground_and_brain_have_no_clock_and_no_hands() {
    hold(
        &sources(),
        purity,
        &[
            (
                "src/watch/mod.rs",
                "fn f() { std::time::SystemTime::now(); }",
            ),
            ("src/trace/mod.rs", "use std::time::{Duration, Instant};"),
            (
                "src/record/mod.rs",
                "use time::OffsetDateTime as O; fn f() { O::now_utc(); }",
            ),
            ("src/registry/mod.rs", "use std::{fs, fmt};"),
            ("src/registry/mod.rs", "use std::net::{IpAddr, TcpStream};"),
            ("src/incident/mod.rs", "use std::sync::Mutex;"),
        ],
    );
}

fn crate_homes(file: &File) -> Vec<String> {
    let Some(room) = file.room() else {
        return Vec::new();
    };
    paths_refused(file, |parts| {
        let first = parts.first()?;
        let (name, homes) = CRATE_HOMES.iter().find(|home| home.0 == *first)?;
        (!homes.contains(&room)).then(|| format!("{name} lives in {}", homes.join(", ")))
    })
}

#[test]
fn crates_that_touch_the_world_have_one_home() {
    hold(
        &sources(),
        crate_homes,
        &[
            ("src/deliver/mod.rs", "use git2::Repository;"),
            (
                "src/app.rs",
                "fn f() { rusqlite::Connection::open(\"x\"); }",
            ),
            ("src/source/https.rs", "use ureq;"),
            ("src/record/mod.rs", "use crossbeam_channel as c;"),
        ],
    );
}

/// What redaction took out comes back in one room, which applies edits and tells nobody.
fn revealing(file: &File) -> Vec<String> {
    let home = in_rooms(file, &["redact", "patch"]);
    let said = |word: &str| matches!(word, "reveal" | "originals");
    let used = file.words().any(|(word, _)| said(word));
    (used && !home)
        .then(|| format!("{}: redacted values are revealed in patch", file.path))
        .into_iter()
        .collect()
}

#[test]
fn redacted_values_are_revealed_in_patch() {
    hold(
        &sources(),
        revealing,
        &[
            (
                "src/deliver/mod.rs",
                "fn f(s: &Scope) { s.reveal(\"[email-1]\"); }",
            ),
            ("src/app.rs", "fn f() { let f = Scope::reveal; }"),
        ],
    );
}

/// The gate with a part left out is for the test that shows what each part is for.
fn gates_left_out(file: &File) -> Vec<String> {
    let used = file.words().any(|(word, _)| word == "judge_without");
    (used && !in_rooms(file, &["patch"]))
        .then(|| format!("{}: no gate is left out", file.path))
        .into_iter()
        .collect()
}

#[test]
fn nobody_leaves_a_gate_out() {
    hold(
        &sources(),
        gates_left_out,
        &[(
            "src/investigate/mod.rs",
            "fn f() { patch::judge_without(g, a, None); }",
        )],
    );
}

fn module_doc(file: &File) -> Vec<String> {
    let opens = file.raw.trim_start().starts_with("//! ");
    (!opens)
        .then(|| {
            format!(
                "{}: begins without a `//!` that says what it is for",
                file.path
            )
        })
        .into_iter()
        .collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    hold(
        &everything(),
        module_doc,
        &[
            ("src/net/mod.rs", "use std::fmt;\n//! Late."),
            ("src/a.rs", ""),
        ],
    );
}

fn vague_name(file: &File) -> Vec<String> {
    let vague = ["utils", "util", "helpers", "helper", "common", "misc"];
    let mut parts = file.path.split('/');
    let bad = parts.any(|part| vague.contains(&part.strip_suffix(".rs").unwrap_or(part)));
    bad.then(|| format!("{}: a name that says nothing", file.path))
        .into_iter()
        .collect()
}

#[test]
fn no_file_has_a_vague_name() {
    hold(
        &everything(),
        vague_name,
        &[("src/net/utils.rs", ""), ("tests/common/mod.rs", "")],
    );
}

fn length(file: &File) -> Vec<String> {
    (file.length > LENGTH_LIMIT)
        .then(|| format!("{}: {} lines above its tests", file.path, file.length))
        .into_iter()
        .collect()
}

#[test]
fn no_file_is_long() {
    let long = "fn f() {}\n".repeat(LENGTH_LIMIT + 1);
    hold(&sources(), length, &[("src/net/mod.rs", &long)]);
    let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_eq!(File::new("src/net/mod.rs", &tested).length, 1);
}

fn unfinished(file: &File) -> Vec<String> {
    let mut faults = Vec::new();
    for (word, after) in file.words() {
        let stops = matches!(word, "todo" | "unimplemented") && after.starts_with('!');
        let unwraps = word == "unwrap" && after.starts_with("()");
        if stops || unwraps {
            faults.push(format!("{}: `{word}` outside tests", file.path));
        }
    }
    faults
}

#[test]
fn nothing_is_unwrapped_or_left_to_do() {
    hold(
        &sources(),
        unfinished,
        &[
            ("src/net/mod.rs", "fn f() { todo!() }"),
            ("src/net/mod.rs", "fn f(a: Option<u8>) -> u8 { a.unwrap() }"),
        ],
    );
}

#[test]
fn the_table_of_rooms_stands_in_the_architecture() {
    let text = include_str!("../ARCHITECTURE.md");
    for (room, floor, _) in ROOMS {
        let named = [format!("`{room}/`"), format!("`{room}.rs`")];
        let row = text.lines().find(|line| {
            line.starts_with(&format!("| {floor} ")) && named.iter().any(|n| line.contains(n))
        });
        assert!(
            row.is_some(),
            "{room} is missing on floor {floor} of ARCHITECTURE.md"
        );
    }
}

/// `WRITE_README=1 cargo test --test house` puts the table in place.
#[test]
fn the_readme_holds_the_table_of_keys() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (before, rest) = readme.split_once("<!-- keys -->\n").unwrap();
    let (found, after) = rest.split_once("<!-- /keys -->").unwrap();
    let table = autofix::config::keys_table();
    if std::env::var_os("WRITE_README").is_some() {
        let whole = format!("{before}<!-- keys -->\n{table}<!-- /keys -->{after}");
        return std::fs::write(path, whole).unwrap();
    }
    assert_eq!(found, table, "WRITE_README=1 cargo test --test house");
}
