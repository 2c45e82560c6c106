//! Message templates: what lines of one service have in common apart from their varying parts.
//! Text in, ids out, in a single pass. Not here: which template matters (the brain), how often
//! one was seen (`rate`).
//!
//! # How a line finds its template
//!
//! 1. `scan` passes once over the bytes. Whatever is a value by itself (`mask`: numbers, ids,
//!    addresses, paths, sizes with their unit, text in quotes, lists of these) becomes one
//!    placeholder, and words and signs are hashed: the signature.
//! 2. The signature is looked up in the `cache`. Nearly every line ends here, without an
//!    allocation.
//! 3. A new signature goes through the tree (`store`): templates with as many tokens and the
//!    same first one are compared, place by place (`cluster`). Where only a place or two differ,
//!    `judge` says whether two names stand there (the template becomes more general) or two
//!    states (another template). A place that has shown many words varies from then on.
//!
//! An id is made of the first line's signature, so that hosts agree on it, and is never taken
//! back: no statistics can mend later what the second line got wrong, so the looks of the words
//! decide. That is the difference to what this builds on: the tree of fixed depth is Drain's (He
//! et al., ICWS 2017), masking before it and a bounded number of clusters are Drain3's, the cost
//! of a look-up for a known form is what Spell's prefix tree (Du and Li, ICDM 2016) is for, and
//! telling constants from parameters by what a position shows is Brain's idea (Yu et al., TSC
//! 2023), which needs the whole log.
//!
//! # Limits
//!
//! Of a line 2,048 bytes and 128 tokens are read, of a leaf of the tree 128 templates are kept;
//! [`Limits`] bounds templates and bytes. New templates are on probation, so that made-up ones
//! drive out each other and not what was learnt; past 1,000 new ones at once they are
//! [`Novelty::Full`], and told when they have come three times. Signatures are 64 bits without a
//! secret: who tries can make two lines share a template. A line whose template was evicted gets
//! the id of its own form when it comes again.
//!
//! # How to add a rule
//!
//! A value that is told by its bytes: `mask`. Words that are states, or nouns that a name
//! follows: the lists in `judge`. Each has a table of lines in its tests, and `make score` says
//! what it does to labelled logs. A rule that changes signatures changes ids: then `DOMAIN` in
//! `miner` and `VERSION` in `learnt` change too.

mod bytes;
mod cache;
mod cluster;
mod judge;
mod learnt;
mod mask;
mod miner;
mod scan;
mod store;

pub use learnt::{Learnt, Refused};
pub use miner::{Limits, Miner, Novelty, Seen};
