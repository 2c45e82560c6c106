//! A platform in memory that shows what it is told to show, and counts what it is asked to begin.

use autofix::model::recovery::{LogText, Release, State, Task};
use autofix::recover::{Attempt, Error, ErrorKind, Platform, Progress};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

/// What it shows, and what it was asked.
#[derive(Default)]
pub struct Shown {
    pub state: State,
    pub logs: Vec<LogText>,
    /// It does not answer.
    pub silent: bool,
    /// Questions of any kind.
    pub asked: usize,
    /// Changes that it was told to begin; it refuses each.
    pub begun: usize,
}

/// One service of it; clones are the same.
#[derive(Clone, Default)]
pub struct Steady(Arc<Mutex<Shown>>);

impl Steady {
    pub fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap()
    }

    fn answer<T>(&self, of: impl Fn(&Shown) -> T) -> Result<T, Error> {
        let mut shown = self.shown();
        shown.asked += 1;
        match shown.silent {
            true => Err(Error::new(ErrorKind::Unreachable, "no answer")),
            false => Ok(of(&shown)),
        }
    }
}

impl Platform for Steady {
    fn state(&self, _: Instant) -> Result<State, Error> {
        self.answer(|shown| shown.state.clone())
    }

    fn releases(&self, _: Instant) -> Result<Vec<Release>, Error> {
        self.answer(|_| Vec::new())
    }

    fn logs(&self, _: Option<&str>, _: usize, _: Instant) -> Result<Vec<LogText>, Error> {
        self.answer(|shown| shown.logs.clone())
    }

    fn plan(&self, task: &Task, _: &State) -> Result<Vec<String>, Error> {
        Ok(vec![task.to_string()])
    }

    fn begin(&self, _: &Task, _: &State, _: &str, _: Instant) -> Result<Option<Value>, Error> {
        self.shown().begun += 1;
        Err(Error::new(ErrorKind::Refused, "the platform says no"))
    }

    fn poll(&self, _: &Attempt<'_>, _: Instant) -> Result<Progress, Error> {
        Ok(Progress::Failed("never begun".to_owned()))
    }
}
