//! The printed paths of Ruby, PHP, Elixir and Erlang: what was installed, and what belongs to the
//! runtime. The other languages are in `printed`.

use super::printed::{Origin, Printed};
use crate::model::Frame;

pub(super) fn ruby(printed: &mut Printed) {
    let installed = |name: &str| name == "gems";
    if printed.names.first().is_some_and(|name| name == "org") && printed.has(&["jruby"]) {
        printed.origin = Origin::Foreign;
    } else if let Some(at) = printed.position(installed) {
        printed.begin_at(at + 1);
        printed.origin = Origin::Installed;
    } else if printed.has(&["lib", "ruby"]) {
        printed.origin = Origin::Foreign;
    }
}

pub(super) fn php(printed: &mut Printed, file: &str) {
    if file.starts_with("phar:") || printed.has(&["usr", "share", "php"]) {
        printed.origin = Origin::Foreign;
    } else if let Some(at) = printed.position(|name| name == "vendor") {
        printed.begin_at(at + 1);
        printed.origin = Origin::Installed;
    }
    // `file.php(3) : eval()'d code`
    if let Some(name) = printed.names.last_mut()
        && let Some(at) = name.find(".php(")
    {
        name.truncate(at + 4);
    }
}

/// Modules of Elixir and Erlang themselves: their files are printed as if they were the project's
/// (`lib/enum.ex`, `gen_server.erl`).
const BEAM_STANDARD: &[&str] = &[
    "Enum",
    "Stream",
    "Map",
    "Keyword",
    "Kernel",
    "List",
    "String",
    "File",
    "GenServer",
    "Task",
    "Agent",
    "Supervisor",
    "Registry",
    "Code",
    "Module",
    "Access",
    "gen",
    "gen_server",
    "gen_statem",
    "gen_event",
    "proc_lib",
    "supervisor",
    "lists",
    "maps",
    "ets",
    "timer",
    "erl_eval",
    "elixir_compiler",
    "elixir_lexical",
];

pub(super) fn elixir(printed: &mut Printed, frame: &Frame) {
    let function = frame.function.as_deref().unwrap_or_default();
    let function = function.rsplit(" in ").next().unwrap_or(function);
    let function = function.strip_prefix(':').unwrap_or(function);
    let module = function.split(['.', ':']).next().unwrap_or_default();
    // The project's own modules begin with its name; its files are further in.
    let shallow = printed.names.len() <= 3 && !printed.absolute;
    if shallow && BEAM_STANDARD.contains(&module) {
        printed.origin = Origin::Foreign;
    } else if let Some(at) = printed.position(|name| name == "deps") {
        printed.begin_at(at + 1);
        printed.origin = Origin::Installed;
    }
}
