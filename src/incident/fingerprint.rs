//! The fingerprint of a fault: the same for every occurrence of one fault, whatever lines other
//! commits moved and whatever ids, addresses, hosts and values it speaks of; another for
//! another fault, even when both are thrown by the same helper.
//!
//! It is made of the service, the kind, the root cause's type, and the three innermost frames
//! of the program's own; three, so that two callers of one helper differ also where a second
//! helper stands between. A library's frames count only where there are no others. The message
//! counts, masked, only where there are no frames or none says more than a file: it is where
//! values stand. What a label tells (a watch, a rate, a neighbour that is down) is made of the
//! label alone, wherever the program met it.
//!
//! Not here: how frames and messages are made comparable (`frames`, `mask`).

use super::frames::{Stack, is_vague, stack};
use super::mask::mask;
use crate::model::{Signal, Trace};
use sha2::{Digest, Sha256};

/// The program's own frames that count.
const DEPTH: usize = 3;
/// Frames of a recursion that count: the cycle, not where it was cut.
const CYCLE: usize = 12;

/// `v1:` and 32 hexadecimal digits. Two signals with the same one are the same fault.
pub fn fingerprint(signal: &Signal) -> String {
    let mut parts = vec![signal.service.clone(), signal.kind.word().to_owned()];
    match (&signal.watch, &signal.trace) {
        (Some(label), trace) => {
            parts.push(label.clone());
            // A neighbour without a name is told from others by who calls it.
            let trace = trace.as_ref().filter(|_| label.ends_with(":?"));
            parts.extend(trace.and_then(caller));
        }
        (None, Some(trace)) => {
            let root = trace.blocks.get(trace.root).map(|block| &block.raised);
            let kind = root.and_then(|raised| raised.kind.as_deref());
            parts.push(trace.language.name().to_owned());
            parts.push(kind.map(type_name).unwrap_or_default());
            let Stack { frames, recursive } = stack(trace);
            if is_vague(&frames) {
                let message = root.and_then(|raised| raised.message.as_deref());
                parts.push(mask(first_line(message.unwrap_or(&signal.title))));
            }
            let depth = if recursive { CYCLE } else { DEPTH };
            parts.extend(frames.into_iter().take(depth));
        }
        (None, None) => parts.push(mask(&signal.title)),
    }
    digest(&parts)
}

/// The file of the program's own innermost frame.
fn caller(trace: &Trace) -> Option<String> {
    let frame = stack(trace).frames.into_iter().next()?;
    Some(frame.split('|').next().unwrap_or_default().to_owned())
}

/// An exception's type without what a class loader or a proxy adds.
fn type_name(kind: &str) -> String {
    kind.split("$$").next().unwrap_or(kind).trim().to_owned()
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn digest(parts: &[String]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps `a` + `bc` apart from `ab` + `c`.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let bytes = hash.finalize();
    let hex: String = bytes.iter().take(16).map(|b| format!("{b:02x}")).collect();
    format!("v1:{hex}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Block, Frame, Kind, Language, Raised, Timestamp};

    /// Frames are written `file:line function`, in the order printed.
    fn signal(language: Language, kind: &str, message: &str, frames: &[&str]) -> Signal {
        let frames: Vec<Frame> = frames.iter().map(|text| frame(text)).collect();
        Signal {
            kind: Kind::Crash,
            service: "shop".into(),
            stream: "app/stderr".into(),
            container: None,
            time: Timestamp(0),
            last: Timestamp(0),
            title: format!("{kind}: {message}"),
            reason: String::new(),
            watch: None,
            trace: Some(Trace {
                language,
                blocks: vec![Block {
                    raised: Raised {
                        kind: Some(kind.into()),
                        message: Some(message.into()),
                    },
                    frames: 0..frames.len(),
                }],
                root: 0,
                outermost: 0,
                frames,
            }),
            lines: Vec::new(),
            context: Vec::new(),
            commit: None,
        }
    }

    fn frame(text: &str) -> Frame {
        let (place, function) = text.split_once(' ').unwrap();
        let (file, line) = place.rsplit_once(':').unwrap();
        Frame {
            file: Some(file.into()),
            line: line.parse().ok(),
            function: Some(function.into()),
        }
    }

    fn python(kind: &str, message: &str, frames: &[&str]) -> String {
        fingerprint(&signal(Language::Python, kind, message, frames))
    }

    fn line(title: &str, kind: Kind) -> String {
        let mut signal = signal(Language::Go, "", title, &[]);
        signal.trace = None;
        signal.kind = kind;
        signal.title = title.into();
        fingerprint(&signal)
    }

    const BASE: [&str; 4] = [
        "/usr/lib/python3.12/threading.py:917 run",
        "/app/shop/views.py:10 checkout",
        "/app/shop/cart.py:20 total",
        "/app/shop/money.py:30 parse",
    ];

    #[test]
    fn the_same_over_lines_values_hosts_and_prefixes() {
        let base = python("ValueError", "bad amount '12.5x' for order 991", &BASE);
        assert!(base.starts_with("v1:") && base.len() == 35);
        let moved = [
            "/usr/lib/python3.13/threading.py:940 run",
            "/srv/releases/20260301/shop/views.py:14 checkout",
            "/srv/releases/20260301/shop/cart.py:29 total",
            "/srv/releases/20260301/shop/money.py:31 parse",
        ];
        let other = python("ValueError", "bad amount 'y' for order 7 at 0x7f", &moved);
        assert_eq!(base, other);
    }

    #[test]
    fn the_same_over_library_frames_in_between() {
        let base = python("ValueError", "x", &BASE);
        let mut deeper = BASE.to_vec();
        deeper.push("/usr/lib/python3.12/decimal.py:5 __new__");
        deeper.insert(
            2,
            "/venv/lib/python3.12/site-packages/flask/app.py:5 dispatch",
        );
        assert_eq!(base, python("ValueError", "x", &deeper));
    }

    #[test]
    fn different_faults_thrown_from_one_helper_differ() {
        let base = python("ValueError", "x", &BASE);
        let mut caller = BASE;
        caller[2] = "/app/shop/refund.py:20 total";
        assert_ne!(base, python("ValueError", "x", &caller));
        // A second helper between the first and the callers.
        let with = |caller: &'static str| {
            let frames = [
                caller,
                "/app/shop/util.py:3 check",
                "/app/shop/util.py:9 fail",
            ];
            python("ValueError", "x", &frames)
        };
        assert_ne!(with("/app/shop/a.py:1 pay"), with("/app/shop/b.py:1 ship"));
        assert_ne!(base, python("KeyError", "x", &BASE));
    }

    #[test]
    fn services_and_kinds_differ() {
        let one = signal(Language::Python, "E", "m", &BASE);
        let mut service = one.clone();
        service.service = "billing".into();
        let mut kind = one.clone();
        kind.kind = Kind::Error;
        assert_ne!(fingerprint(&one), fingerprint(&service));
        assert_ne!(fingerprint(&one), fingerprint(&kind));
    }

    #[test]
    fn a_recursion_is_one_fault_wherever_it_was_cut() {
        let cycle = ["/app/t.py:1 walk", "/app/t.py:5 visit"];
        let frames = |times: usize, tail: &[&'static str]| -> Vec<&'static str> {
            let mut all = vec!["/app/main.py:1 main"];
            for _ in 0..times {
                all.extend(cycle);
            }
            all.extend(tail);
            all
        };
        let one = python("RecursionError", "deep", &frames(4, &[]));
        let other = python("RecursionError", "deep", &frames(90, &["/app/t.py:1 walk"]));
        let end = python(
            "RecursionError",
            "deep",
            &frames(40, &["/app/fmt.py:1 show"]),
        );
        assert_eq!(one, other);
        assert_eq!(one, end);
    }

    #[test]
    fn a_retry_that_calls_itself_twice_is_no_recursion() {
        let twice = [
            "/app/a.py:1 pay",
            "/app/r.py:1 retry",
            "/app/r.py:2 retry",
            "/app/x.py:1 send",
        ];
        let other = [
            "/app/b.py:1 ship",
            "/app/r.py:1 retry",
            "/app/r.py:2 retry",
            "/app/x.py:1 send",
        ];
        assert_ne!(python("E", "m", &twice), python("E", "m", &other));
    }

    #[test]
    fn languages_numbered_names_are_the_same() {
        let java = |n: u32| {
            let lambda = format!("Shop.java:{n} com.acme.Shop.lambda$pay${n}");
            let frames = [lambda.as_str(), "Shop.java:9 com.acme.Shop.pay"];
            fingerprint(&signal(
                Language::Java,
                "java.lang.IllegalStateException",
                "m",
                &frames,
            ))
        };
        assert_eq!(java(1), java(14));
        let node = |hash: &str| {
            let file = format!("/app/dist/main.{hash}.js:1 Shop.pay");
            fingerprint(&signal(
                Language::Javascript,
                "TypeError",
                "m",
                &[file.as_str()],
            ))
        };
        assert_eq!(node("3f2a1b9c"), node("00aa11bb"));
        let rust = |hash: &str| {
            let frame = format!("/app/src/main.rs:4 shop::pay::{hash}");
            let frames = [
                "/rustc/abc/library/std/src/panicking.rs:6 rust_begin_unwind",
                frame.as_str(),
            ];
            fingerprint(&signal(Language::Rust, "panic", "m", &frames))
        };
        assert_eq!(rust("h0123456789abcdef"), rust("hfedcba9876543210"));
    }

    #[test]
    fn without_frames_the_masked_message_decides() {
        let at = |message: &str| python("OSError", message, &[]);
        assert_eq!(
            at("cannot reach 10.0.0.1:5432"),
            at("cannot reach 10.0.0.9:5432")
        );
        assert_ne!(at("cannot reach 10.0.0.1"), at("no space on 10.0.0.1"));
        let oom = |n: u32, name: &str| {
            line(
                &format!("Out of memory: Killed process {n} ({name})"),
                Kind::Oom,
            )
        };
        assert_eq!(oom(7, "java"), oom(99, "java"));
        assert_ne!(oom(7, "java"), oom(7, "node"));
        assert_ne!(
            line("exited with code 1", Kind::Exit),
            line("exited with code 137", Kind::Exit)
        );
    }

    #[test]
    fn files_without_functions_do_not_tell_faults_apart_but_messages_do() {
        let panic = |message: &str, line: u32| {
            let mut signal = signal(Language::Rust, "panic", message, &["src/main.rs:1 x"]);
            if let Some(trace) = &mut signal.trace {
                trace.frames[0].function = None;
                trace.frames[0].line = Some(line);
            }
            fingerprint(&signal)
        };
        assert_eq!(panic("no user 'ann'", 3), panic("no user 'bob'", 9));
        assert_ne!(panic("no user 'ann'", 3), panic("division by zero", 3));
    }

    #[test]
    fn what_other_goroutines_did_is_chance() {
        let dump = |other: &str| {
            let frames = [
                "/usr/local/go/src/runtime/panic.go:1 panic",
                "/src/shop/main.go:9 main.pay",
                other,
            ];
            let mut signal = signal(Language::Go, "panic", "m", &frames);
            if let Some(trace) = &mut signal.trace {
                trace.blocks[0].frames = 0..2;
                trace.blocks.push(Block {
                    frames: 2..3,
                    ..Block::default()
                });
            }
            fingerprint(&signal)
        };
        assert_eq!(
            dump("/src/shop/poll.go:1 main.poll"),
            dump("/src/shop/wait.go:1 main.wait")
        );
    }

    #[test]
    fn a_neighbour_s_outage_is_one_wherever_it_is_met_and_unnamed_it_goes_by_the_caller() {
        let met = |label: &str, frames: &[&str]| {
            let mut signal = signal(Language::Python, "ConnectionRefusedError", "m", frames);
            signal.kind = Kind::Environment;
            signal.watch = Some(label.into());
            fingerprint(&signal)
        };
        let (pay, ship) = (["/app/a.py:1 pay"], ["/app/b.py:1 ship"]);
        let named = "unreachable:db:5432";
        assert_eq!(met(named, &pay), met(named, &ship));
        assert_ne!(met(named, &pay), met("unreachable:queue:5672", &pay));
        let unnamed = "unreachable:?";
        assert_ne!(met(unnamed, &pay), met(unnamed, &ship));
        assert_eq!(met(unnamed, &pay), met(unnamed, &["/app/a.py:9 refund"]));
    }

    #[test]
    fn a_watch_is_known_by_its_label() {
        let fired = |label: &str, title: &str| {
            let mut signal = signal(Language::Go, "", title, &[]);
            signal.trace = None;
            signal.watch = Some(label.into());
            signal.title = title.into();
            fingerprint(&signal)
        };
        assert_eq!(
            fired("http_5xx", "10 in 60 s"),
            fired("http_5xx", "500 in 9 s")
        );
        assert_ne!(fired("http_5xx", "x"), fired("slow", "x"));
    }
}
