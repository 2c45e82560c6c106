//! The other side of the door, for `autofix selftest`: loads a built plugin as a host does and
//! plays one run with it, so that a wrong file, a missing symbol or a folder that cannot be
//! written shows before a log router meets it. Only the members that every host has are given.

use super::bindings::{HOST_OK, host_api, host_context, host_plugin, host_registration};
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;

type Register = unsafe extern "C" fn(*mut host_registration) -> c_int;
type Init = unsafe extern "C" fn(*mut host_plugin) -> c_int;
type Flush = unsafe extern "C" fn(*mut c_void, *const c_void, usize, *const c_char) -> c_int;
type Exit = unsafe extern "C" fn(*mut c_void) -> c_int;

/// What the plugin is asked for with: keys and values of its `[OUTPUT]` block.
struct Block {
    entries: Vec<(CString, CString)>,
}

/// Loads the plugin, hands it one chunk, and ends it; the block holds `KEY`, `VALUE` pairs.
///
/// # Errors
/// The step that failed, and why.
pub fn play(plugin: &Path, block: &[(&str, &str)], tag: &str, chunk: &[u8]) -> Result<(), String> {
    let nul = |_| "a value with a NUL byte".to_owned();
    let path = CString::new(plugin.as_os_str().as_bytes()).map_err(nul)?;
    let tag = CString::new(tag).map_err(nul)?;
    let mut entries = Vec::new();
    for (key, value) in block {
        entries.push((
            CString::new(*key).map_err(nul)?,
            CString::new(*value).map_err(nul)?,
        ));
    }
    let block = Block { entries };
    // SAFETY: the file is the one that the caller was told to load, and a host would load it the
    // same way. Everything handed over outlives the calls, and nothing is used after the exit.
    unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL);
        if library.is_null() {
            return Err(format!("it cannot be loaded: {}", last_fault()));
        }
        run(library, &block, &tag, chunk)
    }
}

unsafe fn run(library: *mut c_void, block: &Block, tag: &CStr, chunk: &[u8]) -> Result<(), String> {
    unsafe {
        let register: Register = symbol(library, c"FLBPluginRegister")?;
        let init: Init = symbol(library, c"FLBPluginInit")?;
        let flush: Flush = symbol(library, c"FLBPluginFlushCtx")?;
        let exit: Exit = symbol(library, c"FLBPluginExitCtx")?;
        let mut registration = host_registration {
            type_: 0,
            proxy: 0,
            flags: 0,
            name: null_mut(),
            description: null_mut(),
        };
        if register(&raw mut registration) != 0 || registration.name.is_null() {
            return Err("it refused to be registered".to_owned());
        }
        // What a host before 2.0 gives: one member, and no more memory behind it.
        let api: *const Option<Property> = &raw const PROPERTY;
        let mut context = host_context {
            remote_context: null_mut(),
        };
        let mut plugin = host_plugin {
            name: registration.name,
            api: api.cast_mut().cast::<host_api>(),
            instance: std::ptr::from_ref(block).cast_mut().cast(),
            context: &raw mut context,
        };
        if init(&raw mut plugin) != HOST_OK {
            return Err("it refused its configuration; the lines above say why".to_owned());
        }
        let handle = context.remote_context;
        let flushed = flush(handle, chunk.as_ptr().cast(), chunk.len(), tag.as_ptr());
        let ended = exit(handle);
        match (flushed, ended) {
            (HOST_OK, HOST_OK) => Ok(()),
            (HOST_OK, other) => Err(format!("its exit answered {other}")),
            (other, _) => Err(format!("its flush answered {other}")),
        }
    }
}

type Property = unsafe extern "C" fn(*mut c_char, *mut c_void) -> *mut c_char;

static PROPERTY: Option<Property> = Some(property);

/// The host's side of `output_get_property`.
unsafe extern "C" fn property(key: *mut c_char, instance: *mut c_void) -> *mut c_char {
    // SAFETY: `instance` is the block that `run` handed over; `key` is a string of the plugin's.
    let (key, block) = unsafe { (CStr::from_ptr(key), &*instance.cast::<Block>()) };
    let found = block
        .entries
        .iter()
        .find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(key.to_bytes()));
    found.map_or(null_mut(), |(_, value)| value.as_ptr().cast_mut())
}

/// # Safety
/// `F` is the type of the function of that name.
unsafe fn symbol<F: Copy>(library: *mut c_void, name: &CStr) -> Result<F, String> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: an open library; a function pointer is as large as a data pointer here.
    unsafe {
        let found = libc::dlsym(library, name.as_ptr());
        if found.is_null() {
            return Err(format!("it has no {}", name.to_string_lossy()));
        }
        Ok(std::mem::transmute_copy(&found))
    }
}

fn last_fault() -> String {
    // SAFETY: dlerror's text stays valid until the thread's next call.
    unsafe {
        let text = libc::dlerror();
        if text.is_null() {
            return "no reason given".to_owned();
        }
        CStr::from_ptr(text).to_string_lossy().into_owned()
    }
}
