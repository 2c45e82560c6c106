//! autofix watches a live system's logs inside Fluent Bit, decides which errors matter, finds
//! the code at the deployed commit and turns the error into a reviewed fix.
//!
//! ARCHITECTURE.md describes the floors; `tests/house.rs` holds the code to them.

pub mod app;
pub mod cli;
pub mod config;
pub mod counters;
pub mod deliver;
pub mod ffi;
pub mod incident;
pub mod investigate;
pub mod llm;
pub mod log;
pub mod model;
pub mod net;
pub mod patch;
pub mod pipeline;
pub mod plugin;
pub mod policy;
pub mod rate;
pub mod record;
pub mod recover;
pub mod redact;
pub mod registry;
pub mod source;
pub mod store;
pub mod template;
pub mod trace;
pub mod triage;
pub mod watch;
