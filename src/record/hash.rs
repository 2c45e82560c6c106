//! A quick hash of short texts: names of keys, values that an index looks up. Not for tables that
//! a stranger fills without bound: whoever knows it can make texts that collide.

use std::hash::{BuildHasherDefault, Hasher};

/// For maps whose keys are hashes already.
pub type Hashed = BuildHasherDefault<AsItIs>;

/// A hash as its own hash.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = mix(self.0 ^ text_hash(bytes), SEEDS[0]);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

const SEEDS: [u64; 3] = [
    0x9e37_79b9_7f4a_7c15,
    0xc2b2_ae3d_27d4_eb4f,
    0x1656_67b1_9e37_79f9,
];

/// The hash of a text; the same at build time, so that tables of names can be made then.
#[inline]
pub const fn text_hash(bytes: &[u8]) -> u64 {
    let len = bytes.len();
    let seed = mix(len as u64 ^ SEEDS[0], SEEDS[1]);
    if len > 16 {
        return long_hash(bytes, seed);
    }
    let (low, high) = match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(low), Some(high)) => (u64::from_le_bytes(*low), u64::from_le_bytes(*high)),
        _ => match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
            (Some(low), Some(high)) => (
                u32::from_le_bytes(*low) as u64,
                u32::from_le_bytes(*high) as u64,
            ),
            _ => (short(bytes), 0),
        },
    };
    mix(low ^ seed, high ^ SEEDS[2])
}

/// At most three bytes as a number.
const fn short(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => a as u64,
        [a, b] => (a as u64) << 8 | b as u64,
        [a, b, c] => (a as u64) << 16 | (b as u64) << 8 | c as u64,
        _ => 0,
    }
}

const fn long_hash(bytes: &[u8], seed: u64) -> u64 {
    let mut state = seed;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<16>() {
        state = mix_sixteen(chunk, state);
        rest = after;
    }
    // The end overlaps the last whole chunk; the length is in the seed.
    match bytes.last_chunk::<16>() {
        Some(end) => mix_sixteen(end, state),
        None => state,
    }
}

const fn mix_sixteen(chunk: &[u8; 16], state: u64) -> u64 {
    let number = u128::from_le_bytes(*chunk);
    let (low, high) = (number as u64, (number >> 64) as u64);
    mix(low ^ state, high ^ SEEDS[1])
}

/// Two numbers folded into one; never zero for both.
#[inline]
pub const fn mix(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}
