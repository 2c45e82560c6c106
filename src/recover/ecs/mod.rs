//! Amazon ECS over its HTTP API: one service in one cluster. What ECS answers is read strictly
//! (`shapes.rs`, `asked.rs`) and becomes a state (`show.rs`); a change is checked once more right before
//! it is sent (`change.rs`), and how far it is, is judged from what ECS shows (`progress.rs`). Keys are
//! handed in; who may change what, and when, is decided elsewhere.

mod asked;
mod change;
mod logs;
mod place;
mod progress;
mod releases;
mod shapes;
mod show;
mod wire;

use crate::model::recovery::{self, LogText, Release, State, Task};
use crate::net::{Http, aws};
use crate::recover::clock;
use crate::recover::{Attempt, Error, Platform, Progress};
use place::Place;
use serde_json::Value;
use std::time::Instant;

/// A service of ECS.
pub struct Ecs {
    http: Http,
    place: Place,
    keys: aws::Provider,
    /// The id of the task that autofix itself runs in.
    own: Option<String>,
}

impl Ecs {
    /// `own`: the ARN of the task that autofix itself runs in, where it runs in one.
    ///
    /// # Errors
    /// `Settings`, with the name of the key, when the place cannot be one.
    pub fn new(
        http: Http,
        place: &recovery::Place,
        keys: aws::Provider,
        own: Option<String>,
    ) -> Result<Ecs, Error> {
        Ok(Ecs {
            http,
            place: Place::of(place)?,
            keys,
            // Ids are unlike each other everywhere; ARNs of one task may have two forms.
            own: own.map(|arn| shapes::last_part(&arn).to_owned()),
        })
    }
}

impl Platform for Ecs {
    fn state(&self, until: Instant) -> Result<State, Error> {
        let service = self.service(until)?;
        let tasks = self.tasks(&service, until)?;
        let now = clock::now();
        Ok(show::state(&service, &tasks, self.own.as_deref(), now))
    }

    fn releases(&self, until: Instant) -> Result<Vec<Release>, Error> {
        self.released(until)
    }

    fn logs(
        &self,
        instance: Option<&str>,
        lines: usize,
        until: Instant,
    ) -> Result<Vec<LogText>, Error> {
        self.logged(instance, lines, until)
    }

    fn plan(&self, task: &Task, before: &State) -> Result<Vec<String>, Error> {
        self.planned(task, before)
    }

    fn begin(
        &self,
        task: &Task,
        _before: &State,
        mark: &str,
        until: Instant,
    ) -> Result<Option<Value>, Error> {
        self.begun(task, mark, until)
    }

    fn poll(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        self.polled(attempt, until)
    }
}
