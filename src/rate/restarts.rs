//! A service that restarts in a loop, told from ends, from new containers in the place of silent
//! ones, and from the banner that a program prints when it starts. Not here: what a line that
//! tells of an end looks like (`triage`).

use crate::model::{Kind, TemplateId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::time::Duration;

/// Restarts that make a loop, within [`WINDOW`].
const RESTARTS: usize = 4;
/// Kubernetes waits 10, 20, 40, 80, 160 s between restarts: five of them fit in.
const WINDOW: Duration = Duration::from_secs(600);
/// The same number within this is a loop too where each restart followed a bad end: Kubernetes
/// waits 300 s in the long run.
const LONG_WINDOW: Duration = Duration::from_secs(1_800);
/// A loop that goes on is said again after this long without a restart.
const QUIET: Duration = Duration::from_secs(3_600);
/// A program that lives longer than this and then ends is in no loop.
const SHORT_LIFE: Duration = Duration::from_secs(600);
/// The same end is often told twice: by the program and by the platform.
const SAME_END: Duration = Duration::from_secs(5);
/// How long after an end the next line may be a banner.
const BANNER: Duration = Duration::from_secs(600);

const MAX_SLOTS: usize = 1_024;
/// Programs of one name that run at once and are told apart.
const MAX_RUNNING: usize = 64;
/// Slots of which a banner is waited for at once.
const MAX_WAITING: usize = 16;
const MAX_TIMES: usize = 16;

/// A place in which one program runs after the other. The number is a hash of names that the
/// host set; never of log text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Slot {
    /// A pod's container (hash of namespace, pod and container name): a new container in the
    /// same pod is a restart, however the one before ended.
    Pod(u64),
    /// A name that programs bear one after the other or at once (task family, container name,
    /// systemd unit): a new one may as well be a copy, or the next run of a timer.
    Name(u64),
}

/// A service that restarts in a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loop {
    pub slot: Slot,
    /// Restarts within the window.
    pub restarts: u32,
    pub first: Timestamp,
    pub last: Timestamp,
    /// How the program ended, where a line told.
    pub end: Option<Kind>,
}

impl Loop {
    /// The rule that decided, as a sentence.
    pub fn reason(&self) -> String {
        let minutes = self.last.since(self.first).as_secs().div_ceil(60).max(1);
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        let end = match self.end {
            Some(Kind::Oom) => ", killed for its memory",
            Some(Kind::Crash) => ", after a crash",
            Some(Kind::Exit) => ", after an exit status other than 0",
            Some(Kind::Environment) => ", after a fault that is not its own",
            Some(Kind::Error | Kind::Watch | Kind::Rate) | None => "",
        };
        format!(
            "restarted {} times within {minutes} {unit}{end}",
            self.restarts
        )
    }
}

/// Starts and ends of one service's programs.
#[derive(Debug, Default)]
pub struct Restarts {
    slots: Vec<State>,
    /// Slots that ended and were not yet heard of again, with the time of the end.
    waiting: Vec<(Slot, Timestamp)>,
    clock: u64,
}

/// What is known of one slot.
#[derive(Debug)]
struct State {
    slot: Slot,
    /// Those that were seen to start, newest last, with the time.
    running: VecDeque<(u64, Timestamp)>,
    /// Newest last; whether a bad end came before.
    restarts: VecDeque<(Timestamp, bool)>,
    ended: Option<(u64, Timestamp)>,
    end: Option<Kind>,
    /// The template of the first line after the last end, and how often it was seen by then.
    banner: Option<(TemplateId, u64)>,
    said: Option<Timestamp>,
    used: u64,
}

impl Restarts {
    /// A program began to write: its stream is new. `instance` is a hash of the container's id
    /// (or of the process id, for a unit of systemd). The same instance again counts once.
    pub fn started(&mut self, slot: Slot, instance: u64, time: Timestamp) -> Option<Loop> {
        let state = self.state(slot);
        if state.running.iter().any(|(known, _)| *known == instance) {
            return None;
        }
        // In a pod one container follows the other. A name may have many at once: there it is
        // the short life of one that counts, see `ended`.
        let restart = match slot {
            Slot::Pod(_) => !state.running.is_empty(),
            Slot::Name(_) => false,
        };
        state.running.push_back((instance, time));
        if state.running.len() > MAX_RUNNING {
            state.running.pop_front();
        }
        let bad = state.ended.take().is_some();
        let found = restart.then(|| state.restarted(time, bad)).flatten();
        self.waiting.retain(|(waits, _)| *waits != slot);
        found
    }

    /// A line told that a program ended: a crash, a kill for memory, an exit status other than 0.
    pub fn ended(
        &mut self,
        slot: Slot,
        instance: u64,
        kind: Kind,
        time: Timestamp,
    ) -> Option<Loop> {
        let state = self.state(slot);
        let told = state
            .ended
            .is_some_and(|(who, at)| who == instance && apart(time, at) < SAME_END);
        if told {
            return None;
        }
        state.ended = Some((instance, time));
        state.end = Some(kind);
        match slot {
            // The new container will be seen.
            Slot::Pod(_) => None,
            Slot::Name(_) => {
                let counted = state.is_short_life(instance, time);
                let found = counted.then(|| state.restarted(time, true)).flatten();
                self.waiting.retain(|(waits, _)| *waits != slot);
                if !counted && self.waiting.len() < MAX_WAITING {
                    self.waiting.push((slot, time));
                }
                found
            }
        }
    }

    /// Whether the next line of some slot may be a banner; the caller asks before every line.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// A line of a slot, neither an error nor an answer to a request. The first one after an end
    /// is a banner when it followed the end before too and was not seen between the two: `seen`
    /// is how often its template was seen at all.
    pub fn line(
        &mut self,
        slot: Slot,
        template: TemplateId,
        seen: u64,
        time: Timestamp,
    ) -> Option<Loop> {
        self.waiting.retain(|(_, at)| apart(time, *at) <= BANNER);
        let at = self.waiting.iter().position(|(waits, _)| *waits == slot)?;
        self.waiting.swap_remove(at);
        let state = self.slots.iter_mut().find(|state| state.slot == slot)?;
        let before = state.banner.replace((template, seen));
        let alike = before.is_none_or(|(known, count)| known == template && seen <= count + 1);
        if !alike {
            state.restarts.clear();
        }
        state.restarted(time, true)
    }

    pub fn bytes(&self) -> usize {
        self.slots.len() * (size_of::<State>() + 512)
    }

    fn state(&mut self, slot: Slot) -> &mut State {
        self.clock += 1;
        let clock = self.clock;
        let at = match self.slots.iter().position(|state| state.slot == slot) {
            Some(at) => at,
            None => self.new_slot(slot),
        };
        let state = &mut self.slots[at];
        state.used = clock;
        state
    }

    fn new_slot(&mut self, slot: Slot) -> usize {
        let fresh = State {
            slot,
            running: VecDeque::new(),
            restarts: VecDeque::new(),
            ended: None,
            end: None,
            banner: None,
            said: None,
            used: 0,
        };
        if self.slots.len() < MAX_SLOTS {
            self.slots.push(fresh);
            return self.slots.len() - 1;
        }
        let oldest = (0..self.slots.len())
            .min_by_key(|at| self.slots[*at].used)
            .unwrap_or(0);
        self.slots[oldest] = fresh;
        oldest
    }
}

impl State {
    /// Whether a program of this name ended soon after its start, which was seen.
    fn is_short_life(&mut self, instance: u64, time: Timestamp) -> bool {
        let at = self.running.iter().position(|(who, _)| *who == instance);
        let lived = at.and_then(|at| self.running.remove(at));
        lived.is_some_and(|(_, started)| apart(time, started) <= SHORT_LIFE)
    }

    fn restarted(&mut self, time: Timestamp, bad: bool) -> Option<Loop> {
        // A clock that jumped: what lies apart by more than the window counts no more, on
        // either side.
        self.restarts
            .retain(|(at, _)| apart(time, *at) <= LONG_WINDOW);
        self.restarts.push_back((time, bad));
        if self.restarts.len() > MAX_TIMES {
            self.restarts.pop_front();
        }
        let within = |window, bad_only: bool| {
            self.restarts
                .iter()
                .filter(move |(at, bad)| apart(time, *at) <= window && (*bad || !bad_only))
        };
        let short = within(WINDOW, false).count() >= RESTARTS;
        let long = within(LONG_WINDOW, true).count() >= RESTARTS;
        if !(short || long) {
            return None;
        }
        let going_on = self.said.is_some_and(|said| apart(time, said) < QUIET);
        self.said = Some(time);
        if going_on {
            return None;
        }
        let times = self.restarts.iter().map(|(at, _)| *at);
        Some(Loop {
            slot: self.slot,
            restarts: self.restarts.len() as u32,
            first: times.clone().min()?,
            last: times.max()?,
            end: self.end,
        })
    }
}

fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(1_700_000_000 + seconds, 0)
    }

    const POD: Slot = Slot::Pod(1);
    const NAME: Slot = Slot::Name(1);

    #[test]
    fn a_pod_in_crash_loop_back_off_is_caught_once() {
        let mut restarts = Restarts::default();
        let mut time = 0;
        let mut found = Vec::new();
        let waits = [0, 10, 20, 40, 80, 160, 300, 300, 300, 300, 300];
        for (instance, wait) in waits.iter().enumerate() {
            time += wait + 2;
            found.extend(restarts.started(POD, instance as u64, at(time)));
        }
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].restarts, 4);
        assert!(found[0].last <= at(170), "{found:?}");
        assert_eq!(found[0].reason(), "restarted 4 times within 3 minutes");
    }

    #[test]
    fn the_long_run_of_back_off_is_caught_where_ends_are_told() {
        let mut restarts = Restarts::default();
        let mut found = Vec::new();
        for instance in 0..8u64 {
            let time = instance as i64 * 305;
            found.extend(restarts.started(POD, instance, at(time)));
            found.extend(restarts.ended(POD, instance, Kind::Crash, at(time + 3)));
        }
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].reason().ends_with("after a crash"));
    }

    #[test]
    fn scaling_out_is_no_loop() {
        let mut restarts = Restarts::default();
        for instance in 0..50 {
            assert_eq!(restarts.started(NAME, instance, at(1)), None);
            assert_eq!(restarts.started(Slot::Pod(instance), instance, at(1)), None);
        }
    }

    #[test]
    fn a_rolling_deploy_is_no_loop_although_the_old_tasks_say_how_they_ended() {
        let mut restarts = Restarts::default();
        for task in 0..20u64 {
            assert_eq!(restarts.started(NAME, task, at(0)), None);
        }
        for task in 0..20u64 {
            let time = 86_400 + task as i64 * 20;
            assert_eq!(restarts.started(NAME, 100 + task, at(time)), None);
            let ended = restarts.ended(NAME, task, Kind::Exit, at(time + 10));
            assert_eq!(ended, None);
        }
    }

    #[test]
    fn a_job_every_minute_is_a_loop_only_when_it_fails() {
        let mut restarts = Restarts::default();
        for run in 0..100u64 {
            let started = restarts.started(NAME, run, at(run as i64 * 60));
            assert_eq!(started, None);
        }
        let mut found = Vec::new();
        for run in 200..210u64 {
            let time = run as i64 * 60;
            found.extend(restarts.started(NAME, run, at(time)));
            found.extend(restarts.ended(NAME, run, Kind::Exit, at(time + 5)));
        }
        assert_eq!(found.len(), 1);
    }

    /// docker's restart policy: the same container, the same stream.
    #[test]
    fn a_banner_after_each_crash_is_a_restart_and_daily_work_is_not() {
        let (banner, work) = (TemplateId::new(1), TemplateId::new(2));
        let run = |template, seen_by: fn(u64) -> u64| {
            let mut restarts = Restarts::default();
            let mut found = Vec::new();
            for crash in 0..6u64 {
                let time = crash as i64 * 60;
                found.extend(restarts.ended(NAME, 7, Kind::Crash, at(time)));
                // The platform tells it once more.
                found.extend(restarts.ended(NAME, 7, Kind::Exit, at(time + 1)));
                assert!(restarts.is_waiting());
                let seen = seen_by(crash);
                found.extend(restarts.line(NAME, template, seen, at(time + 5)));
                assert!(!restarts.is_waiting());
            }
            found.len()
        };
        assert_eq!(run(banner, |crash| crash + 2), 1);
        assert_eq!(run(work, |crash| 1_000 + crash * 50), 0);
    }

    #[test]
    fn the_same_container_in_two_streams_started_once() {
        let mut restarts = Restarts::default();
        for _ in 0..20 {
            assert_eq!(restarts.started(POD, 5, at(0)), None);
        }
    }

    #[test]
    fn hostile_times_and_floods_of_slots_are_bounded() {
        let mut restarts = Restarts::default();
        for step in 0..20_000i64 {
            let time = Timestamp(step.wrapping_mul(i64::MAX / 7));
            let slot = Slot::Name(step as u64);
            restarts.started(slot, step as u64, time);
            restarts.ended(slot, step as u64, Kind::Crash, time);
            restarts.ended(NAME, step as u64, Kind::Crash, time);
        }
        assert!(restarts.slots.len() <= MAX_SLOTS);
        assert!(restarts.waiting.len() <= MAX_WAITING);
        assert!(restarts.bytes() < 1 << 20);
    }
}
