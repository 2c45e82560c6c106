//! Where an instance's log lines go: the host's log, or stderr in the same look on hosts that
//! lend none. Lines after the instance's exit go nowhere, for nothing of the host may be used
//! then. Control characters of log text never reach a terminal.

use super::host::{HostLog, level_number};
use crate::log::Log;
use crate::model::Level;
use std::ffi::{CString, c_int};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bytes of one line, prefix included: hosts cut just under 4 KB.
const LINE_LIMIT: usize = 3_800;

/// Ends an instance's log.
#[derive(Clone)]
pub struct Gate(Arc<AtomicBool>);

impl Gate {
    pub fn shut(&self) {
        self.0.store(false, Ordering::Release);
    }
}

/// The log of the instance that the host calls `autofix.NUMBER`.
pub fn open(host: Option<HostLog>, number: usize) -> (Log, Gate) {
    let open = Gate(Arc::new(AtomicBool::new(true)));
    let gate = open.clone();
    let log = Log::new(move |level, text| {
        if open.0.load(Ordering::Acquire) {
            let number_of_level = level_number(level);
            for text in text.lines() {
                write(host.as_ref(), number_of_level, &line(number, text));
            }
        }
    });
    (log, gate)
}

fn write(host: Option<&HostLog>, level: c_int, line: &str) {
    match host {
        Some(host) if host.passes(level) => print(host, level, line),
        Some(_) => {}
        // These hosts cannot be asked for the instance's log_level: their default is info.
        None if level <= level_number(Level::Info) => to_stderr(level, line),
        None => {}
    }
}

fn print(host: &HostLog, level: c_int, line: &str) {
    let Ok(line) = CString::new(line) else { return };
    // SAFETY: a function of the host's program, not of an instance; the format takes one string.
    unsafe {
        (host.print)(level, c"autofix".as_ptr(), 0, c"%s".as_ptr(), line.as_ptr());
    }
}

/// One line for the host's log: with the prefix that its own outputs have.
fn line(number: usize, text: &str) -> String {
    let mut line = format!("[output:autofix:autofix.{number}] ");
    for character in text.chars() {
        if line.len() >= LINE_LIMIT {
            line.push('…');
            break;
        }
        match character {
            '\t' => line.push(' '),
            // A terminal's commands, in one byte or as the C1 set.
            c if c.is_control() => {
                let _ = write!(line, "\\x{:02x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    line
}

fn to_stderr(level: c_int, line: &str) {
    let word = match level {
        1 => "error",
        2 => " warn",
        _ => " info",
    };
    let line = format!("[{}] [{word}] {line}\n", local_time());
    // SAFETY: the pointer and length are of one string. A failed write is nobody's concern.
    unsafe { libc::write(2, line.as_ptr().cast(), line.len()) };
}

fn local_time() -> String {
    // SAFETY: both functions fill in what they are given; a zeroed tm is valid.
    let at = unsafe {
        let now = libc::time(std::ptr::null_mut());
        let mut at: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const now, &raw mut at);
        at
    };
    format!(
        "{:04}/{:02}/{:02} {:02}:{:02}:{:02}",
        at.tm_year + 1900,
        at.tm_mon + 1,
        at.tm_mday,
        at.tm_hour,
        at.tm_min,
        at.tm_sec
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_carry_the_instance_and_no_control_characters() {
        assert_eq!(
            line(2, "found \u{1b}[31mred\u{9b}\0 in\tit"),
            "[output:autofix:autofix.2] found \\x1b[31mred\\x9b\\x00 in it"
        );
    }

    #[test]
    fn lines_are_bounded() {
        assert!(line(0, &"ä".repeat(10_000)).len() < 4_000);
    }
}
