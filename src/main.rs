//! The `autofix` command line.

fn main() {}
