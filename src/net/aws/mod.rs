//! What Amazon's services want of a request: keys, and a signature made with them. Where keys
//! come from is told by the doors; the only place that is asked here is the one that hands a
//! container the keys of its role.

mod role;
mod sign;

pub use role::{Role, TokenOf};
pub use sign::{Signed, signed};

use super::{Error, Secret};
use std::time::SystemTime;

/// Keys to sign with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    pub id: String,
    pub secret: Secret,
    /// Of keys that end.
    pub token: Option<Secret>,
    pub expires: Option<SystemTime>,
}

/// Hands out keys, each time they are needed.
pub type Provider = Box<dyn Fn() -> Result<Keys, Error> + Send + Sync>;
