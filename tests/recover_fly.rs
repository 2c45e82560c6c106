//! fly.io as a platform, against a Machines API that is played on loopback: every verb, every fault,
//! and answers that are no answers.

#[path = "recover_fly/acting.rs"]
mod acting;
#[path = "recover_fly/faults.rs"]
mod faults;
#[path = "recover_fly/garbage.rs"]
mod garbage;
#[path = "recover_fly/looking.rs"]
mod looking;
#[path = "played/fly/mod.rs"]
mod played_fly;
#[path = "recover_fly/rollback.rs"]
mod rollback;
#[path = "recover_fly/scaling.rs"]
mod scaling;
#[path = "recover_fly/world.rs"]
mod world;
