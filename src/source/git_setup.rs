//! libgit2 set up once per process: its cache bounded, and our transport registered under a
//! scheme of its own, so that no OpenSSL is needed and no configuration of the user's rewrites
//! addresses. The only unsafe code outside `ffi`.

use crate::source::error::{Error, ErrorKind};
use crate::source::transport;
use std::sync::OnceLock;

/// The scheme under which libgit2 finds our transport.
pub(super) const SCHEME: &str = "autofix";

/// Bytes of objects that libgit2 may keep; its own default of 256 MB is too much for a guest in
/// somebody else's process.
const CACHE_LIMIT: libc::ssize_t = 32 << 20;

/// Does the set-up before the first use; later calls only return its result.
pub(super) fn ensure() -> Result<(), Error> {
    static DONE: OnceLock<Result<(), String>> = OnceLock::new();
    let done = DONE.get_or_init(|| set_up().map_err(|e| e.message().to_owned()));
    done.clone()
        .map_err(|what| Error::new(ErrorKind::Git, format!("libgit2 cannot be set up: {what}")))
}

#[allow(unsafe_code)]
fn set_up() -> Result<(), git2::Error> {
    // Hashing each object again as it is read costs a fifth of every walk. What is fetched is
    // checked when it comes, zlib has a checksum for each object, and git does not do it either.
    git2::opts::strict_hash_verification(false);
    // SAFETY: both change globals of libgit2 that must not be changed while it is in use on
    // another thread. `ensure` runs this once, and every repository is opened after `ensure`.
    unsafe {
        git2::opts::set_cache_max_size(CACHE_LIMIT)?;
        git2::transport::register(SCHEME, transport::make)
    }
}
