//! The functions that the host looks up by name. Each one opens a fence, borrows what it was
//! given, calls, and maps the status.
//!
//! Threads start in Init only: the host may fork between registration and Init. Registration
//! keeps no state, because on a reload the new one comes before the old one's end, in the same
//! image of this library.

use super::abi::{self, Given, HOST_ERROR, HOST_OK, HOST_RETRY, Handle};
use super::bindings::{host_plugin, host_registration};
use super::host::{self, Properties, Release};
use super::{fence, instances, schedule, signals, sink};
use crate::plugin::{self, Flush, Host};
use std::ffi::{c_char, c_int, c_void};
use std::time::Duration;

/// What one exit may take, all told. The host waits for it, and whoever ends the host kills it
/// after 5 s (fly) to 30 s (ECS, Kubernetes).
const EXIT_TIME: Duration = Duration::from_secs(3);

/// What registration returns when it is refused.
const REFUSED: c_int = -1;

/// # Safety
/// Called by the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginPreRegister(_hot_reloading: c_int) -> c_int {
    0
}

/// # Safety
/// Called by the host, with a registration to fill in.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginRegister(registration: *mut host_registration) -> c_int {
    match unsafe { abi::register(registration) } {
        true => 0,
        false => REFUSED,
    }
}

/// # Safety
/// Called by the host, once for each instance, with the plugin object that they all share.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginInit(plugin: *mut host_plugin) -> c_int {
    fence::quiet_panics();
    fence::run(HOST_OK, || match unsafe { Given::copy(plugin) } {
        Some(given) => unsafe { init(&given) },
        None => HOST_ERROR,
    })
}

/// # Safety
/// Called by the host; `data` and `tag` are valid for the length of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginFlush(
    data: *const c_void,
    size: usize,
    tag: *const c_char,
) -> c_int {
    fence::run(HOST_OK, || unsafe {
        status(instances::flush(
            None,
            abi::tag(tag),
            abi::bytes(data, size),
        ))
    })
}

/// # Safety
/// Called by the host; `data` and `tag` are valid for the length of the call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginFlushCtx(
    context: *mut c_void,
    data: *const c_void,
    size: usize,
    tag: *const c_char,
) -> c_int {
    fence::run(HOST_OK, || match Handle::from_host(context) {
        Some(handle) => unsafe {
            status(instances::flush(
                Some(handle),
                abi::tag(tag),
                abi::bytes(data, size),
            ))
        },
        None => HOST_OK, // its Init went wrong
    })
}

/// # Safety
/// Called by the host, where it knows no contexts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginExit() -> c_int {
    fence::run(HOST_OK, || {
        instances::end_all(EXIT_TIME);
        HOST_OK
    })
}

/// # Safety
/// Called by the host, with what it kept for the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginExitCtx(context: *mut c_void) -> c_int {
    fence::run(HOST_OK, || {
        match Handle::from_host(context) {
            // Hosts before 2.0.7 always pass the last instance's context, and their exits come
            // together at the end: the first call ends every instance.
            _ if !Release::detect().many_instances => instances::end_all(EXIT_TIME),
            Some(handle) => instances::end(handle, EXIT_TIME),
            None => {}
        }
        HOST_OK
    })
}

/// # Safety
/// Called by the host, before it lets go of the library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn FLBPluginUnregister(_registration: *mut host_registration) {
    // Nothing: after a reload the instances belong to a newer registration.
}

fn status(flush: Flush) -> c_int {
    match flush {
        Flush::Taken => HOST_OK,
        Flush::Retry => HOST_RETRY,
    }
}

/// Starts an instance. Fails only where the configuration is provably wrong and the host
/// survives it; whatever else goes wrong leaves an instance that takes and drops.
unsafe fn init(given: &Given) -> c_int {
    let release = Release::detect();
    let number = instances::free_number();
    let (log, gate) = sink::open(unsafe { host::log(given, release) }, number);
    let alone = release.many_instances || !instances::any();
    let properties = unsafe { Properties::of(given) };
    let host = Host {
        property: properties.reader(),
        log: log.clone(),
        start_disabled: (!alone).then(|| ONE_ONLY.to_owned()),
    };
    let (blocked, batch) = (signals::block(), schedule::batch());
    let started = fence::caught(|| plugin::start(host));
    drop((blocked, batch));
    let instance = match started {
        Some(Ok(instance)) => Some(instance),
        Some(Err(complaints)) => {
            log.error(&complaints);
            if release.init_may_fail {
                gate.shut();
                return HOST_ERROR;
            }
            log.error("autofix is disabled: this host would crash on a failed start");
            None
        }
        None => {
            log.error("autofix is disabled: it met a fault of its own at start");
            None
        }
    };
    unsafe { given.keep(instances::add(number, instance, gate)) };
    HOST_OK
}

const ONE_ONLY: &str = "Fluent Bit before 2.0.7 ends a plugin with several instances wrongly; \
     only the first [OUTPUT] of autofix runs";
