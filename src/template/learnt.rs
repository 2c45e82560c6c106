//! What a miner has learnt, as text that can be kept and handed to another one: one JSON object
//! a template. Not here: files.

use crate::model::TemplateId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of [`Learnt`]. Another one is refused.
pub const VERSION: u32 = 1;

/// One template as a line of a seed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// Version of this form.
    pub v: u32,
    /// The service whose miner learnt it; the miner itself neither writes nor reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub id: TemplateId,
    /// The template, with `<*>` for what varies.
    pub template: String,
    /// Signatures of masked lines that were given this id, 16 hexadecimal digits each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<String>,
}

/// Why a [`Learnt`] was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Written by another version.
    Version(u32),
    /// The id already names another template.
    Taken,
    /// Too long, empty, or not what a miner writes.
    Form(&'static str),
    /// The miner's limits are reached.
    Full,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Version(v) => write!(f, "version {v} is not {VERSION}"),
            Refused::Taken => f.write_str("its id already names another template"),
            Refused::Form(why) => f.write_str(why),
            Refused::Full => f.write_str("there is no room for more templates"),
        }
    }
}

impl std::error::Error for Refused {}
