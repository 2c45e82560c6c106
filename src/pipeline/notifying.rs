//! The lane that tells people: makes a message of what waits for one target, sends it, and writes down
//! that it was told. A dead webhook keeps no other waiting. A message that was taken, but whose mark
//! could not be written, is sent again: better told twice than never.

use crate::deliver::notify::{self, FULL, Item, Message};
use crate::log::Log;
use crate::model::notify::Target;
use crate::model::service::TokenSource;
use crate::model::{Level, Timestamp};
use crate::net::{Http, Secret};
use crate::pipeline::clock;
use crate::pipeline::lane::{Halt, Turn};
use crate::store::{self, ErrorKind, Holder, Store, Waiting};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Reads a webhook's address from where it is, at each use.
pub type Urls = Box<dyn Fn(&TokenSource) -> Option<Secret> + Send>;

/// Pause after a first message that was not taken; doubled after each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// How often it is looked whether a webhook that is gone is there again.
const GONE: Duration = Duration::from_secs(3600);
/// How long this process leaves a target alone whose address it cannot read.
const UNREADABLE: Duration = Duration::from_secs(60);

/// How long the lane sleeps at most before it looks for what is due.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it leaves a store alone that refused it.
const STORE_PAUSE: Duration = Duration::from_secs(10);

/// Whoever tells people.
pub struct Notifier {
    store: Store,
    http: Http,
    urls: Urls,
    holder: Arc<Holder>,
    log: Log,
    /// Targets whose address cannot be read here, and until when they are left alone. Another process
    /// may be able to: the store is not told.
    unreadable: HashMap<String, Timestamp>,
}

impl Notifier {
    pub fn new(store: Store, http: Http, urls: Urls, holder: Arc<Holder>, log: Log) -> Notifier {
        Notifier {
            store,
            http,
            urls,
            holder,
            log,
            unreadable: HashMap::new(),
        }
    }

    /// A turn of the lane: one message, or a pause.
    pub fn lane_turn(&mut self, halt: &Halt) -> Turn {
        if halt.requested() {
            return Turn::Done;
        }
        let pause = match self.turn(clock::now()) {
            Ok(true) => return Turn::Again,
            Ok(false) => PAUSE,
            Err(fault) => {
                let line = format!("notifications wait: {fault}");
                self.log.once("notifier", Level::Error, &line);
                STORE_PAUSE
            }
        };
        let end = Instant::now() + pause;
        while Instant::now() < end && !halt.requested() {
            std::thread::sleep(PAUSE / 10);
        }
        Turn::Again
    }

    /// Sends one message where one is due; `false` where none is.
    ///
    /// # Errors
    /// When the store refuses; what was sent is told again then.
    pub fn turn(&mut self, now: Timestamp) -> Result<bool, store::Error> {
        for target in self.store.due_targets(now)? {
            let Some(url) = self.url(&target, now) else {
                continue;
            };
            let claimed = self
                .store
                .claim_notices(&target.name, FULL, &self.holder, now)?;
            if let Some(waiting) = claimed {
                self.tell(&waiting, &url, now)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn url(&mut self, target: &Target, now: Timestamp) -> Option<Secret> {
        let until = self.unreadable.get(&target.name).copied();
        if until.is_some_and(|until| now < until && now.plus(UNREADABLE) >= until) {
            return None;
        }
        let url = (self.urls)(&target.url);
        match &url {
            Some(_) => self.unreadable.remove(&target.name),
            None => {
                let line = format!(
                    "[[notify]] {}: its address cannot be read; `autofix check` says why",
                    target.name
                );
                let key = format!("notify-url-{}", target.name);
                self.log.once(&key, Level::Warn, &line);
                let until = now.plus(UNREADABLE);
                self.unreadable.insert(target.name.clone(), until)
            }
        };
        url
    }

    fn tell(
        &mut self,
        waiting: &Waiting,
        url: &Secret,
        now: Timestamp,
    ) -> Result<(), store::Error> {
        let began = Instant::now();
        let message = Message {
            target: waiting.target.name.clone(),
            items: waiting
                .notices
                .iter()
                .map(|one| {
                    let (url, redact) = (one.url.as_deref(), one.redact.as_ref());
                    Item::new(one.event, &one.incident, url, redact)
                })
                .collect(),
            more: waiting.more,
            dropped: waiting.dropped,
        };
        let payload = notify::payload(waiting.target.kind, &message);
        let sent = notify::send(&self.http, url, &payload);
        let ended = now.plus(began.elapsed());
        let lease = &waiting.lease;
        let kept = match sent {
            Ok(()) => self.store.told(lease, now, ended),
            Err(fault) => {
                self.say(&waiting.target.name, fault);
                let until = now.plus(pause(fault, waiting.tries));
                self.store.not_told(lease, until, ended)
            }
        };
        match kept {
            // Another process has it now.
            Err(fault) if fault.kind == ErrorKind::LeaseLost => Ok(()),
            kept => kept,
        }
    }

    /// Once for a target and what a person would do about it.
    fn say(&self, target: &str, fault: notify::Error) {
        let key = match fault {
            notify::Error::Address(_) | notify::Error::Gone(_) => format!("notify-gone-{target}"),
            notify::Error::Limited(_)
            | notify::Error::Refused(_)
            | notify::Error::Unreachable(_) => format!("notify-{target}"),
        };
        let line = format!("[[notify]] {target}: {fault}; what is to be told waits");
        self.log.once(&key, Level::Warn, &line);
    }
}

fn pause(fault: notify::Error, tries: u32) -> Duration {
    let pause = FIRST_PAUSE.saturating_mul(1 << tries.min(16));
    let pause = pause.min(LONGEST_PAUSE);
    match fault {
        notify::Error::Gone(_) => GONE,
        notify::Error::Limited(after) => after.max(pause),
        notify::Error::Address(_) | notify::Error::Refused(_) | notify::Error::Unreachable(_) => {
            pause
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_to_ten_minutes() {
        let refused = |tries| pause(notify::Error::Refused(500), tries).as_secs();
        let all: Vec<u64> = [0, 1, 2, 3, 4, 5, 999].map(refused).to_vec();
        assert_eq!(all, [30, 60, 120, 240, 480, 600, 600]);
        assert_eq!(pause(notify::Error::Gone(404), 0), GONE);
        let asked = notify::Error::Limited(Duration::from_secs(900));
        assert_eq!(pause(asked, 0).as_secs(), 900);
        assert_eq!(
            pause(notify::Error::Limited(Duration::ZERO), 1).as_secs(),
            60
        );
    }
}
