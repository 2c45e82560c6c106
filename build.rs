//! Sets how the plugin library is linked, and on request (`make bindings`) writes the Rust side
//! of include/autofix_host.h. Builds for use need neither libclang nor bindgen.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=include/autofix_host.h");
    // Threads, thread-local destructors and exit handlers of the library may run after the host
    // let go of it: it stays mapped. (The argument for cdylibs alone brings a warning with every
    // build of the other targets, because the manifest names none; programs ignore the flag.)
    println!("cargo:rustc-link-arg=-Wl,-z,nodelete");
    #[cfg(feature = "bindings")]
    bindings();
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
