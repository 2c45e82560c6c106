//! Whether an action may happen: what a request means, the checks, the rules that ask for one by
//! themselves, the choice of a release, and whether an action helped. Pure: what a platform shows, what
//! was done before and the time come in as values, so that every decision can be made again.

mod after;
mod checks;
mod release;
mod request;
mod rules;
mod seal;

pub use after::{After, Helped, helped};
pub use checks::{History, Known, is_given_up, judge, refused, waits_for_person};
pub use release::{Health, choose};
pub use request::{Request, Wrong, risk, task};
pub use rules::{Rule, wanted};
pub use seal::{basis, hash};

#[cfg(test)]
mod tests;
