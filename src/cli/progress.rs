//! How far a long command is, on standard error where that is a terminal, and the lines that it
//! says meanwhile. Never on standard output.

use crate::cli::output::complain;
use crate::log::Log;
use crate::model::Level;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Duration;

/// A bar, or nothing where nobody sees it. Clones are the same bar.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
}

/// How often the bar moves while nothing is told.
const TICK: Duration = Duration::from_millis(120);

impl Progress {
    pub(super) fn new() -> Progress {
        let bar = if std::io::stderr().is_terminal() {
            ProgressBar::no_length()
        } else {
            ProgressBar::hidden()
        };
        Progress { bar }
    }

    /// Bytes read, of so many where that is known.
    pub(super) fn read(&self, bytes: u64, of: Option<u64>) {
        let template = match of {
            Some(of) => {
                self.bar.set_length(of);
                "reading {wide_bar} {bytes}/{total_bytes} {eta}"
            }
            None => "reading {spinner} {bytes} {bytes_per_sec}",
        };
        self.style(template);
        self.bar.set_position(bytes);
    }

    /// Everything is read.
    pub(super) fn working(&self) {
        self.style("{spinner} working on the incidents");
        self.bar.enable_steady_tick(TICK);
    }

    /// One line for people, above the bar.
    pub(super) fn say(&self, line: &str) {
        self.bar.suspend(|| complain(line));
    }

    /// A log whose lines appear above the bar.
    pub(super) fn log(&self) -> Log {
        let progress = self.clone();
        Log::new(move |level, line| {
            let word = match level {
                Level::Error | Level::Fatal => "error: ",
                Level::Warn => "warning: ",
                Level::Info | Level::Debug | Level::Trace => "",
            };
            progress.say(&format!("{word}{line}"));
        })
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }
}
