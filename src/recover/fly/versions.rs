//! Which releases there were. The Machines API keeps none: it keeps the versions of each machine, each
//! with its configuration, and from these the images are told that an app ran. What a machine ran
//! before it was made is not among them, as after a blue-green deploy.

use crate::model::Timestamp;
use crate::model::recovery::Release;
use crate::recover::LISTED;
use crate::recover::error::{Error, ErrorKind};
use crate::recover::fly::fleet::Fleet;
use crate::recover::fly::image;
use crate::recover::fly::machine::Machine;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many machines are asked, those first that are there the longest.
const ASKED: usize = 3;
/// Most versions of a machine that are read.
const READ: usize = 1000;

/// The releases that an app ran, as they are found.
#[derive(Debug, Default)]
pub(super) struct Found(BTreeMap<String, Option<Timestamp>>);

/// Whose versions are to be asked for.
pub(super) fn oldest(fleet: &Fleet) -> Vec<&Machine> {
    let mut machines: Vec<&Machine> = fleet.machines.iter().collect();
    machines.sort_by(|a, b| (&a.created, &a.instance.id).cmp(&(&b.created, &b.instance.id)));
    machines.truncate(ASKED);
    machines
}

impl Found {
    /// Adds the versions of a machine.
    ///
    /// # Errors
    /// When they are none.
    pub fn add(&mut self, machine: &Machine, versions: &Value) -> Result<(), Error> {
        let Some(versions) = versions.as_array() else {
            let what = "the answer is no list of versions";
            return Err(Error::new(ErrorKind::Invalid, what));
        };
        for one in versions.iter().take(READ) {
            let Some(version) = one["version"].as_str() else {
                let what = "the list of versions has one without its id";
                return Err(Error::new(ErrorKind::Invalid, what));
            };
            // What the platform found behind a tag is known of the newest version only.
            let known = machine.instance.release.clone();
            let known = known.filter(|_| version == machine.version && !version.is_empty());
            let told = one["user_config"]["image"].as_str();
            let release = known.or_else(|| image::release(told?, None));
            if let Some(release) = release {
                self.put(release, image::ulid_time(version));
            }
        }
        Ok(())
    }

    /// The first time counts: gone back to, a release is not a new one.
    fn put(&mut self, release: String, at: Option<Timestamp>) {
        let kept = self.0.entry(release).or_default();
        *kept = match (*kept, at) {
            (Some(kept), Some(at)) => Some(kept.min(at)),
            (kept, at) => kept.or(at),
        };
    }

    /// All of them, newest first. What the machines run is among them.
    pub fn releases(mut self, fleet: &Fleet) -> Vec<Release> {
        let mut labels = BTreeMap::new();
        for machine in &fleet.machines {
            if let Some(release) = &machine.instance.release {
                labels.insert(release.clone(), &machine.labels);
                self.put(release.clone(), image::ulid_time(&machine.version));
            }
        }
        let current = fleet.release();
        let mut all: Vec<Release> = self
            .0
            .into_iter()
            .map(|(id, at)| Release {
                name: image::name(&id),
                made: at.or_else(|| image::built(&id)),
                current: current == Some(id.as_str()),
                commit: image::commit(&id, labels.get(&id).copied().unwrap_or(&Value::Null)),
                good: None,
                id,
            })
            .collect();
        all.sort_by(|a, b| (b.made, &b.id).cmp(&(a.made, &a.id)));
        let mut place = 0;
        all.retain(|one| {
            place += 1;
            place <= LISTED || one.current
        });
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const OLD: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
    const MID: &str = "01BRZ3NDEKTSV4RRFFQ69G5FAV";
    const NEW: &str = "01CRZ3NDEKTSV4RRFFQ69G5FAV";

    fn fleet(image: &str, version: &str) -> Fleet {
        let list = json!([{"id": "a", "state": "started", "instance_id": version,
            "config": {"image": image},
            "image_ref": {"digest": format!("sha256:{}", "a".repeat(64)),
                "labels": {"org.opencontainers.image.revision": "0123456789abcdef"}}}]);
        Fleet::read(&list, None, 0).unwrap()
    }

    #[test]
    fn releases_come_newest_first_and_going_back_makes_no_new_one() {
        let fleet = fleet("r/a:v1", NEW);
        let mut found = Found::default();
        let versions = json!([
            {"version": NEW, "user_config": {"image": "r/a:v1"}},
            {"version": MID, "user_config": {"image": "r/a:3f2c1ab"}},
            {"version": OLD, "user_config": {"image": "r/a:v1"}},
            {"version": OLD, "user_config": {"image": "r/a:latest"}}, {"version": "odd"},
        ]);
        found.add(&fleet.machines[0], &versions).unwrap();
        let all = found.releases(&fleet);
        let ids: Vec<(&str, bool)> = all
            .iter()
            .map(|one| (one.id.as_str(), one.current))
            .collect();
        assert_eq!(ids, [("r/a:3f2c1ab", false), ("r/a:v1", true)]);
        assert_eq!(all[0].made, image::ulid_time(MID));
        assert_eq!(all[1].made, image::ulid_time(OLD));
        assert_eq!(all[0].commit.as_ref().unwrap().as_str(), "3f2c1ab");
        assert_eq!(all[1].commit.as_ref().unwrap().as_str(), "0123456789abcdef");
        assert_eq!(all[1].name, "a:v1");
    }

    #[test]
    fn what_runs_is_among_them_even_under_a_tag_that_moves() {
        let fleet = fleet("r/a:latest", NEW);
        let mut found = Found::default();
        let versions = json!([{"version": NEW, "user_config": {"image": "r/a:latest"}}]);
        found.add(&fleet.machines[0], &versions).unwrap();
        let all = found.releases(&fleet);
        assert_eq!(all.len(), 1);
        assert!(all[0].current && all[0].id.starts_with("r/a@sha256:"));
        assert!(
            Found::default()
                .add(&fleet.machines[0], &json!({}))
                .is_err()
        );
    }

    #[test]
    fn the_list_is_bounded_and_keeps_what_runs() {
        let fleet = fleet("r/a:v1", OLD);
        let mut found = Found::default();
        let versions: Vec<Value> = (0..300)
            .map(|n| json!({"version": MID, "user_config": {"image": format!("r/a:b{n}")}}))
            .collect();
        found.add(&fleet.machines[0], &json!(versions)).unwrap();
        let all = found.releases(&fleet);
        assert_eq!(all.len(), LISTED + 1);
        assert!(all[LISTED].current);
    }
}
