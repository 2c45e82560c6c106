//! Builds what the tests of the door need: the plugin library as users build it, and the small
//! C host in its releases. Each is made once for a test binary.

#![allow(dead_code)] // each test binary uses its part

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

/// The releases of Fluent Bit that differ at the door; see host.c.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Release {
    V1_9 = 10910,
    V2_0_6 = 20006,
    V2_2_0 = 20200,
    V5_1 = 50101,
}

impl Release {
    pub const ALL: [Release; 4] = [
        Release::V1_9,
        Release::V2_0_6,
        Release::V2_2_0,
        Release::V5_1,
    ];
}

/// The folder that cargo builds this profile into.
fn profile_folder() -> PathBuf {
    let program = std::env::current_exe().expect("the test program has a path");
    let deps = program.parent().expect("it lies in deps");
    deps.parent().expect("of a profile").to_path_buf()
}

/// Files made by these tests, kept between runs so that building them again is quick.
pub fn workshop() -> PathBuf {
    let folder = profile_folder().join("host");
    std::fs::create_dir_all(&folder).expect("the build folder is writable");
    folder
}

/// The plugin library: that of AUTOFIX_LIBRARY, else built here from this tree, in the profile
/// of the tests.
pub fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| match std::env::var_os("AUTOFIX_LIBRARY") {
        Some(path) => PathBuf::from(path),
        None => build_library(),
    })
}

fn build_library() -> PathBuf {
    let folder = profile_folder();
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target = folder.parent().expect("a profile lies in a target folder");
    let done = outside_of_cargo(&mut Command::new(env!("CARGO")))
        .args(["rustc", "--quiet", "--lib", "--crate-type", "cdylib"])
        .args(["--profile", profile])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo runs");
    assert!(done.status.success(), "{}", text(&done.stderr));
    // Under the name that users give it: hosts take `flb-*` and `lib*` differently.
    let named = workshop().join(format!("out_autofix-{}.so", std::process::id()));
    std::fs::copy(folder.join("libautofix.so"), &named).expect("cargo left the library");
    remove_older(&named);
    named
}

/// Takes away what `cargo test` sets for its tests: build scripts of dependencies watch some of
/// it, and would build them anew each time a nested cargo and a plain one take turns.
pub fn outside_of_cargo(command: &mut Command) -> &mut Command {
    let set_by_cargo = [
        "CARGO_PKG_",
        "CARGO_MANIFEST_",
        "CARGO_BIN_",
        "CARGO_CRATE_",
    ];
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let set = set_by_cargo.iter().any(|set| name.starts_with(set));
        if set || name == "OUT_DIR" || name == "LD_LIBRARY_PATH" {
            command.env_remove(name.as_ref());
        }
    }
    command
}

/// Copies of earlier runs; one that is in use elsewhere stays readable there.
fn remove_older(newest: &Path) {
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    for entry in std::fs::read_dir(workshop())
        .into_iter()
        .flatten()
        .flatten()
    {
        let old = entry.metadata().and_then(|data| data.modified());
        if entry.path() != newest && old.is_ok_and(|time| time < hour_ago) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// The C host that plays `release`.
pub fn host(release: Release) -> PathBuf {
    static BUILT: Mutex<Option<HashMap<Release, PathBuf>>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built
        .get_or_insert_default()
        .entry(release)
        .or_insert_with(|| {
            let release_number = format!("-DRELEASE={}", release as u32);
            let name = format!("host-{}-{}", release as u32, std::process::id());
            // The real host exports its own symbols as well.
            compile("host.c", &name, &["-rdynamic", &release_number])
        })
        .clone()
}

/// Compiles a C file of this folder.
pub fn compile(source: &str, name: &str, flags: &[&str]) -> PathBuf {
    let to = workshop().join(name);
    let source = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/host")
        .join(source);
    let done = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()))
        .args(["-g", "-O1", "-Wall", "-Wextra", "-Werror"])
        .args(flags)
        .arg(&source)
        .arg("-o")
        .arg(&to)
        .args(["-ldl", "-lpthread"])
        .output()
        .expect("a C compiler named cc, or that of CC");
    assert!(done.status.success(), "{}", text(&done.stderr));
    to
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a finished command printed, with how it ended, for a failed test to show.
pub fn told(done: &Output) -> String {
    format!(
        "{}\n--- stdout\n{}\n--- stderr\n{}",
        done.status,
        text(&done.stdout),
        text(&done.stderr)
    )
}
