//! Records in every shape that an agent gives them, from the bytes of a chunk to what the rest of
//! autofix reads. The examples are written here after the shapes' descriptions.

#[path = "records/chunk.rs"]
mod chunk;
#[path = "records/hostile.rs"]
mod hostile;
#[path = "records/input.rs"]
mod input;
#[path = "records/partial.rs"]
mod partial;
#[path = "records/shapes.rs"]
mod shapes;
