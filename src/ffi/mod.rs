//! The door to Fluent Bit: the entry points of a proxy output plugin for hosts from 1.9 to 5.1,
//! and everything that touches the host's memory, symbols, signals and allocator. It opens,
//! fences and maps the status; what is done with a chunk is `plugin`'s business.

mod abi;
mod alloc;
#[allow(non_camel_case_types)]
mod bindings;
mod entry;
mod fence;
mod host;
mod instances;
pub mod loaded;
mod schedule;
mod signals;
mod sink;
