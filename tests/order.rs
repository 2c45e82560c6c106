//! Orders for pull requests: what stands in them of a fault, and that nothing in them acts that
//! others wrote.

#[path = "order/any.rs"]
mod any;
#[path = "order/checker.rs"]
mod checker;
#[path = "order/golden.rs"]
mod golden;
#[allow(dead_code)]
#[path = "source/sample.rs"]
mod sample;
#[path = "order/world.rs"]
mod world;
