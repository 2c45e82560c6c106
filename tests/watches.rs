//! The watch engine over whole records: what its index finds is what asking every watch would
//! find, and what hostile files and records do to it.

#[path = "watches/bounds.rs"]
mod bounds;
#[path = "records/chunk.rs"]
#[allow(
    dead_code,
    reason = "shared with the tests of records, which use more of it"
)]
mod chunk;
#[path = "watches/equivalence.rs"]
mod equivalence;
