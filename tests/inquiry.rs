//! The conversation of an investigation, led by models that are played here: one that obeys whatever
//! a repository tells it, ones that say anything at all, and a real one that is too small to be right.

#[path = "played/anthropic/mod.rs"]
mod anthropic_server;
#[path = "inquiry/any.rs"]
mod any;
#[path = "inquiry/hostile.rs"]
mod hostile;
#[allow(dead_code)]
#[path = "source/injected.rs"]
mod injected;
mod llama;
#[path = "inquiry/obeys.rs"]
mod obeys;
#[path = "inquiry/real.rs"]
mod real;
#[path = "inquiry/recovery.rs"]
mod recovery;
#[allow(dead_code)]
#[path = "source/sample.rs"]
mod sample;
#[path = "inquiry/shop.rs"]
mod shop;
#[path = "inquiry/steady.rs"]
mod steady;
#[path = "inquiry/world.rs"]
mod world;
