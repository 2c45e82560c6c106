//! Amazon ECS behind the trait of platforms: against moto, which keeps services and tasks as ECS does
//! (`sh scripts/moto.sh cargo test --test recover_ecs`), and, for what moto does not do, against a played
//! ECS: roll-outs, their failures, how tasks end, and everything that goes wrong on the way.

#[path = "recover_ecs/changes.rs"]
mod changes;
#[path = "recover_ecs/faults.rs"]
mod faults;
#[path = "recover_ecs/moto.rs"]
mod moto;
#[path = "played/ecs/mod.rs"]
mod played;
#[path = "recover_ecs/progress.rs"]
mod progress;
#[path = "recover_ecs/shown.rs"]
mod shown;
#[path = "recover_ecs/world.rs"]
mod world;
