//! The scenarios of `scenarios/`, built in by `build.rs`, so that the program has them wherever it
//! runs. Nothing is decided here.

use crate::app::Error;
use crate::app::eval::scenario::{self, Content, Scenario};

/// A scenario's name, its `scenario.toml`, and the files beside it.
type Shipped = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static [u8])],
);

include!(concat!(env!("OUT_DIR"), "/scenarios.rs"));

/// Those that autofix ships.
pub(super) fn scenarios() -> Result<Vec<Scenario>, Error> {
    let mut good = Vec::new();
    let mut complaints = Vec::new();
    for (name, text, files) in SHIPPED {
        let find = |wanted: &str| {
            let (_, bytes) = files.iter().find(|(file, _)| *file == wanted)?;
            Some(Content::BuiltIn(bytes))
        };
        let file = format!("scenarios/{name}/scenario.toml");
        match scenario::parse(name, &file, text, &find) {
            Ok(scenario) => good.push(scenario),
            Err(mut more) => complaints.append(&mut more),
        }
    }
    match complaints.is_empty() {
        true => Ok(good),
        false => Err(Error::Complaints(complaints)),
    }
}
