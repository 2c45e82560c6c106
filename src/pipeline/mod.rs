//! The corridor between the host and the rooms: the only place that starts threads, and the
//! queues between them. Every queue is bounded, counted and can be stopped. It contains no
//! rules and no words for people.

pub mod acting;
pub mod asking;
mod callers;
pub mod clock;
pub mod courier;
mod declared;
pub mod deployed;
pub mod drawn;
mod failures;
mod fast;
mod fates;
mod joining;
mod judged;
mod lane;
pub mod lanes;
pub mod learned;
mod ledger;
mod nearby;
mod notes;
mod noticed;
pub mod notifying;
mod ordering;
mod proving;
pub mod queue;
mod reader;
mod results;
mod ring;
mod signals;
mod slow;
mod spares;
pub mod streams;
pub mod triage_lane;
mod unread;
mod verdicts;
pub mod work;

pub use lane::Halt;
pub use lanes::{Lanes, Setup};
