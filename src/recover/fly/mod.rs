//! fly.io, over its Machines API: the machines of one app. What its answers mean stands beside this
//! (`machine.rs`, `events.rs`, `fleet.rs`, `image.rs`, `versions.rs`), what a task comes to in
//! `steps.rs`, and how that is carried out in `run.rs`.
//!
//! A release is an image. The API knows no releases and no wish for a number of machines: those count
//! as wanted that nobody stopped. A machine that the proxy stopped for want of traffic is one that was
//! stopped. All process groups of an app count as one service.

mod access;
mod address;
mod events;
mod fleet;
mod image;
mod machine;
mod progress;
mod run;
mod steps;
mod versions;
mod wire;

use crate::model::recovery::{LogText, Place, Release, State, Task};
use crate::net::Http;
use crate::recover::error::{Error, ErrorKind};
use crate::recover::{Attempt, Platform, Progress, Token};
use address::Address;
use fleet::Fleet;
use run::Run;
use serde_json::Value;
use std::time::Instant;
use wire::Wire;

/// An app on fly.io.
pub struct Fly {
    wire: Wire,
    address: Address,
    /// The machine that we run in.
    own: Option<String>,
}

impl Fly {
    /// `own`: the id of the machine that we run in, where that is one of fly.io's.
    ///
    /// # Errors
    /// For what is no app, and for an address to which a token must not be sent.
    pub fn new(http: Http, place: &Place, token: Token, own: Option<String>) -> Result<Fly, Error> {
        Ok(Fly {
            wire: Wire { http, token },
            address: Address::of(&place.target, place.api.as_deref())?,
            own,
        })
    }

    fn fleet(&self, until: Instant) -> Result<Fleet, Error> {
        let what = "the list of machines";
        let list = self.wire.get(self.address.machines(), what, until)?;
        Fleet::read(&list, self.own.as_deref(), now())
    }
}

impl Platform for Fly {
    fn state(&self, until: Instant) -> Result<State, Error> {
        self.fleet(until).map(|fleet| fleet.state())
    }

    fn releases(&self, until: Instant) -> Result<Vec<Release>, Error> {
        let fleet = self.fleet(until)?;
        let mut found = versions::Found::default();
        for machine in versions::oldest(&fleet) {
            let id = &machine.instance.id;
            let url = self.address.machine(id, "/versions")?;
            let what = format!("the versions of machine {id}");
            match self.wire.get(&url, &what, until) {
                Ok(versions) => found.add(machine, &versions)?,
                // It was destroyed since the list was made.
                Err(error) if error.kind == ErrorKind::Missing => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found.releases(&fleet))
    }

    fn logs(&self, _: Option<&str>, _: usize, _: Instant) -> Result<Vec<LogText>, Error> {
        let what = "the Machines API keeps no logs; look at the lines that autofix has seen, or use `fly logs`";
        Err(Error::new(ErrorKind::Unsupported, what))
    }

    fn plan(&self, task: &Task, before: &State) -> Result<Vec<String>, Error> {
        let steps = steps::steps(task, before)?;
        steps.iter().map(|step| step.line(&self.address)).collect()
    }

    /// Waits between machines, so that one goes down when the one before is back. May take ten
    /// seconds more than it has, to give leases back.
    fn begin(
        &self,
        task: &Task,
        before: &State,
        _: &str,
        until: Instant,
    ) -> Result<Option<Value>, Error> {
        let steps = steps::steps(task, before)?;
        // Every id is looked at before the first request.
        for step in &steps {
            step.line(&self.address)?;
        }
        let with = (&self.wire, &self.address);
        let run = Run::new(with, self.own.as_deref(), before, now(), until);
        run.all(&steps).map(Some)
    }

    fn poll(&self, attempt: &Attempt<'_>, until: Instant) -> Result<Progress, Error> {
        let now = self.state(until)?;
        progress::progress(attempt, &now)
    }
}

/// Seconds since 1970, to tell a lease that holds from one that ran out.
fn now() -> i64 {
    crate::recover::clock::now().seconds()
}
