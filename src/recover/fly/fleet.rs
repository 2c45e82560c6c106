//! All machines of an app, and the state of the service that they make together.

use crate::model::recovery::{InstanceState, State};
use crate::recover::LISTED;
use crate::recover::error::{Error, ErrorKind};
use crate::recover::fly::machine::{self, Entry, Machine};
use serde_json::Value;
use std::collections::BTreeMap;

/// The machines that run the service, in the order of their ids.
#[derive(Clone, Debug)]
pub(super) struct Fleet {
    pub machines: Vec<Machine>,
    /// A deploy's release command runs.
    pub command: bool,
}

impl Fleet {
    /// Reads the API's list.
    ///
    /// # Errors
    /// For what is no list of machines, and for more of them than can be looked after.
    pub fn read(list: &Value, own: Option<&str>, now: i64) -> Result<Fleet, Error> {
        let Some(list) = list.as_array() else {
            let what = "the answer is no list of machines";
            return Err(Error::new(ErrorKind::Invalid, what));
        };
        let mut fleet = Fleet {
            machines: Vec::new(),
            command: false,
        };
        for value in list {
            match machine::entry(value, own, now)? {
                Entry::Machine(machine) => fleet.machines.push(*machine),
                Entry::ReleaseCommand => fleet.command = true,
                Entry::Other => {}
            }
        }
        if fleet.machines.len() > LISTED {
            let what = format!(
                "the app has {} machines; services of at most {LISTED} can be recovered",
                fleet.machines.len()
            );
            return Err(Error::new(ErrorKind::Unsupported, what));
        }
        fleet
            .machines
            .sort_by(|a, b| a.instance.id.cmp(&b.instance.id));
        let twice = |pair: &[Machine]| pair[0].instance.id == pair[1].instance.id;
        if fleet.machines.windows(2).any(twice) {
            let what = "the list of machines has one twice";
            return Err(Error::new(ErrorKind::Invalid, what));
        }
        Ok(fleet)
    }

    /// What they show together.
    pub fn state(&self) -> State {
        State {
            release: self.release().map(str::to_owned),
            wanted: u32::try_from(self.wanted().count()).ok(),
            deploying: self.deploying(),
            instances: self
                .machines
                .iter()
                .map(|one| one.instance.clone())
                .collect(),
            deploy_failed: None,
            kept_by: None,
        }
    }

    /// Those that nobody stopped.
    fn wanted(&self) -> impl Iterator<Item = &Machine> {
        let wanted = |one: &&Machine| one.instance.state != InstanceState::Stopped;
        self.machines.iter().filter(wanted)
    }

    /// How many run each release, and the newest version of a machine with it. Those that were stopped
    /// count only where nothing else is there.
    fn releases(&self) -> BTreeMap<&str, (usize, &str)> {
        let mut counted: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
        let all: Vec<&Machine> = match self.wanted().next() {
            Some(_) => self.wanted().collect(),
            None => self.machines.iter().collect(),
        };
        for one in all {
            if let Some(release) = &one.instance.release {
                let entry = counted.entry(release).or_default();
                *entry = (entry.0 + 1, entry.1.max(&one.version));
            }
        }
        counted
    }

    /// The release with which most are configured; of two with as many, the one that came last.
    pub fn release(&self) -> Option<&str> {
        let counted = self.releases();
        let most = counted.iter().max_by_key(|(_, weight)| **weight);
        most.map(|(release, _)| *release)
    }

    fn deploying(&self) -> Option<String> {
        if self.command {
            return Some("the release command of a deploy runs".to_owned());
        }
        if let Some(said) = self.machines.iter().find_map(|one| one.changing.clone()) {
            return Some(said);
        }
        let counted = self.releases();
        if counted.len() < 2 {
            return None;
        }
        let each: Vec<String> = counted
            .iter()
            .take(4)
            .map(|(release, (count, _))| format!("{count} of {release}"))
            .collect();
        Some(format!(
            "machines of different releases run: {}",
            each.join(", ")
        ))
    }

    /// The process groups of those that do not stand by.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups: Vec<&str> = self
            .machines
            .iter()
            .filter(|one| !machine::is_standby(&one.instance))
            .map(|one| one.group.as_str())
            .collect();
        groups.sort_unstable();
        groups.dedup();
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn machine(id: &str, state: &str, image: &str, version: &str) -> Value {
        json!({"id": id, "state": state, "instance_id": version, "config": {"image": image}})
    }

    fn state(list: Value) -> State {
        Fleet::read(&list, None, 0).unwrap().state()
    }

    #[test]
    fn the_release_is_that_of_most_and_one_that_differs_is_a_deploy() {
        let state = state(json!([
            machine("b", "started", "r/a:v1", "01"),
            machine("a", "started", "r/a:v1", "02"),
            machine("c", "started", "r/a:v2", "03"),
        ]));
        let ids: Vec<&str> = state.instances.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        assert_eq!(
            (state.release.as_deref(), state.wanted),
            (Some("r/a:v1"), Some(3))
        );
        let said = state.deploying.unwrap();
        assert_eq!(
            said,
            "machines of different releases run: 2 of r/a:v1, 1 of r/a:v2"
        );
    }

    #[test]
    fn of_two_with_as_many_the_newer_is_meant() {
        let of = |first: &str, second: &str| {
            state(json!([
                machine("a", "started", "r/a:v1", first),
                machine("b", "started", "r/a:v2", second)
            ]))
            .release
        };
        assert_eq!(of("01", "02").unwrap(), "r/a:v2");
        assert_eq!(of("03", "02").unwrap(), "r/a:v1");
    }

    #[test]
    fn machines_that_were_stopped_are_not_wanted_and_no_deploy() {
        let state = state(json!([
            machine("a", "started", "r/a:v2", "02"),
            machine("b", "stopped", "r/a:v1", "01"),
            machine("c", "failed", "r/a:v2", "03"),
            machine("d", "destroyed", "r/a:v1", "01"),
        ]));
        assert_eq!(state.instances.len(), 3);
        assert_eq!((state.wanted, state.deploying), (Some(2), None));
        assert_eq!(state.release.as_deref(), Some("r/a:v2"));
    }

    #[test]
    fn what_a_deploy_does_is_said() {
        let command = json!({"id": "x", "state": "started",
            "config": {"metadata": {"fly_process_group": "fly_app_release_command"}}});
        let state = state(json!([machine("a", "started", "r/a:v1", "01"), command]));
        assert_eq!(state.instances.len(), 1);
        assert_eq!(
            state.deploying.unwrap(),
            "the release command of a deploy runs"
        );
    }

    #[test]
    fn what_is_no_list_or_too_long_is_an_error() {
        let twice = json!([
            machine("a", "started", "r/a:v1", "1"),
            machine("a", "failed", "", "2")
        ]);
        for bad in [json!({}), json!(null), json!("x"), json!([1]), twice] {
            let said = Fleet::read(&bad, None, 0).unwrap_err();
            assert_eq!(said.kind, ErrorKind::Invalid, "{bad}");
        }
        let many: Vec<Value> = (0..=LISTED)
            .map(|n| machine(&format!("m{n}"), "started", "r/a:v1", "01"))
            .collect();
        let said = Fleet::read(&json!(many), None, 0).unwrap_err();
        assert_eq!(said.kind, ErrorKind::Unsupported);
        assert_eq!(
            state(json!([])),
            State {
                wanted: Some(0),
                ..State::default()
            }
        );
    }
}
