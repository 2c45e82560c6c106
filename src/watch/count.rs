//! A record is shown once: the watches that match it count it, each in the window of its service
//! and group, and those that reached their threshold are told. Not here: which watches there are
//! (`engine`), which could match (`index`).

use super::engine::Engine;
use super::fields::Fields;
use super::group;
use super::index;
use super::memo::Memo;
use super::report::Fired;
use super::{Owner, Scope};
use crate::model::{Level, Timestamp};
use crate::record::HTTP_STATUS;

fn is_server_error(record: &dyn Fields) -> bool {
    let status = record.field(HTTP_STATUS).and_then(|status| status.as_int());
    status.is_some_and(|status| (500..600).contains(&status))
}

impl Engine {
    /// Shows one record of a service at its event time; the watches that fired come back.
    pub fn on_record(&mut self, service: &str, record: &dyn Fields, time: Timestamp) -> Vec<Fired> {
        self.shown += 1;
        let mut found = std::mem::take(&mut self.found);
        found.clear();
        let own = match self.by_service.is_empty() {
            true => None,
            false => self.by_service.get_mut(service),
        };
        match own {
            Some(own) => {
                own.shown += 1;
                index::candidates(record, &[&self.everywhere, own], &mut found);
            }
            None => index::candidates(record, &[&self.everywhere], &mut found),
        }
        let mut fired = Vec::new();
        if !found.is_empty() {
            self.keep_matching(service, record, &mut found);
            self.count_all(service, record, time, &found, &mut fired);
        }
        self.found = found;
        fired
    }

    /// Of the watches that could match those that do, each once, in the order in which they were
    /// installed.
    fn keep_matching(&self, service: &str, record: &dyn Fields, found: &mut Vec<u32>) {
        let memo = Memo::new(record);
        found.retain(|at| {
            let Some(slot) = self.slot(*at) else {
                return false;
            };
            // An index may still name a slot that has another watch by now.
            let here = match &slot.watch.scope {
                Scope::Everywhere => true,
                Scope::Service(name) => name == service,
            };
            here && slot.asked.replace(self.shown) != self.shown
                && slot.watch.matches.holds_for(&memo)
        });
        if found.len() > 1 {
            found.sort_by_key(|at| self.slot(*at).map_or(0, |slot| slot.number));
        }
    }

    fn count_all(
        &mut self,
        service: &str,
        record: &dyn Fields,
        time: Timestamp,
        found: &[u32],
        fired: &mut Vec<Fired>,
    ) {
        let Some(_) = found.first() else { return };
        let message = record.message();
        for at in found {
            self.mark(*at);
            let full = self.count(*at, service, record, &message, time);
            if full.is_some() && self.is_too_broad(*at) {
                self.tally.too_broad += 1;
                self.take_out(*at, true);
                continue;
            }
            fired.extend(full);
        }
        self.tally.fired += fired.len() as u64;
        if self.windows > self.caps.windows || self.bytes > self.caps.bytes {
            self.make_room();
        }
    }

    fn count(
        &mut self,
        at: u32,
        service: &str,
        record: &dyn Fields,
        message: &str,
        time: Timestamp,
    ) -> Option<Fired> {
        self.tally.matched += 1;
        let slot = self.slots.get_mut(at as usize)?.as_mut()?;
        slot.matched += 1;
        if slot.watch.owner == Owner::Model {
            slot.plain +=
                u64::from(record.level() < Some(Level::Error) && !is_server_error(record));
        }
        let Some(key) = group::key(&slot.watch, service, record, &self.secret) else {
            slot.ungrouped += 1;
            self.tally.ungrouped += 1;
            return None;
        };
        let before = slot.groups.len();
        let counted = slot.groups.get(key);
        counted.used = self.shown;
        let full = counted.count(&slot.watch, message, time);
        let (now, was) = counted.measure();
        let told = full.map(|full| Fired {
            label: slot.watch.label.clone(),
            owner: slot.watch.owner,
            summary: slot.watch.summary.clone(),
            service: service.to_owned(),
            count: slot.watch.threshold,
            window: slot.watch.window,
            first: full.first,
            last: full.last,
            group: group::values(&slot.watch, record),
            lines: counted.lines(),
        });
        if told.is_some() {
            slot.fired += 1;
            slot.last_fired = slot.last_fired.max(Some(time));
        }
        self.bytes = self.bytes + now - was;
        self.windows += slot.groups.len() - before;
        if slot.groups.len() > self.caps.groups {
            let (number, bytes) = slot.groups.drop_idle();
            self.windows -= number;
            self.bytes -= bytes;
            self.tally.groups_dropped += number as u64;
        }
        told
    }

    /// Drops the windows that were idle longest until an eighth of the room is free, so that a
    /// flood costs one sweep in many records.
    fn make_room(&mut self) {
        let mut all: Vec<(u64, u32, u64)> = Vec::with_capacity(self.windows);
        for (at, slot) in (0..).zip(&self.slots) {
            let groups = slot.iter().flat_map(|slot| slot.groups.iter());
            all.extend(groups.map(|(key, counted)| (counted.used, at, key)));
        }
        all.sort_unstable();
        let (windows, bytes) = (self.caps.windows / 8 * 7, self.caps.bytes / 8 * 7);
        for (_, at, key) in all {
            if self.windows <= windows && self.bytes <= bytes {
                break;
            }
            if let Some(slot) = self.slot_mut(at) {
                let freed = slot.groups.drop(key);
                self.bytes -= freed;
                self.windows -= 1;
                self.tally.windows_dropped += 1;
            }
        }
    }
}
