//! Who is told of what through webhooks: payloads, grouping, limits, walls, secrets. The webhook is
//! played on loopback, and the clock is a value.

#[path = "notify/command.rs"]
mod command;
#[path = "notify/hostile.rs"]
mod hostile;
#[path = "notify/instance.rs"]
mod instance;
#[path = "notify/payloads.rs"]
mod payloads;
#[path = "notify/sending.rs"]
mod sending;
#[path = "notify/told.rs"]
mod told;
#[path = "notify/world.rs"]
mod world;
