//! Recovery in the store: what platforms told, how releases ran, the actions and their leases, the
//! counters, and the audit. What an action may be is decided elsewhere, inside the transaction that
//! writes it.

mod actions;
mod audit;
mod facts;
mod history;
mod queries;
mod tally;
mod telling;
mod watching;

pub use actions::{ActionLease, Claimed, Next};
pub use audit::{AuditEntry, AuditFault, Head};
pub use tally::TallyRow;
pub use watching::{WatchLease, Watching};

use crate::store::error::Error;
use rusqlite::Transaction;

/// Whoever watches a service with a policy; called where its settings are written.
pub(super) fn keep_watched(
    tx: &Transaction<'_>,
    service: &str,
    watched: bool,
) -> Result<(), Error> {
    watching::keep(tx, service, watched)
}
