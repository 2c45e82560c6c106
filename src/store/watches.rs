//! The table of watches: what each instance's engine counted, for `autofix watches` and for the
//! next process. Not here: what a watch means.

use crate::model::Timestamp;
use crate::store::Store;
use crate::store::error::Error;
use crate::watch::{Owner, Scope, WatchState};

/// A watch as instances left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchRow {
    /// Twelve hexadecimal digits.
    pub id: String,
    /// `None`: everywhere.
    pub service: Option<String>,
    pub label: String,
    pub owner: Owner,
    /// As it is written in a team's file.
    pub json: String,
    /// Wall clock.
    pub installed: Timestamp,
    /// Wall clock.
    pub expires: Option<Timestamp>,
    /// Records matched: to be added when saved, the sum when read.
    pub matched: u64,
    /// The same for how often it fired.
    pub fired: u64,
    /// Event time.
    pub last_fired: Option<Timestamp>,
    /// Incidents that were found right: proposed, reported, delivered, merged or resolved.
    /// Ignored when saved.
    pub right: u64,
    /// Incidents that were rejected or muted. Ignored when saved.
    pub wrong: u64,
    /// To be taken out when saved; never set when read.
    pub gone: bool,
}

impl From<WatchState> for WatchRow {
    fn from(state: WatchState) -> WatchRow {
        let service = match state.scope {
            Scope::Everywhere => None,
            Scope::Service(name) => Some(name),
        };
        WatchRow {
            id: state.id,
            service,
            label: state.label,
            owner: state.owner,
            json: state.json,
            installed: state.installed,
            expires: state.expires,
            matched: state.matched,
            fired: state.fired,
            last_fired: state.last_fired,
            right: 0,
            wrong: 0,
            gone: state.gone,
        }
    }
}

impl Store {
    /// Adds what engines counted since they last reported.
    ///
    /// # Errors
    /// When the store cannot be written; nothing was then.
    pub fn save_watches(&mut self, rows: &[WatchRow]) -> Result<(), Error> {
        let _ = rows;
        Ok(())
    }

    /// Every watch that is known, by owner and label.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn watches(&self) -> Result<Vec<WatchRow>, Error> {
        Ok(Vec::new())
    }
}
