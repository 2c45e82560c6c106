//! Records: from the bytes that a host delivers to what everybody else reads of them, and, for
//! replay, from the lines of a file to those bytes. Pure: no I/O of its own, no clock, no threads,
//! and no opinion on what a record means.

mod access;
pub mod ansi;
mod clean;
pub mod decode;
mod document;
pub mod encode;
mod facets;
pub mod failure;
mod fields;
mod hash;
mod http;
pub mod identity;
pub mod input;
pub mod json;
mod keys;
mod level;
mod listed;
pub mod msgpack;
mod names;
mod pairs;
pub mod partial;
mod path;
mod side;
mod stack;
pub mod stamp;
pub mod value;
mod view;
mod wanted;
mod wrapped;

pub use decode::{Event, Events, Fault, Record};
pub use hash::{Hashed, mix, text_hash};
pub use http::HTTP_STATUS;
pub use identity::Identity;
pub use pairs::Pairs;
pub use partial::{Joiner, Part};
pub use side::Side;
pub use value::{Found, Value};
pub use view::View;
pub use wanted::Wanted;
