//! Where autofix says something about itself. A door hands down the sink (the host's log, or
//! stderr of the command line); every other room only writes lines.

use crate::model::Level;
use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

type Sink = dyn Fn(Level, &str) + Send + Sync;

/// A handle to write log lines with; clones share the sink.
#[derive(Clone)]
pub struct Log {
    inner: Arc<Inner>,
}

struct Inner {
    sink: Box<Sink>,
    said: Mutex<HashSet<String>>,
}

/// Keys remembered by [`Log::once`]; beyond them it stays silent, so that hostile input cannot
/// fill the log or the memory.
const ONCE_LIMIT: usize = 1_000;

impl Log {
    pub fn new(sink: impl Fn(Level, &str) + Send + Sync + 'static) -> Log {
        Log {
            inner: Arc::new(Inner {
                sink: Box::new(sink),
                said: Mutex::new(HashSet::new()),
            }),
        }
    }

    /// Says nothing; for tests and for commands that print only their result.
    pub fn silent() -> Log {
        Log::new(|_, _| {})
    }

    pub fn error(&self, line: &str) {
        (self.inner.sink)(Level::Error, line);
    }

    pub fn warn(&self, line: &str) {
        (self.inner.sink)(Level::Warn, line);
    }

    pub fn info(&self, line: &str) {
        (self.inner.sink)(Level::Info, line);
    }

    /// Writes the line unless `key` was said before: for faults that every record may repeat.
    pub fn once(&self, key: &str, level: Level, line: &str) {
        let mut said = self
            .inner
            .said
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if said.len() < ONCE_LIMIT && said.insert(key.to_owned()) {
            drop(said);
            (self.inner.sink)(level, line);
        }
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Log")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_is_once_per_key() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let seen = lines.clone();
        let log = Log::new(move |_, line| seen.lock().unwrap().push(line.to_owned()));
        log.once("a", Level::Warn, "first");
        log.clone().once("a", Level::Warn, "again");
        log.once("b", Level::Warn, "other");
        assert_eq!(*lines.lock().unwrap(), ["first", "other"]);
    }
}
