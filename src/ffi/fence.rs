//! The fence around every entry point: a panic of ours ends there, because unwinding into the
//! host would abort it. It also keeps a panic's report small: the standard one formats text and
//! backtraces, which a host's 24 KB coroutine stack does not hold.

use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind, set_hook};
use std::sync::Once;

/// Runs an entry point's body; a panic becomes `fallback`.
pub fn run<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    caught(body).unwrap_or(fallback)
}

/// Runs something that may panic; `None` when it did.
pub fn caught<T>(body: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(body)).ok()
}

/// Installs the small report. Only this library's panics come through it: the host and other
/// plugins have their own copy of Rust's runtime, if any.
pub fn quiet_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_hook(Box::new(report)));
}

fn report(info: &PanicHookInfo<'_>) {
    let mut line = Line::new();
    line.push(b"[output:autofix] caught a fault of its own");
    if let Some(at) = info.location() {
        line.place(at);
    }
    line.push(b"\n");
    line.write();
}

/// Text put together on the stack, without the formatting machinery.
struct Line {
    bytes: [u8; 200],
    used: usize,
}

impl Line {
    fn new() -> Line {
        Line {
            bytes: [0; 200],
            used: 0,
        }
    }

    fn push(&mut self, text: &[u8]) {
        for &byte in text {
            if let Some(to) = self.bytes.get_mut(self.used) {
                *to = byte;
                self.used += 1;
            }
        }
    }

    fn place(&mut self, at: &Location<'_>) {
        self.push(b" at ");
        self.push(at.file().as_bytes());
        self.push(b":");
        let mut digits = [0u8; 10];
        let mut rest = at.line();
        let mut from = digits.len();
        for (index, digit) in digits.iter_mut().enumerate().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            from = index;
            if rest == 0 {
                break;
            }
        }
        self.push(digits.get(from..).unwrap_or_default());
    }

    fn write(&self) {
        // SAFETY: `used` never passes the buffer's end. A failed write changes nothing.
        unsafe { libc::write(2, self.bytes.as_ptr().cast(), self.used) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_the_fallback() {
        assert_eq!(run(7, || panic!("inside")), 7);
        assert_eq!(run(7, || 8), 8);
    }

    #[test]
    fn the_report_names_file_and_line_and_is_bounded() {
        let at = Location::caller();
        let mut line = Line::new();
        line.place(at);
        let text = String::from_utf8(line.bytes[..line.used].to_vec()).unwrap();
        assert_eq!(text, format!(" at {}:{}", at.file(), at.line()));
        line.push(&[b'x'; 1_000]);
        assert_eq!(line.used, 200);
    }
}
