//! What a service's log looked like so far, and what is different now: entries that are new, that
//! left their own past behind or fell silent, restarts in a loop, two deployed commits side by
//! side. Event time comes in as a value. Not here: watches, which count what somebody asked for.

mod book;
mod chance;
mod clock;
mod deploy;
mod judge;
mod learnt;
mod occurrence;
mod restarts;
mod rise;
mod rollout;
mod series;
mod table;

pub use book::{Book, Limits};
pub use deploy::{Deploy, NewError, Tally, Verdict};
pub use learnt::{Learnt, Line};
pub use occurrence::{Change, Entry, Gone, News, Occurrence, Place, Rate, What};
pub use restarts::{Loop, Restarts, Slot};
