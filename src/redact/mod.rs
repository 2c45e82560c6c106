//! Redaction: text in, text out that may leave the host. Secrets and personal data become
//! placeholders such as `[password-1]`; everything else stays as it was. Only this room can make
//! [`Redacted`], so whoever sends text has been here. Not here: who may send what where.
//!
//! It fails closed. Settings that cannot be used make no [`Redactor`], and without one nothing
//! can be sent; what cannot be decided becomes `[withheld: N bytes]`.
//!
//! # How it is found
//!
//! One pass over the text finds anchors: words that a secret's name holds (`anchors.rs`), the
//! beginnings that issuers give their tokens (`tokens.rs`), `://`, `@`. A second finds runs of
//! digits (`numbers.rs`). Only there a rule looks closer. What it says is replaced, and the
//! result is read again until nothing is found: so a second redaction changes nothing.
//!
//! # What cannot be found
//!
//! A password in a sentence that does not call it one; names and addresses of people; a secret
//! that was cut into several texts.

mod address;
mod anchors;
mod basic;
mod checksum;
mod class;
mod code;
mod cookie;
mod cursor;
mod extent;
mod field;
mod find;
mod header;
mod iban;
mod lines;
mod mail;
mod name;
mod national;
mod numbers;
mod originals;
mod pem;
mod phone;
mod placeholder;
mod random;
mod redacted;
mod redactor;
mod scope;
mod sentence;
mod settings;
mod shown;
mod stand_in;
mod tokens;
mod url;
mod value;

pub use class::Class;
pub use originals::placeholders;
pub use redacted::{Piece, Redacted};
pub use redactor::Redactor;
pub use scope::{Report, Scope};
pub use settings::{Complaint, Settings};
