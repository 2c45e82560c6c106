//! Ordinary lines that look a little like traces: none is one, alone or among the others.

use super::{find, line};
use autofix::model::Timestamp;
use autofix::trace::{Assembler, Taken};

const LINES: &[&str] = &[
    r##"2026-01-05 10:00:00 INFO worker #0 started (pool at main.c:12)"##,
    r##"#0 building with "default" instance using docker driver"##,
    r##"#1 [internal] load build definition from Dockerfile"##,
    r##"#1 transferring dockerfile: 2.11kB done"##,
    r##"#1 DONE 0.0s"##,
    r##"#5 [2/6] RUN apt-get update"##,
    r##"#5 0.512 Get:1 http://deb.debian.org/debian bookworm InRelease [151 kB]"##,
    r##"[    0.000000] BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable"##,
    r##"[    0.412345] pci 0000:00:03.0: reg 0x10: [io  0xc000-0xc03f]"##,
    r##"kernel: [12345.678] traps: shop[411] general protection fault ip:7f00 sp:7ffd error:0 in libc.so.6[7f0000+1000]"##,
    r##"level=info msg="Assertion failed: see docs" code=12"##,
    r##"Assertion failed: expected 3 got 4"##,
    r##"INFO Check failed: disk quota (retrying)"##,
    r##"health Check failed: timeout after 5s"##,
    r##"W0105 10:00:00.000000       1 x.go:12] Check failed: lease"##,
    r##"I0105 10:00:00.000000       1 x.go:12] Stack trace (most recent call last) is disabled"##,
    r##"runtime error: see manual"##,
    r##"2026-01-05 10:00:00 WARN client: runtime error: retrying"##,
    r##"process received signal SIGTERM, shutting down"##,
    r##"nginx: [notice] 411#411: signal 15 (SIGTERM) received, exiting"##,
    r##"Program received signal SIGINT, Interrupt."##,
    r##"DEBUG malloc(): arena 0 grown"##,
    r##"free(): called 12 times"##,
    r##"realloc(): ok"##,
    r##"a service terminated with signal SIGTERM"##,
    r##"note: terminate called on worker 4"##,
    r##"libc++abi: terminating"##,
    r##"Unhandled exceptions: 0"##,
    r##"unhandled exception count: 4"##,
    r##"Stack overflow. See https://stackoverflow.com"##,
    r##"Process terminated."##,
    r##"Fatal error. Retrying"##,
    r##"Fatal error. The server will restart"##,
    r##"[ERROR] handler: fail: Category"##,
    r##"   at the end of the day (see notes)"##,
    r##"   at Main Street (corner)"##,
    r##"      at position 3 (of 12)"##,
    r##"at 10:00 (UTC) in /src/x.cs:line 3"##,
    r##"   at Foo.Bar in config"##,
    r##"package:shop 1.2.3 (was 1.2.2)"##,
    r##"lib/main.dart 12:10 unused import"##,
    r##"Compiling lib/main.dart 100%"##,
    r##"Changed lib/cart.dart 3 lines"##,
    r##"| table | Exception: | none |"##,
    r##"2026-01-05 10:00:00.1234|ERROR|Shop.Jobs|cannot price"##,
    r##"2026-01-05 10:00:00.1234|ERROR|Shop.Jobs|cannot price|System.FormatException: bad"##,
    r##"2026-01-05 10:00:00.1234|INFO|Shop.Jobs|next"##,
    r##"system: allocated [0x1000]"##,
    r##"map[0x55d0c8a0e0e4] = main"##,
    r##"worker 0# ready"##,
    r##" 0# of retries: 3"##,
    r##" 1# of hits: 4"##,
    r##"==411== Memcheck, a memory error detector"##,
    r##"==411== HEAP SUMMARY:"##,
    r##"==411==     in use at exit: 0 bytes in 0 blocks"##,
    r##"SUMMARY: AddressSanitizer: 0 byte(s) leaked"##,
    r##"docs: enable AddressSanitizer: -fsanitize=address"##,
    r##"WARNING: AddressSanitizer: failed to intercept"##,
    r##"INFO: libFuzzer: seed 12"##,
    r##"ERROR: libFuzzer: disabled"##,
    r##"*** Aborted at user request ***"##,
    r##"*** SIGNATURE verified ***"##,
    r##"buffer overflow detected *** in report 3"##,
    r##"===== asynchronous gap ====="##,
    r##"<asynchronous suspension>"##,
    r##"══╡ STATUS ╞══════"##,
    r##"(Coroutine boundary) reached"##,
    r##"""""##,
    r##"Traceback is disabled"##,
    r##"Thread 2 (worker): idle"##,
    r##"    @ 0x12 slot"##,
    r##"Execution error rate: 0.1"##,
    r##"System.Net.Http.HttpClient: Information: Start processing HTTP request"##,
    r##" ---> System.Net: connecting"##,
    r##"fail: Shop.Jobs[3]"##,
    r##"      could not price, retrying"##,
    r##"info: Shop.Jobs[0]"##,
    r##"      priced"##,
];

#[test]
fn ordinary_lines_that_look_like_traces_are_plain() {
    for one in LINES {
        assert!(find(&[one]).is_empty(), "{one}");
    }
    assert!(find(LINES).is_empty());
    let twice: Vec<&str> = LINES.iter().flat_map(|line| [*line, ""]).collect();
    assert!(find(&twice).is_empty());
    let mut backwards = LINES.to_vec();
    backwards.reverse();
    assert!(find(&backwards).is_empty());
}

#[test]
fn every_line_that_was_held_comes_back() {
    let mut assembler = Assembler::default();
    let mut plain = 0;
    for (index, text) in LINES.iter().enumerate() {
        let taken = assembler.push(line(text, index as u64), Timestamp(0));
        plain += usize::from(taken == Taken::Plain);
    }
    assembler.finish();
    assert_eq!(plain + assembler.take_plain().count(), LINES.len());
}
