//! Recovery held to its word: every guard through the door, over a platform that remembers what it was
//! asked to do. What a test asserts is that record, not what the door answers.

#[path = "acting/any.rs"]
mod any;
#[path = "acting/approvals.rs"]
mod approvals;
#[path = "acting/guards.rs"]
mod guards;
#[path = "acting/hostile.rs"]
mod hostile;
#[path = "acting/long.rs"]
mod long;
#[path = "played/platform/mod.rs"]
#[allow(dead_code)] // It plays more than is needed here.
mod platform;
#[path = "acting/record.rs"]
mod record;
#[path = "acting/world.rs"]
mod world;
