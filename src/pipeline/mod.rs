//! The corridor between the host and the rooms: the only place that starts threads, and the
//! queues between them. Every queue is bounded, counted and can be stopped. It contains no
//! rules and no words for people.

pub mod lane;
pub mod queue;
pub mod ring;
