//! Carries out the steps of a task, one after the other, and stops at the first that fails. Whatever
//! happens, leases are given back; one whose end cannot be told runs out by itself.

use crate::model::recovery::State;
use crate::net::Method;
use crate::recover::error::{Error, ErrorKind};
use crate::recover::fly::address::{Address, is_id};
use crate::recover::fly::fleet::Fleet;
use crate::recover::fly::machine;
use crate::recover::fly::steps::{LEASE, LEASE_NAME, Step};
use crate::recover::fly::wire::{Ask, Wire, meaning};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// How long the end of a lease may take where the time of the whole is up.
const GIVE_BACK: Duration = Duration::from_secs(10);
/// How often a wait is begun anew.
const WAITS: usize = 10;
/// The part of a lease's time in which machines are changed under it.
const USED: Duration = Duration::from_secs(LEASE - 20);
/// Longest nonce that is believed.
const NONCE: usize = 256;

/// What is known while a task is carried out.
pub(super) struct Run<'a> {
    wire: &'a Wire,
    address: &'a Address,
    own: Option<&'a str>,
    before: &'a State,
    now: i64,
    until: Instant,
    nonces: BTreeMap<String, String>,
    /// Machines as they were read.
    read: BTreeMap<String, Value>,
    made: Vec<String>,
    done: Vec<String>,
    /// Machines whose lease may hold until it runs out.
    left: Vec<String>,
}

impl<'a> Run<'a> {
    pub fn new(
        (wire, address): (&'a Wire, &'a Address),
        own: Option<&'a str>,
        before: &'a State,
        now: i64,
        until: Instant,
    ) -> Run<'a> {
        Run {
            wire,
            address,
            own,
            before,
            now,
            until,
            nonces: BTreeMap::new(),
            read: BTreeMap::new(),
            made: Vec::new(),
            done: Vec::new(),
            left: Vec::new(),
        }
    }

    /// Carries them out; what it gives is for people to look at.
    ///
    /// # Errors
    /// That of the first step that fails; `Unreachable` where something was changed before it.
    pub fn all(mut self, steps: &[Step]) -> Result<Value, Error> {
        for (at, step) in steps.iter().enumerate() {
            match self.one(step) {
                Ok(()) if step.changes() => self.done.push(step.what()),
                Ok(()) => {}
                Err(error) => {
                    let held: Vec<String> = self.nonces.keys().cloned().collect();
                    for id in held {
                        self.give_back(&id);
                    }
                    return Err(self.told(error, step, &steps[at + 1..]));
                }
            }
        }
        let mut handle = json!({ "done": self.done });
        if !self.made.is_empty() {
            handle["made"] = json!(self.made);
        }
        if !self.left.is_empty() {
            handle["leases_left"] = json!(self.left);
        }
        Ok(handle)
    }

    fn told(&self, error: Error, at: &Step, rest: &[Step]) -> Error {
        let mut what = error.what;
        let kind = match self.done.is_empty() {
            true => error.kind,
            false => ErrorKind::Unreachable,
        };
        if !self.done.is_empty() {
            let open: Vec<String> = std::iter::once(at)
                .chain(rest)
                .filter(|step| step.changes())
                .map(Step::what)
                .collect();
            what = format!("{what}; done before: {}", self.done.join(", "));
            if !open.is_empty() {
                what = format!("{what}; not done, or perhaps: {}", open.join(", "));
            }
        }
        if !self.left.is_empty() {
            what = format!(
                "{what}; a lease may hold for another {LEASE} seconds on {}",
                self.left.join(", ")
            );
        }
        Error::new(kind, what)
    }

    fn one(&mut self, step: &Step) -> Result<(), Error> {
        match step {
            Step::Count { wanted } => {
                let list = self.plain(step)?;
                let fleet = Fleet::read(&list, self.own, self.now)?;
                self.count(&fleet, *wanted)
            }
            Step::Restart(_) | Step::Start(_) | Step::Stop(_) => self.plain(step).map(drop),
            Step::Wait(_) | Step::WaitMade => self.wait(step),
            Step::Lease(id) => self.lease(step, id),
            Step::Read(id) | Step::Like(id) => {
                let found = self.plain(step)?;
                self.compare(id, &found)?;
                if matches!(step, Step::Like(_)) {
                    copyable(id, &found)?;
                }
                self.read.insert(id.clone(), found);
                Ok(())
            }
            Step::Update { id, to, asleep } => self.update(step, id, to, *asleep),
            Step::GiveBack(id) => {
                // The change is done by now; a lease that stays is told of in the end.
                self.give_back(id);
                Ok(())
            }
            Step::Make { like } => {
                let found = self.read.get(like).unwrap_or(&Value::Null);
                let mut body = json!({ "config": found["config"] });
                if found["region"].is_string() {
                    body["region"] = found["region"].clone();
                }
                let answer = self.ask(step, None, Some(&body), self.until)?;
                if let Some(id) = answer["id"].as_str().filter(|id| is_id(id)) {
                    self.made.push(id.to_owned());
                }
                Ok(())
            }
        }
    }

    fn plain(&self, step: &Step) -> Result<Value, Error> {
        self.ask(step, None, None, self.until)
    }

    fn ask(
        &self,
        step: &Step,
        nonce: Option<&str>,
        body: Option<&Value>,
        until: Instant,
    ) -> Result<Value, Error> {
        let (method, url) = self.request(step)?;
        self.wire.ask(&Ask {
            method,
            url: &url,
            nonce,
            body,
            what: &step.what(),
            until,
        })
    }

    fn request(&self, step: &Step) -> Result<(Method, String), Error> {
        let made = self.made.last().map_or("", String::as_str);
        let (method, url) = step.request(self.address, made)?;
        let method = match method {
            "GET" => Method::Get,
            "DELETE" => Method::Delete,
            _ => Method::Post,
        };
        Ok((method, url))
    }

    fn count(&self, fleet: &Fleet, wanted: u32) -> Result<(), Error> {
        let found = fleet.state().wanted;
        if found != Some(wanted) {
            let found = found.unwrap_or_default();
            let what = format!("meanwhile {found} machines are wanted, and not {wanted}");
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        let groups = fleet.groups();
        if groups.len() > 1 {
            let what = format!(
                "the app has the process groups {}; scale one of them with `fly scale count`",
                groups.join(", ")
            );
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        Ok(())
    }

    /// Waits as long as there is time: the API itself gives up sooner.
    fn wait(&self, step: &Step) -> Result<(), Error> {
        if matches!(step, Step::WaitMade) && self.made.is_empty() {
            let what = "the answer does not name the machine that was made";
            return Err(Error::new(ErrorKind::Unreachable, what));
        }
        let (method, url) = self.request(step)?;
        let what = step.what();
        let ask = Ask {
            method,
            url: &url,
            nonce: None,
            body: None,
            what: &what,
            until: self.until,
        };
        for _ in 0..WAITS {
            match self.wire.sent(&ask)? {
                Ok(_) => return Ok(()),
                Err(refusal) if refusal.status == 408 => {}
                Err(refusal) => return Err(meaning(refusal, &what)),
            }
        }
        let what = format!("{what}: it was not started in time");
        Err(Error::new(ErrorKind::Unreachable, what))
    }

    fn lease(&mut self, step: &Step, id: &str) -> Result<(), Error> {
        self.until = self.until.min(Instant::now() + USED);
        let body = json!({ "description": LEASE_NAME, "ttl": LEASE });
        let answer = self.ask(step, None, Some(&body), self.until);
        if answer.as_ref().is_err_and(Error::leaves_doubt) {
            self.left.push(id.to_owned());
        }
        let answer = answer?;
        let printable = |text: &&str| text.bytes().all(|b| b.is_ascii_graphic());
        let nonce = answer["data"]["nonce"].as_str().filter(printable);
        match nonce.filter(|nonce| !nonce.is_empty() && nonce.len() <= NONCE) {
            Some(nonce) => {
                self.nonces.insert(id.to_owned(), nonce.to_owned());
                Ok(())
            }
            None => {
                self.left.push(id.to_owned());
                let what = format!("{}: the answer has no nonce", step.what());
                Err(Error::new(ErrorKind::Invalid, what))
            }
        }
    }

    /// Gives a lease back. It has time of its own, and no error: the lease ends by itself.
    fn give_back(&mut self, id: &str) {
        let Some(nonce) = self.nonces.remove(id) else {
            return;
        };
        let until = self.until.max(Instant::now() + GIVE_BACK);
        let step = Step::GiveBack(id.to_owned());
        match self.ask(&step, Some(&nonce), None, until) {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::Missing => {}
            Err(_) => self.left.push(id.to_owned()),
        }
    }

    /// Whether the machine is still what the decision rests on, and can be changed.
    fn compare(&self, id: &str, found: &Value) -> Result<(), Error> {
        let refuse = |why: &str| {
            let what = format!("machine {id}: {why}");
            Err(Error::new(ErrorKind::Invalid, what))
        };
        if found["id"].as_str() != Some(id) {
            return refuse("the answer is about another machine");
        }
        let reachable = found["host_status"]
            .as_str()
            .is_none_or(|word| word == "ok");
        if !found["config"].is_object() || !reachable {
            return refuse(
                "its host is away, so its configuration cannot be read whole; try later",
            );
        }
        let before = self.before.instances.iter().find(|one| one.id == id);
        if before.map(|one| &one.release) != Some(&machine::release(found)) {
            return refuse("meanwhile it has another release");
        }
        Ok(())
    }

    fn update(&mut self, step: &Step, id: &str, to: &str, asleep: bool) -> Result<(), Error> {
        let found = self.read.get(id).unwrap_or(&Value::Null);
        let mut config = found["config"].clone();
        put_image(&mut config, to)
            .map_err(|why| Error::new(ErrorKind::Unsupported, format!("machine {id}: {why}")))?;
        let mut body = json!({ "config": config, "skip_launch": asleep });
        if found["region"].is_string() {
            body["region"] = found["region"].clone();
        }
        let nonce = self.nonces.get(id).map(String::as_str);
        self.ask(step, nonce, Some(&body), self.until).map(drop)
    }
}

/// Puts an image in the place of the one that a configuration has, in each of its containers and
/// files that has it too. Everything else stays, known to us or not.
fn put_image(config: &mut Value, to: &str) -> Result<(), &'static str> {
    let Some(old) = config["image"].as_str().map(str::to_owned) else {
        return Err("its containers have images of their own; roll it back with `fly deploy`");
    };
    let put = |place: Option<&mut Value>| {
        if let Some(place) = place.filter(|place| place.as_str() == Some(&old)) {
            *place = json!(to);
        }
    };
    let files = |holder: &mut Value| {
        for file in holder
            .get_mut("files")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            put(file.get_mut("image_config"));
        }
    };
    files(config);
    let containers = config.get_mut("containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        put(container.get_mut("image"));
        files(container);
    }
    put(config.get_mut("image"));
    Ok(())
}

/// Whether another machine can be made with its configuration.
fn copyable(id: &str, found: &Value) -> Result<(), Error> {
    let mounts = found["config"]["mounts"].as_array();
    if mounts.is_some_and(|mounts| !mounts.is_empty()) {
        let what = format!(
            "machine {id} has a volume, and another machine needs one of its own; use `fly scale count`"
        );
        return Err(Error::new(ErrorKind::Unsupported, what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_put_in_each_place_of_the_old_one_and_nothing_else_changes() {
        let mut config = json!({
            "zeta": {"unknown": [1, 2.5, 18446744073709551615u64, null]}, "image": "r/a:v2", "env": {"IMAGE": "r/a:v2"},
            "files": [{"guest_path": "/x", "image_config": "r/a:v2"}, {"image_config": "other"}, 7],
            "containers": [{"name": "app", "image": "r/a:v2", "files": [{"image_config": "r/a:v2"}]},
                {"name": "side", "image": "r/side:v9"}, "odd"],
        });
        let mut wanted = config.to_string();
        put_image(&mut config, "r/a:v1").unwrap();
        wanted = wanted.replace("r/a:v2", "r/a:v1");
        wanted = wanted.replace(r#""IMAGE":"r/a:v1""#, r#""IMAGE":"r/a:v2""#);
        assert_eq!(config.to_string(), wanted);
        let mut none = json!({"containers": [{"image": "r/a:v2"}]});
        assert!(put_image(&mut none, "r/a:v1").is_err());
    }
}
