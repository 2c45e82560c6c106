//! The environment of the process: the only place, beside the command line, that reads it.

use crate::net;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where state lies unless a key or an argument says otherwise.
pub const DEFAULT_STATE_DIR: &str = "/var/lib/autofix";

/// A variable that is set, not empty and valid UTF-8.
pub fn variable(name: &str) -> Option<String> {
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `AUTOFIX_OFF` is set to anything but `0`: this instance starts disabled.
pub fn off() -> bool {
    variable("AUTOFIX_OFF").is_some_and(|value| value != "0")
}

/// `NO_COLOR` is set: nothing is coloured.
pub fn no_color() -> bool {
    variable("NO_COLOR").is_some()
}

/// The folder that the process runs in.
pub fn current_dir() -> std::io::Result<PathBuf> {
    std::env::current_dir()
}

/// The folder that this program was started from.
pub fn program_dir() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    program.parent().map(Path::to_owned)
}

/// Where a folder for one run goes: `$TMPDIR`, else `/tmp`.
pub fn temporary_dir() -> PathBuf {
    std::env::temp_dir()
}

/// The user that the process acts as, where the kernel says so.
pub fn user() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|meta| meta.uid())
}

/// Who is at the command line, as the login says it.
pub fn login() -> String {
    let names = ["SUDO_USER", "USER", "LOGNAME"];
    let named = names.into_iter().find_map(variable);
    named.unwrap_or_else(|| match user() {
        Some(number) => format!("user {number}"),
        None => "somebody".to_owned(),
    })
}

/// The command line's state folder: the plugin's for root, else the XDG state folder.
pub fn command_line_state_dir() -> PathBuf {
    let absolute = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    if user() == Some(0) {
        return PathBuf::from(DEFAULT_STATE_DIR);
    }
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map_or_else(
            || PathBuf::from(DEFAULT_STATE_DIR),
            |state: PathBuf| state.join(Path::new("autofix")),
        )
}

/// Proxy and certificates as other programs take them from the environment. A certificate file
/// that cannot be read counts as not set.
pub fn network() -> net::Settings {
    let proxies = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    net::Settings {
        proxy: proxies.into_iter().find_map(variable),
        extra_roots: variable("SSL_CERT_FILE").and_then(|path| std::fs::read(path).ok()),
    }
}
