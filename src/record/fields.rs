//! Every field that somebody asked for, in one pass over a record: its own keys, and values inside
//! its message only where one of the wanted names may stand there. Finds at least what
//! [`View::field`] gives; it decides nothing about precedence.

use crate::record::value::Value;
use crate::record::view::View;

/// The dotted paths that somebody looks for, each with a number.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    paths: Vec<String>,
}

impl Wanted {
    /// Adds a path, or finds it where it is there already; gives its number, counted from 0.
    pub fn add(&mut self, path: &str) -> u32 {
        let known = self.paths.iter().position(|known| known == path);
        let at = known.unwrap_or_else(|| {
            self.paths.push(path.to_owned());
            self.paths.len() - 1
        });
        u32::try_from(at).unwrap_or(u32::MAX)
    }

    /// Every path with its number.
    pub fn paths(&self) -> impl Iterator<Item = (u32, &str)> {
        (0..).zip(self.paths.iter().map(String::as_str))
    }
}

impl View<'_> {
    /// Calls `found` with the place of the table in `wanted`, the number of a path in it, and a
    /// value under that path. The value that [`View::field`] gives is always among them.
    pub fn visit(&self, wanted: &[&Wanted], found: &mut dyn FnMut(usize, u32, &Value<'_>)) {
        for (which, wanted) in wanted.iter().enumerate() {
            for (number, path) in wanted.paths() {
                if let Some(value) = self.field(path) {
                    found(which, number, &value);
                }
            }
        }
    }
}
