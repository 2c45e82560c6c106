//! The door, seen from the host's side: the built library is loaded by a C host that plays the
//! releases of Fluent Bit, with their struct sizes, orders of calls and small stacks.

mod host;

use host::{Release, compile, library, text, told};
use std::path::Path;
use std::process::{Command, Output};
use tempfile::TempDir;

/// Plays a scenario to its end in a host of `release`.
fn play(release: Release, scenario: &str, settings: &[&str]) -> (String, TempDir) {
    let state = TempDir::new().unwrap();
    let done = run(release, scenario, settings, state.path(), &[]);
    assert!(
        done.status.success() && text(&done.stderr).contains(&format!("DONE {scenario}")),
        "{release:?} {scenario}: {}",
        told(&done)
    );
    (text(&done.stderr), state)
}

fn run(
    release: Release,
    scenario: &str,
    settings: &[&str],
    state: &Path,
    environment: &[(&str, &str)],
) -> Output {
    Command::new(host::host(release))
        .arg(library())
        .arg(scenario)
        .arg(format!("State_Dir={}", state.display()))
        .args(settings)
        .envs(environment.iter().copied())
        .env("HOME", state)
        .output()
        .expect("the C host runs")
}

/// The number before `unit` in the line that holds `words`; the largest where several do.
fn measured(said: &str, words: &str, unit: &str) -> u64 {
    said.lines()
        .filter_map(|line| line.split_once(words)?.1.split_once(unit))
        .filter_map(|(number, _)| number.trim().parse().ok())
        .max()
        .unwrap_or_else(|| panic!("no {words:?} in {said}"))
}

#[test]
fn registration_writes_five_fields_and_nothing_behind_them() {
    for release in Release::ALL {
        play(release, "unused", &[]);
    }
}

#[test]
fn two_instances_take_chunks_from_many_threads_and_end() {
    for release in [Release::V2_2_0, Release::V5_1] {
        let (said, _state) = play(release, "life", &[]);
        assert!(said.contains("[output:autofix:autofix.0]"), "{said}");
        assert!(said.contains("[output:autofix:autofix.1]"), "{said}");
    }
}

#[test]
fn one_instance_lives_on_every_release() {
    for release in Release::ALL {
        play(release, "crash", &[]);
        play(release, "plain", &[]);
    }
}

#[test]
fn the_second_instance_of_a_host_before_2_0_7_is_disabled_and_says_so() {
    for release in [Release::V1_9, Release::V2_0_6] {
        let (said, _state) = play(release, "life", &[]);
        let told = said.lines().any(|line| {
            line.contains("[output:autofix:autofix.1]") && line.contains("before 2.0.7")
        });
        assert!(told, "{release:?}: {said}");
    }
}

#[test]
fn old_hosts_may_end_the_last_instance_twice_and_close_the_library_each_time() {
    for release in [Release::V1_9, Release::V2_0_6] {
        play(release, "old_exit", &[]);
    }
}

#[test]
fn a_host_without_a_log_gets_lines_on_stderr_in_its_own_look() {
    let (said, _state) = play(Release::V1_9, "crash", &[]);
    let line = said
        .lines()
        .find(|line| line.contains("[output:autofix:autofix.0]"))
        .unwrap_or_else(|| panic!("no line of ours in {said}"));
    let (time, rest) = line.split_once("] [").expect("time and level");
    assert_eq!(time.len(), "[2024/01/31 12:34:56".len(), "{line}");
    assert!(
        rest.starts_with(" info] ") || rest.starts_with(" warn] "),
        "{line}"
    );
}

#[test]
fn the_instances_log_level_is_asked() {
    let (said, _state) = play(Release::V5_1, "quiet", &[]);
    assert!(!said.contains("info [output:autofix"), "{said}");
}

#[test]
fn reload_in_the_hosts_order_keeps_working() {
    for release in [Release::V2_2_0, Release::V5_1] {
        play(release, "reload", &[]);
    }
}

#[test]
fn a_fork_between_registration_and_start_is_survived() {
    play(Release::V5_1, "daemon", &[]);
}

#[test]
fn stale_and_foreign_contexts_are_harmless() {
    for release in Release::ALL {
        play(release, "contexts", &[]);
    }
}

#[test]
fn hostile_payloads_are_taken_and_the_host_goes_on() {
    for release in [Release::V1_9, Release::V5_1] {
        play(release, "payloads", &[]);
    }
}

/// The host's coroutine has 24 KB less its own frames. Measured, not only survived: the debug
/// build uses several times what the optimised one does.
#[test]
fn flush_uses_a_small_part_of_the_hosts_stack() {
    let (said, _state) = play(Release::V5_1, "stack", &[]);
    assert!(measured(&said, "flush used", "bytes") < 8_192, "{said}");
}

#[test]
fn a_flood_is_dropped_without_retry_or_growth() {
    let (said, _state) = play(Release::V5_1, "flood", &[]);
    assert!(measured(&said, "resident", "MB") < 400, "{said}");
    assert!(measured(&said, "flush used", "bytes") < 12_288, "{said}");
}

#[test]
fn no_thread_of_the_plugin_takes_the_hosts_signals_or_interrupts_the_host_by_waking() {
    let (said, _state) = play(Release::V5_1, "signals", &[]);
    assert!(measured(&said, "the plugin has", "threads") > 0, "{said}");
}

#[test]
fn threads_start_in_init_and_end_with_exit() {
    play(Release::V5_1, "threads", &[]);
}

#[test]
fn a_wrong_configuration_fails_init_only_where_the_host_survives_that() {
    let wrong = ["Mode=nonsense"];
    let (said, _state) = play(Release::V5_1, "init", &wrong);
    assert!(
        said.contains("init said 0") && said.contains("error [output:autofix"),
        "{said}"
    );
    for release in [Release::V1_9, Release::V2_0_6, Release::V2_2_0] {
        let (said, _state) = play(release, "init", &wrong);
        assert!(
            said.contains("init said 1") && said.contains("disabled"),
            "{said}"
        );
    }
}

#[test]
fn the_library_works_on_a_malloc_that_aligns_to_8_bytes() {
    let shim = shim();
    let state = TempDir::new().unwrap();
    for scenario in ["life", "reload"] {
        let preload = [("LD_PRELOAD", shim.as_str())];
        let done = run(Release::V5_1, scenario, &[], state.path(), &preload);
        assert!(done.status.success(), "{scenario}: {}", told(&done));
    }
}

/// What `autofix incidents` lists.
fn incidents(state: &Path) -> Vec<serde_json::Value> {
    let done = Command::new(env!("CARGO_BIN_EXE_autofix"))
        .args(["incidents", "--json", "--state"])
        .arg(state)
        .env("HOME", state)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", told(&done));
    text(&done.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON Lines"))
        .collect()
}

#[test]
fn a_trace_that_is_the_last_thing_before_exit_becomes_an_incident() {
    for release in Release::ALL {
        let (_, state) = play(release, "crash", &[]);
        let found = incidents(state.path());
        assert_eq!(found.len(), 1, "{release:?}: {found:?}");
        assert_eq!(found[0]["exception"]["type"], "ZeroDivisionError");
        assert_eq!(found[0]["frames"][0]["file"], "/app/shop/orders.py");
        assert_eq!(found[0]["frames"][0]["line"], 12);
    }
}

#[test]
fn an_incident_survives_kill_9_and_is_not_doubled_by_a_restart() {
    let state = TempDir::new().unwrap();
    for _ in 0..2 {
        let done = run(Release::V5_1, "killed", &[], state.path(), &[]);
        assert_eq!(done.status.code(), None, "killed: {}", told(&done));
        let done = run(Release::V5_1, "restart", &[], state.path(), &[]);
        assert!(done.status.success(), "{}", told(&done));
    }
    let found = incidents(state.path());
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["count"], 2, "{found:?}");
}

fn shim() -> String {
    let name = format!("shim-{}.so", std::process::id());
    let path = compile("shim.c", &name, &["-shared", "-fPIC", "-fno-builtin"]);
    path.to_str().expect("a plain path").to_owned()
}

/// Runs the test below once more, on the shim's malloc.
#[test]
fn rust_blocks_are_aligned_on_a_malloc_that_aligns_to_8_bytes() {
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "rust_blocks_are_aligned", "--nocapture"])
        .env("LD_PRELOAD", shim())
        .env("AUTOFIX_TEST_SHIM", "1")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", told(&done));
}

#[test]
fn rust_blocks_are_aligned() {
    use std::alloc::{Layout, alloc, dealloc};
    // Brings the library's allocator into this program.
    let _ = autofix::log::Log::silent();
    if std::env::var_os("AUTOFIX_TEST_SHIM").is_some() {
        let plain = unsafe { libc::malloc(40) };
        assert_eq!(plain.addr() % 16, 8, "the shim is at work");
        unsafe { libc::free(plain) };
    }
    for size in [1, 16, 24, 40, 52, 56, 200] {
        for align in [8, 16, 32, 64] {
            let layout = Layout::from_size_align(size, align).unwrap();
            let blocks: Vec<_> = (0..50).map(|_| unsafe { alloc(layout) }).collect();
            for block in blocks {
                assert_eq!(block.addr() % align, 0, "size {size}");
                unsafe { dealloc(block, layout) };
            }
        }
    }
}

fn tool(name: &str, arguments: &[&str], file: &Path) -> String {
    let done = Command::new(name)
        .args(arguments)
        .arg(file)
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|fault| panic!("{name} of binutils: {fault}"));
    assert!(done.status.success(), "{}", told(&done));
    text(&done.stdout)
}

#[test]
fn the_library_exports_the_golden_list_and_nothing_else() {
    let exported = tool(
        "nm",
        &["-D", "--defined-only", "--format=just-symbols"],
        library(),
    );
    assert_eq!(exported, include_str!("host/exported.txt"));
}

#[test]
fn the_library_needs_only_the_c_runtime() {
    let needed = tool("readelf", &["--dynamic", "--wide"], library());
    let libraries = needed
        .lines()
        .filter_map(|line| line.split_once("Shared library: [")?.1.strip_suffix(']'));
    for name in libraries {
        let known = [
            "libc.so.6",
            "libm.so.6",
            "libpthread.so.0",
            "libdl.so.2",
            "librt.so.1",
        ]
        .contains(&name)
            || name == "libgcc_s.so.1"
            || name.starts_with("ld-linux");
        assert!(known, "{name}");
    }
    // Anything else would bind to a symbol of the host's: it exports thousands.
    for line in tool("nm", &["-D", "--undefined-only"], library()).lines() {
        let mut words = line.split_whitespace();
        let (kind, name) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let runtime = name.contains("@GLIBC_") || name.contains("@GCC_");
        let optional = kind == "w" && OPTIONAL.iter().any(|known| name.starts_with(known));
        assert!(runtime || optional, "undefined {line}");
    }
}

/// Weak symbols that the compiler's start files and Rust's library use if they exist. From the
/// fourth on they are the C library's, without a version where it is older than they are.
const OPTIONAL: [&str; 8] = [
    "_ITM_",
    "__gmon_start__",
    "__cxa_",
    "getrandom",
    "gettid",
    "statx",
    "pidfd_",
    "posix_spawn_file_actions_addchdir",
];

#[test]
fn the_library_stays_mapped_after_dlclose() {
    let flags = tool("readelf", &["--dynamic", "--wide"], library());
    assert!(flags.contains("NODELETE"), "{flags}");
}

#[test]
fn the_program_exports_no_entry_point() {
    let program = Path::new(env!("CARGO_BIN_EXE_autofix"));
    let exported = tool("nm", &["-D", "--defined-only"], program);
    assert!(!exported.contains("FLB"), "{exported}");
}

#[test]
fn committed_bindings_are_those_of_the_header() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bindings.sh");
    let done = Command::new("sh")
        .arg(script)
        .arg("--check")
        .output()
        .unwrap();
    if done.status.code() == Some(77) {
        println!("SKIPPED committed_bindings_are_those_of_the_header: no libclang");
        return;
    }
    assert!(done.status.success(), "{}", told(&done));
}
