//! Plays the host to the built library, as far as measuring needs it: loads it, starts one
//! instance with some properties, hands it chunks. `tests/host` is the host that tests.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr::null_mut;

#[repr(C)]
struct Registration {
    kind: c_int,
    proxy: c_int,
    flags: c_int,
    name: *mut c_char,
    description: *mut c_char,
}

#[repr(C)]
struct Context {
    remote: *mut c_void,
}

#[repr(C)]
struct Plugin {
    name: *mut c_char,
    api: *const Property,
    instance: *const c_void,
    context: *mut Context,
}

type Property = unsafe extern "C" fn(*const c_char, *const c_void) -> *const c_char;
type Register = unsafe extern "C" fn(*mut Registration) -> c_int;
type Init = unsafe extern "C" fn(*mut Plugin) -> c_int;
type Flush = unsafe extern "C" fn(*mut c_void, *const c_void, usize, *const c_char) -> c_int;
type Exit = unsafe extern "C" fn(*mut c_void) -> c_int;

/// What the library answers when its queue is full and `On_Full retry` is set.
pub const RETRY: c_int = 2;

type Properties = Vec<(CString, CString)>;

/// A running instance.
pub struct Instance {
    remote: *mut c_void,
    flush: Flush,
    exit: Exit,
    tag: CString,
}

impl Instance {
    /// Loads the library and starts it. Panics where that fails: there is nothing to measure.
    pub fn start(library: &str, tag: &str, properties: &[(&str, &str)]) -> Instance {
        let given: &'static Properties = Box::leak(Box::new(
            properties
                .iter()
                .map(|(key, value)| (text(key), text(value)))
                .collect(),
        ));
        // SAFETY: the library is the one that was just built, and everything handed over is
        // leaked, so that it outlives the instance.
        unsafe {
            let path = text(library);
            let library = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL);
            assert!(!library.is_null(), "{path:?} cannot be loaded");
            let registration = Box::leak(Box::new(Registration {
                kind: 0,
                proxy: 0,
                flags: 0,
                name: null_mut(),
                description: null_mut(),
            }));
            let register: Register = symbol(library, c"FLBPluginRegister");
            assert_eq!(register(registration), 0, "registration");
            let context = Box::leak(Box::new(Context { remote: null_mut() }));
            let api = Box::leak(Box::new(property as Property));
            let plugin = Box::leak(Box::new(Plugin {
                name: registration.name,
                api,
                instance: std::ptr::from_ref(given).cast(),
                context,
            }));
            let init: Init = symbol(library, c"FLBPluginInit");
            assert_eq!(init(plugin), 1, "init");
            Instance {
                remote: context.remote,
                flush: symbol(library, c"FLBPluginFlushCtx"),
                exit: symbol(library, c"FLBPluginExitCtx"),
                tag: text(tag),
            }
        }
    }

    /// Hands over one chunk.
    pub fn flush(&self, chunk: &[u8]) -> c_int {
        let (data, tag) = (chunk.as_ptr().cast(), self.tag.as_ptr());
        // SAFETY: the instance runs, and chunk and tag are valid for the length of the call.
        unsafe { (self.flush)(self.remote, data, chunk.len(), tag) }
    }

    pub fn end(self) {
        // SAFETY: the only exit; no flush can follow it.
        unsafe { (self.exit)(self.remote) };
    }
}

fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

unsafe fn symbol<T: Copy>(library: *mut c_void, name: &CStr) -> T {
    unsafe {
        let found = libc::dlsym(library, name.as_ptr());
        assert!(!found.is_null(), "no {name:?}");
        std::mem::transmute_copy(&found)
    }
}

unsafe extern "C" fn property(key: *const c_char, instance: *const c_void) -> *const c_char {
    unsafe {
        let key = CStr::from_ptr(key).to_string_lossy();
        let properties = &*instance.cast::<Properties>();
        let same =
            |(name, _): &&(CString, CString)| name.to_string_lossy().eq_ignore_ascii_case(&key);
        properties
            .iter()
            .find(same)
            .map_or(std::ptr::null(), |(_, value)| value.as_ptr())
    }
}
