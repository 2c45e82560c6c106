//! The host's structs, touched in one place: what is read from them is copied at once, and only
//! what every supported host allocated is read or written. The handle that the host keeps for an
//! instance is made and taken back here; it is a number, never an address of ours.

use super::bindings::{HOST_PROXY_GOLANG, HOST_TYPE_OUTPUT};
use super::bindings::{host_api, host_context, host_plugin, host_registration};
use std::ffi::{CStr, c_char, c_void};
use std::num::NonZeroUsize;

pub use super::bindings::{HOST_ERROR, HOST_OK, HOST_RETRY};

/// The plugin's name in configurations: `Name autofix`.
const NAME: &CStr = c"autofix";
const DESCRIPTION: &CStr = c"Turns errors in logs into reviewed fixes";

/// Longest tag that is looked at, in bytes; a tag is a short dotted name, the rest is cut.
const TAG_LIMIT: usize = 4_096;

/// Fills in a registration: the first five fields and nothing behind them, for up to 4.2.2 the
/// allocation ends there. `flags` is uncleared memory on those hosts, so it is always set.
///
/// # Safety
/// `to` is null or points to a registration of the host.
pub unsafe fn register(to: *mut host_registration) -> bool {
    if to.is_null() {
        return false;
    }
    // SAFETY: not null, and the five fields exist on every host since 1.8.
    unsafe {
        (*to).type_ = HOST_TYPE_OUTPUT;
        (*to).proxy = HOST_PROXY_GOLANG;
        (*to).flags = 0;
        (*to).name = NAME.as_ptr().cast_mut();
        (*to).description = DESCRIPTION.as_ptr().cast_mut();
    }
    true
}

/// What the host's plugin object says during one Init. The object is shared by all instances
/// and overwritten for each of them, so its members are copied.
#[derive(Clone, Copy)]
pub struct Given {
    pub api: *const host_api,
    pub instance: *mut c_void,
    context: *mut host_context,
}

impl Given {
    /// # Safety
    /// `plugin` is null or points to the host's plugin object.
    pub unsafe fn copy(plugin: *const host_plugin) -> Option<Given> {
        if plugin.is_null() {
            return None;
        }
        // SAFETY: not null; these members are there on every host.
        let given = unsafe {
            Given {
                api: (*plugin).api,
                instance: (*plugin).instance,
                context: (*plugin).context,
            }
        };
        let usable = !given.api.is_null() && !given.context.is_null();
        usable.then_some(given)
    }

    /// Gives the host the handle that it passes to every later call for this instance.
    ///
    /// # Safety
    /// Only during the Init that `self` was copied in.
    pub unsafe fn keep(&self, handle: Handle) {
        // SAFETY: checked for null when copied, and the host frees it only after exit.
        unsafe { (*self.context).remote_context = handle.to_host() };
    }
}

/// An instance as the host knows it. Old hosts pass the same one to exit more than once, so it
/// must be harmless after its instance has gone: a number that is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handle(pub NonZeroUsize);

impl Handle {
    fn to_host(self) -> *mut c_void {
        std::ptr::without_provenance_mut(self.0.get())
    }

    pub fn from_host(context: *mut c_void) -> Option<Handle> {
        NonZeroUsize::new(context.addr()).map(Handle)
    }
}

/// A chunk's bytes, for the length of the call.
///
/// # Safety
/// `data` is null or valid for `size` bytes during `'a`.
pub unsafe fn bytes<'a>(data: *const c_void, size: usize) -> &'a [u8] {
    if data.is_null() || size == 0 || size > isize::MAX as usize {
        return &[];
    }
    // SAFETY: by the caller's promise.
    unsafe { std::slice::from_raw_parts(data.cast::<u8>(), size) }
}

/// A tag's bytes, for the length of the call.
///
/// # Safety
/// `tag` is null or points to a NUL-terminated string that stays valid during `'a`.
pub unsafe fn tag<'a>(tag: *const c_char) -> &'a [u8] {
    if tag.is_null() {
        return &[];
    }
    // SAFETY: strnlen stops at the NUL or the limit, whichever comes first.
    unsafe {
        let length = libc::strnlen(tag, TAG_LIMIT);
        std::slice::from_raw_parts(tag.cast::<u8>(), length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_pointers_from_the_host_are_survived() {
        unsafe {
            assert!(!register(std::ptr::null_mut()));
            assert!(Given::copy(std::ptr::null()).is_none());
            assert!(bytes(std::ptr::null(), 9).is_empty());
            assert!(tag(std::ptr::null()).is_empty());
        }
        assert!(Handle::from_host(std::ptr::null_mut()).is_none());
    }

    #[test]
    fn a_handle_comes_back_as_it_went() {
        let handle = Handle(NonZeroUsize::new(7).unwrap());
        assert_eq!(Handle::from_host(handle.to_host()), Some(handle));
    }

    #[test]
    fn a_tag_is_cut_at_its_limit() {
        let long = std::ffi::CString::new(vec![b'x'; 10_000]).unwrap();
        assert_eq!(unsafe { tag(long.as_ptr()) }.len(), TAG_LIMIT);
        assert_eq!(unsafe { tag(c"app.log".as_ptr()) }, b"app.log");
    }
}
