//! What this host is and offers: which of its functions exist, what its version can bear, the
//! properties of an instance. Hosts carry no version that a plugin could read, so symbols that
//! came with a release tell; where none is found the older host is assumed.

use super::abi::Given;
use super::bindings::{
    HOST_LOG_DEBUG, HOST_LOG_ERROR, HOST_LOG_INFO, HOST_LOG_TRACE, HOST_LOG_WARN, host_api,
};
use crate::model::Level;
use crate::plugin::Property;
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;
use std::rc::Rc;

type GetProperty = unsafe extern "C" fn(*mut c_char, *mut c_void) -> *mut c_char;
pub type LogPrint = unsafe extern "C" fn(c_int, *const c_char, c_int, *const c_char, ...);
type LogCheck = unsafe extern "C" fn(*mut c_void, c_int) -> c_int;

/// What depends on the host's release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Release {
    /// 2.0.0: the interface has logging functions.
    pub logs: bool,
    /// 2.0.7: several instances of one plugin end without a double free.
    pub many_instances: bool,
    /// 2.2.1: a failed Init is reported instead of crashing.
    pub init_may_fail: bool,
}

impl Release {
    pub fn detect() -> Release {
        Release::of(exported)
    }

    /// Each symbol was looked for in the source of every release from 1.9.10 to 5.1.1: absent
    /// before the release that it stands for, present in all later ones. The host exports them.
    fn of(has: impl Fn(&CStr) -> bool) -> Release {
        // 2.0.7 brought no function, but an output that a small build may leave out; 2.1.0
        // brought the decoder.
        let since_2_0_7 = has(c"out_udp_plugin") || has(c"flb_log_event_decoder_create");
        let since_2_2_1 = has(c"cfl_array_append_uint64");
        Release {
            logs: has(c"flb_output_log_check"),
            many_instances: since_2_0_7 || since_2_2_1,
            init_may_fail: since_2_2_1,
        }
    }
}

fn exported(symbol: &CStr) -> bool {
    // SAFETY: only asks whether the name is there.
    unsafe { !libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()).is_null() }
}

/// The host's own log for one instance, with the levels that the instance's log_level lets
/// through, asked once: the instance is gone before our last thread may be.
#[derive(Clone, Copy)]
pub struct HostLog {
    pub print: LogPrint,
    passes: [bool; 5],
}

impl HostLog {
    pub fn passes(&self, level: c_int) -> bool {
        usize::try_from(level - 1).is_ok_and(|at| self.passes.get(at).copied().unwrap_or(false))
    }
}

/// The number that the host has for a level.
pub fn level_number(level: Level) -> c_int {
    match level {
        Level::Fatal | Level::Error => HOST_LOG_ERROR,
        Level::Warn => HOST_LOG_WARN,
        Level::Info => HOST_LOG_INFO,
        Level::Debug => HOST_LOG_DEBUG,
        Level::Trace => HOST_LOG_TRACE,
    }
}

/// The host's log, or `None` on hosts that offer none: there the interface ends before it.
///
/// # Safety
/// During Init only, with what Init was given.
pub unsafe fn log(given: &Given, release: Release) -> Option<HostLog> {
    if !release.logs {
        return None;
    }
    let api: *const host_api = given.api;
    // SAFETY: hosts of this release have the members up to output_log_check. No reference is
    // made to the object as a whole.
    let (print, check): (LogPrint, LogCheck) =
        unsafe { ((*api).log_print?, (*api).output_log_check?) };
    let levels = [
        HOST_LOG_ERROR,
        HOST_LOG_WARN,
        HOST_LOG_INFO,
        HOST_LOG_DEBUG,
        HOST_LOG_TRACE,
    ];
    // SAFETY: the instance is alive during Init.
    let passes = levels.map(|level| unsafe { check(given.instance, level) } != 0);
    Some(HostLog { print, passes })
}

/// Reads an instance's properties, as long as Init lasts.
pub struct Properties {
    instance: Rc<Cell<*mut c_void>>,
    read: Option<GetProperty>,
}

impl Properties {
    /// # Safety
    /// With what Init was given, and dropped before Init ends.
    pub unsafe fn of(given: &Given) -> Properties {
        Properties {
            instance: Rc::new(Cell::new(given.instance)),
            // SAFETY: the first member exists on every host.
            read: unsafe { (*given.api).output_get_property },
        }
    }

    /// A reader to hand down. It answers nothing once `self` is gone.
    pub fn reader(&self) -> Property {
        let instance = Rc::clone(&self.instance);
        let read = self.read;
        Box::new(move |key| {
            let key = CString::new(key).ok()?;
            let instance = instance.get();
            if instance.is_null() {
                return None;
            }
            // SAFETY: the instance is alive while the cell holds it; the host only reads the
            // key, and the value is copied before anything else happens.
            unsafe {
                let value = read?(key.as_ptr().cast_mut(), instance);
                (!value.is_null()).then(|| CStr::from_ptr(value).to_string_lossy().into_owned())
            }
        })
    }
}

impl Drop for Properties {
    fn drop(&mut self) {
        self.instance.set(null_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(symbols: &[&CStr]) -> Release {
        Release::of(|symbol| symbols.contains(&symbol))
    }

    #[test]
    fn an_unknown_host_counts_as_the_oldest() {
        let oldest = with(&[]);
        assert!(!oldest.logs && !oldest.many_instances && !oldest.init_may_fail);
    }

    #[test]
    fn releases_are_told_by_their_symbols() {
        let v2_0_6 = with(&[c"flb_output_log_check"]);
        assert!(v2_0_6.logs && !v2_0_6.many_instances);
        let v2_0_7 = with(&[c"flb_output_log_check", c"out_udp_plugin"]);
        assert!(v2_0_7.many_instances && !v2_0_7.init_may_fail);
        let small_v2_2_0 = with(&[c"flb_output_log_check", c"flb_log_event_decoder_create"]);
        assert!(small_v2_2_0.many_instances && !small_v2_2_0.init_may_fail);
        let v2_2_1 = with(&[c"flb_output_log_check", c"cfl_array_append_uint64"]);
        assert!(v2_2_1.many_instances && v2_2_1.init_may_fail);
    }

    unsafe extern "C" fn one_property(key: *mut c_char, _: *mut c_void) -> *mut c_char {
        let key = unsafe { CStr::from_ptr(key) };
        match key == c"mode" {
            true => c"dry-run".as_ptr().cast_mut(),
            false => null_mut(),
        }
    }

    #[test]
    fn properties_are_read_during_init_and_never_after() {
        let mut instance = 0u8;
        let properties = Properties {
            instance: Rc::new(Cell::new((&raw mut instance).cast())),
            read: Some(one_property),
        };
        let reader = properties.reader();
        assert_eq!(reader("mode").as_deref(), Some("dry-run"));
        assert_eq!(reader("other"), None);
        assert_eq!(reader("nul\0inside"), None);
        drop(properties);
        assert_eq!(reader("mode"), None);
    }
}
