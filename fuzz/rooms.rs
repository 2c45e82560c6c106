//! The rooms that are fuzzed: floors 0 to 2 of the house, which turn what others wrote into nouns
//! and decide what it means. Not here: what waits, and what the targets ask of them.
#![allow(dead_code)]

#[path = "../src/incident/mod.rs"]
pub mod incident;
#[path = "../src/model/mod.rs"]
pub mod model;
#[path = "../src/rate/mod.rs"]
pub mod rate;
#[path = "../src/record/mod.rs"]
pub mod record;
#[path = "../src/redact/mod.rs"]
pub mod redact;
#[path = "../src/registry/mod.rs"]
pub mod registry;
#[path = "../src/template/mod.rs"]
pub mod template;
#[path = "../src/trace/mod.rs"]
pub mod trace;
#[path = "../src/triage/mod.rs"]
pub mod triage;
#[path = "../src/watch/mod.rs"]
pub mod watch;
