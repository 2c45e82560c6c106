//! What a model hands in, held against small repositories that are built here: good answers in
//! every language become patches that git applies, hostile ones do not, and each gate has an
//! answer that only it stops.

#[path = "gate/alone.rs"]
mod alone;
#[path = "gate/any.rs"]
mod any;
#[path = "gate/good.rs"]
mod good;
#[path = "gate/hostile.rs"]
mod hostile;
#[path = "gate/languages.rs"]
mod languages;
#[path = "gate/real.rs"]
mod real;
#[allow(dead_code)]
#[path = "source/sample.rs"]
mod sample;
#[path = "gate/world.rs"]
mod world;
