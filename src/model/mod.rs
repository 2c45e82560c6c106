//! The nouns of autofix: plain data that every floor above may hold and pass on.
//! No behaviour beyond parsing and printing a noun's own text, no I/O, no clock.

pub mod delivery;
pub mod facets;
mod fixer;
pub mod incident;
pub mod level;
pub mod notify;
pub mod recovery;
pub mod service;
pub mod signal;
pub mod template;
pub mod time;
pub mod trace;

pub use facets::{Facets, SmallText};
pub use incident::{Incident, IncidentId, Kind, Location, Proposal, Status};
pub use level::Level;
pub use service::{CommitId, Settings};
pub use signal::{ContextLine, Signal};
pub use template::TemplateId;
pub use time::Timestamp;
pub use trace::{Block, Frame, Language, Raised, Trace};
