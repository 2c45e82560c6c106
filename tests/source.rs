//! Repositories, suspects and patches, against repositories built here and against git itself.

#[path = "source/commits.rs"]
mod commits;
#[path = "source/crashes.rs"]
mod crashes;
#[path = "source/further.rs"]
mod further;
#[path = "source/hands_off.rs"]
mod hands_off;
#[path = "source/injected.rs"]
mod injected;
#[path = "source/injections.rs"]
mod injections;
#[path = "source/locating.rs"]
mod locating;
#[path = "source/remote.rs"]
mod remote;
#[path = "source/revert.rs"]
mod revert;
#[path = "source/sample.rs"]
mod sample;
#[path = "source/server.rs"]
mod server;
#[path = "source/texts.rs"]
mod texts;
#[path = "source/tools.rs"]
mod tools;
