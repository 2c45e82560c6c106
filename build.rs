//! Sets how the plugin library is linked, builds the scenarios of scenarios/ and the cases of cases/ in, and on request (`make bindings`) writes the Rust side
//! of include/autofix_host.h. Builds for use need neither libclang nor bindgen.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include/autofix_host.h");
    // Threads, thread-local destructors and exit handlers of the library may run after the host
    // let go of it: it stays mapped. (The argument for cdylibs alone brings a warning with every
    // build of the other targets, because the manifest names none; programs ignore the flag.)
    println!("cargo:rustc-link-arg=-Wl,-z,nodelete");
    scenarios();
    cases();
    #[cfg(feature = "bindings")]
    bindings();
}

/// Writes the list of scenarios that `app::eval` includes: names, texts, and what stands beside
/// them, packed: logs shrink to a tenth, and whoever reads one unpacks gzip anyway.
fn scenarios() {
    use std::fmt::Write as _;
    let home = std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the package's folder");
    let home = std::path::Path::new(&home).join("scenarios");
    println!("cargo:rerun-if-changed={}", home.display());
    let mut numbered = 0;
    let mut list = String::from("const SHIPPED: &[Shipped] = &[\n");
    for folder in sorted(&home) {
        let toml = folder.join("scenario.toml");
        if !toml.is_file() {
            continue;
        }
        let name = folder.file_name().expect("a folder has a name");
        let _ = writeln!(list, "    ({name:?}, include_str!({toml:?}), &[");
        for file in sorted(&folder)
            .iter()
            .filter(|file| file.is_file() && **file != toml)
        {
            let name = file.file_name().expect("a file has a name");
            let packed = packed(file, &format!("{}-{}", numbered, name.display()));
            numbered += 1;
            let _ = writeln!(list, "        ({name:?}, include_bytes!({packed:?})),");
        }
        list.push_str("    ]),\n");
    }
    list.push_str("];\n");
    let to = std::env::var("OUT_DIR").expect("cargo names the folder for what is made");
    let to = std::path::Path::new(&to).join("scenarios.rs");
    std::fs::write(to, list).expect("the list can be written");
}

/// Writes the list of the files of cases that `app::eval::fix` includes: path and packed content.
/// How a case is made, and prose about it, stays behind.
fn cases() {
    use std::fmt::Write as _;
    let home = std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the package's folder");
    let home = std::path::Path::new(&home).join("cases");
    println!("cargo:rerun-if-changed={}", home.display());
    let mut list = String::from("const CASES: &[(&str, &[u8])] = &[\n");
    let mut waiting = sorted(&home);
    waiting.retain(|case| case.join("case.toml").is_file());
    let mut numbered = 0;
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(sorted(&path));
        } else if !path.ends_with("history.py") {
            let name = path.strip_prefix(&home).expect("it lies in the folder");
            let packed = packed(&path, &format!("case-{numbered}"));
            numbered += 1;
            let _ = writeln!(list, "    ({name:?}, include_bytes!({packed:?})),");
        }
    }
    list.push_str("];\n");
    let to = std::env::var("OUT_DIR").expect("cargo names the folder for what is made");
    std::fs::write(std::path::Path::new(&to).join("cases.rs"), list).expect("it can be written");
}

/// Where the packed file is.
fn packed(file: &std::path::Path, to: &str) -> std::path::PathBuf {
    let bytes = std::fs::read(file).expect("the file can be read");
    let out = std::env::var("OUT_DIR").expect("cargo names the folder for what is made");
    let to = std::path::Path::new(&out).join(format!("{to}.gz"));
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packer, &bytes).expect("memory takes everything");
    let packed = packer.finish().expect("memory takes everything");
    // What its team packed is not packed twice: it would be unpacked once.
    let bytes = if bytes.starts_with(&[0x1f, 0x8b]) {
        bytes
    } else {
        packed
    };
    std::fs::write(&to, bytes).expect("the packed file can be written");
    to
}

fn sorted(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry can be read").path())
        .collect();
    paths.sort();
    paths
}

/// Writes to the path in AUTOFIX_BINDINGS_TO, so that a test can compare without overwriting.
#[cfg(feature = "bindings")]
fn bindings() {
    println!("cargo:rerun-if-env-changed=AUTOFIX_BINDINGS_TO");
    let to = std::env::var("AUTOFIX_BINDINGS_TO").expect("AUTOFIX_BINDINGS_TO names the output");
    bindgen::Builder::default()
        .header("include/autofix_host.h")
        .allowlist_type("host_.*")
        .allowlist_var("HOST_.*")
        .blocklist_function(".*")
        .use_core()
        .layout_tests(true)
        .derive_debug(false)
        .default_macro_constant_type(bindgen::MacroTypeVariation::Signed)
        .disable_header_comment()
        .generate_comments(false)
        .rust_target(bindgen::RustTarget::stable(85, 0).expect("a known version"))
        .raw_line("//! The host's structs and numbers. Made by `make bindings`; do not edit.")
        .generate()
        .expect("the header parses")
        .write_to_file(to)
        .expect("the output can be written");
}
