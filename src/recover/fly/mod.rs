//! fly.io, over its Machines API. What a machine is, and what its answers mean, stands in `machine.rs`
//! and its neighbours; here is who asks where, with which token.

mod access;
mod address;
mod events;
mod image;
