//! The secret that a record holds to show that its sender may report failures: kept as its digest from
//! here on, so that the secret itself goes nowhere.

use crate::record::view::View;
use sha2::{Digest, Sha256};
use std::fmt;

/// The field of a record's own map that holds it.
pub const SECRET_FIELD: &str = "autofix_secret";

/// Longest secret that is looked at, in bytes.
const LONGEST: usize = 4 << 10;

/// The digest of what a record presented.
#[derive(Clone)]
pub struct Presented([u8; 32]);

impl Presented {
    /// `None` where the record has no such field, or one that holds no text.
    pub fn of(view: &View<'_>) -> Option<Presented> {
        let bytes = view.body().get(SECRET_FIELD)?.bytes()?;
        (!bytes.is_empty() && bytes.len() <= LONGEST).then(|| Presented(digest(bytes)))
    }

    /// Whether it is this secret. Takes as long wherever the two differ: digests are compared, all of
    /// them.
    pub fn fits(&self, secret: &str) -> bool {
        let wanted = digest(secret.as_bytes());
        let differ = self
            .0
            .iter()
            .zip(wanted)
            .fold(0, |sum, (a, b)| sum | (a ^ b));
        !secret.is_empty() && std::hint::black_box(differ) == 0
    }
}

impl fmt::Debug for Presented {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Presented(…)")
    }
}

fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}
