//! A simulated service: steady traffic with everything that steady traffic has, minute by
//! minute, from a seed. Days and weeks cycle, errors come in bursts, jobs run by the clock,
//! deploys restart tasks and put texts into other words. Nothing in it is a fault, but what a
//! test adds.

use autofix::model::{CommitId, Facets, Level, TemplateId, Timestamp};
use autofix::rate::{Book, Change, Occurrence, Place, Slot};
use autofix::template::Novelty;

pub const DAY: i64 = 1_440;
/// A Monday, 00:00 UTC, in minutes since the epoch.
const MONDAY: i64 = 28_401_120;

/// Numbers from a seed (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + self.unit() * (high - low)
    }

    /// Between the two, evenly by order of magnitude.
    pub fn magnitude(&mut self, low: f64, high: f64) -> f64 {
        self.between(low.ln(), high.ln()).exp()
    }

    fn normal(&mut self) -> f64 {
        let (u, v) = (self.unit().max(1e-12), self.unit());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }

    pub fn poisson(&mut self, mean: f64) -> u32 {
        if mean > 60.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u32;
        }
        let (limit, mut product, mut count) = ((-mean).exp(), self.unit(), 0);
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// Gamma with mean 1 (Marsaglia and Tsang); small shapes are bursty.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let lifted = self.gamma(shape + 1.0) * (shape + 1.0);
            return lifted * self.unit().max(1e-12).powf(1.0 / shape) / shape;
        }
        let d = shape - 1.0 / 3.0;
        loop {
            let x = self.normal();
            let v = (1.0 + x / (9.0 * d).sqrt()).powi(3);
            if v > 0.0 && self.unit().max(1e-12).ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v / shape;
            }
        }
    }
}

/// How an error comes.
#[derive(Clone, Debug)]
enum Manner {
    /// With the traffic, so many a minute; the smaller the shape, the more bursty.
    Steady { rate: f64, shape: f64 },
    /// So many a day, alone.
    Rare { per_day: f64 },
    /// So many clumps a day, of a size, over some minutes.
    Clumps { per_day: f64, size: f64, over: i64 },
    /// A job at a minute of each hour, over some minutes.
    Hourly { at: i64, size: f64, over: i64 },
    /// A job at a minute of each day.
    Daily { at: i64, size: f64, over: i64 },
    /// In working hours of working days.
    Office { rate: f64 },
    /// With each deploy, for some minutes.
    Deploys { size: f64, over: i64 },
}

#[derive(Clone, Debug)]
struct Fault {
    template: u64,
    manner: Manner,
    /// A deploy puts it into other words.
    reworded: bool,
    clump: Option<(i64, f64)>,
}

/// Something that a test adds.
#[derive(Clone, Copy, Debug)]
pub enum Injected {
    /// A new error, so many a minute.
    New { rate: f64 },
    /// The `nth` steady error, times so much.
    Rise { nth: usize, times: f64 },
}

/// A signal of kind rate, with the minute it came in.
#[derive(Clone, Debug)]
pub struct Signalled {
    pub minute: i64,
    pub rate: autofix::rate::Rate,
    pub manner: String,
}

pub struct Service {
    dice: Dice,
    pub book: Book,
    /// Minutes since the start.
    pub minute: i64,
    start: i64,
    base: f64,
    swing: f64,
    weekend: f64,
    phase: f64,
    growth: f64,
    faults: Vec<Fault>,
    deploys_a_week: f64,
    deployed: i64,
    version: u64,
    has_commits: bool,
    pub injected: Option<(i64, Injected)>,
    pub signalled: Vec<Signalled>,
    pub deploy_words: Vec<autofix::rate::Deploy>,
    pub gone: usize,
}

impl Service {
    /// `base`: lines a minute, beside errors.
    pub fn new(seed: u64, base: f64) -> Service {
        let mut dice = Dice::new(seed);
        let mut faults = Vec::new();
        let mut fault = |manner, reworded| {
            let template = 1_000 + faults.len() as u64;
            faults.push(Fault {
                template,
                manner,
                reworded,
                clump: None,
            });
        };
        for nth in 0..8 {
            let rate = dice.magnitude(0.02, 6.0);
            let shape = dice.magnitude(0.1, 20.0);
            fault(Manner::Steady { rate, shape }, nth < 3);
        }
        for _ in 0..12 {
            let per_day = dice.magnitude(0.1, 10.0);
            fault(Manner::Rare { per_day }, false);
        }
        for _ in 0..3 {
            let (per_day, size) = (dice.magnitude(0.2, 4.0), dice.magnitude(10.0, 200.0));
            let over = dice.between(1.0, 4.0) as i64;
            fault(
                Manner::Clumps {
                    per_day,
                    size,
                    over,
                },
                false,
            );
        }
        let (at, size) = (dice.between(0.0, 50.0) as i64, dice.magnitude(5.0, 150.0));
        let over = dice.between(1.0, 6.0) as i64;
        fault(Manner::Hourly { at, size, over }, false);
        let (at, size) = (
            dice.between(0.0, 1_400.0) as i64,
            dice.magnitude(20.0, 600.0),
        );
        let over = dice.between(2.0, 20.0) as i64;
        fault(Manner::Daily { at, size, over }, false);
        let rate = dice.magnitude(0.1, 3.0);
        fault(Manner::Office { rate }, false);
        for _ in 0..2 {
            let (size, over) = (dice.magnitude(5.0, 300.0), dice.between(1.0, 7.0) as i64);
            fault(Manner::Deploys { size, over }, false);
        }
        // Some services are first seen at night, some at noon, some at the weekend.
        let start = MONDAY + dice.between(0.0, 7.0 * DAY as f64) as i64;
        Service {
            base,
            swing: dice.between(0.1, 0.95),
            weekend: dice.between(0.2, 1.1),
            phase: dice.unit(),
            growth: dice.between(-0.01, 0.04),
            deploys_a_week: dice.between(0.0, 15.0),
            has_commits: dice.unit() < 0.5,
            deployed: i64::MIN / 2,
            version: 1,
            faults,
            start,
            minute: 0,
            book: Book::new(autofix::rate::Limits::default()),
            injected: None,
            signalled: Vec::new(),
            deploy_words: Vec::new(),
            gone: 0,
            dice,
        }
    }

    /// Adds a steady error that a test can raise, as the `nth` of them.
    pub fn with_error(mut self, rate: f64, shape: f64) -> Service {
        self.faults.insert(
            0,
            Fault {
                template: 999,
                manner: Manner::Steady { rate, shape },
                reworded: false,
                clump: None,
            },
        );
        self
    }

    /// Traffic at this minute, as a multiple of the base.
    fn load(&self) -> f64 {
        let now = self.start + self.minute;
        let day = (now.rem_euclid(DAY) as f64 / DAY as f64 + self.phase) * std::f64::consts::TAU;
        let weekend = (now - MONDAY).rem_euclid(7 * DAY) >= 5 * DAY;
        let week = if weekend { self.weekend } else { 1.0 };
        let grown = 1.0 + self.growth * self.minute as f64 / DAY as f64;
        (1.0 - self.swing * day.cos()) * week * grown
    }

    pub fn run(&mut self, minutes: i64) {
        for _ in 0..minutes {
            self.one_minute();
            self.minute += 1;
        }
    }

    fn one_minute(&mut self) {
        let load = self.load();
        self.maybe_deploy();
        let mut records: Vec<(u64, Level, u32)> = Vec::new();
        let jitter = self.dice.gamma(30.0);
        for info in 0..6u64 {
            let mean = self.base * load * jitter / f64::from(1 << (info + 1));
            records.push((info, Level::Info, self.dice.poisson(mean)));
        }
        for at in 0..self.faults.len() {
            let count = self.errors_of(at, load);
            records.push((self.template_of(at), Level::Error, count));
        }
        if let Some((since, Injected::New { rate })) = self.injected
            && self.minute >= since
        {
            records.push((77_777, Level::Error, self.dice.poisson(rate)));
        }
        self.write(&records);
    }

    fn maybe_deploy(&mut self) {
        let now = self.start + self.minute;
        let office = (480..1_080).contains(&now.rem_euclid(DAY));
        let weekday = (now - MONDAY).rem_euclid(7 * DAY) < 5 * DAY;
        let chance = self.deploys_a_week / (5.0 * 600.0);
        if office && weekday && self.minute - self.deployed > 60 && self.dice.unit() < chance {
            self.deployed = self.minute;
            self.version += 1;
            for task in 0..4 {
                let time = Timestamp::from_parts(now * 60, 0);
                let instance = self.version * 100 + task;
                let found = self.book.started(Slot::Name(1), instance, time);
                assert_eq!(found, None, "a deploy is no restart loop");
            }
        }
    }

    fn template_of(&self, at: usize) -> u64 {
        let fault = &self.faults[at];
        // Every third deploy another text.
        let version = if fault.reworded { self.version / 3 } else { 0 };
        fault.template + version * 10_000
    }

    fn errors_of(&mut self, at: usize, load: f64) -> u32 {
        let now = self.start + self.minute;
        let fault = self.faults[at].clone();
        let spread = |size: f64, over: i64| size / over.max(1) as f64;
        let mean = match fault.manner {
            Manner::Steady { rate, shape } => {
                let times = match self.injected {
                    Some((since, Injected::Rise { nth, times }))
                        if nth == at && self.minute >= since =>
                    {
                        times
                    }
                    _ => 1.0,
                };
                rate * load * times * self.dice.gamma(shape)
            }
            Manner::Rare { per_day } => per_day / DAY as f64,
            Manner::Clumps {
                per_day,
                size,
                over,
            } => {
                if self.dice.unit() < per_day / DAY as f64 {
                    let size = size * self.dice.gamma(2.0);
                    self.faults[at].clump = Some((self.minute + over, spread(size, over)));
                }
                match self.faults[at].clump {
                    Some((until, rate)) if self.minute < until => rate,
                    _ => 0.0,
                }
            }
            Manner::Hourly { at, size, over } => {
                let inside = (at..at + over).contains(&now.rem_euclid(60));
                if inside { spread(size, over) } else { 0.0 }
            }
            Manner::Daily { at, size, over } => {
                let inside = (at..at + over).contains(&now.rem_euclid(DAY));
                if inside { spread(size, over) } else { 0.0 }
            }
            Manner::Office { rate } => {
                let office = (480..1_080).contains(&now.rem_euclid(DAY));
                let weekday = (now - MONDAY).rem_euclid(7 * DAY) < 5 * DAY;
                if office && weekday { rate } else { 0.0 }
            }
            Manner::Deploys { size, over } => {
                let since = self.minute - self.deployed;
                if (0..over).contains(&since) {
                    spread(size, over)
                } else {
                    0.0
                }
            }
        };
        self.dice.poisson(mean)
    }

    fn write(&mut self, records: &[(u64, Level, u32)]) {
        let second = (self.start + self.minute) * 60;
        // During a rollout both versions write.
        let mixed = self.minute - self.deployed < 10;
        let commits = [self.version - 1, self.version]
            .map(|version| CommitId::parse(&format!("{version:040x}")).unwrap());
        let mut nth = 0i64;
        for (template, level, count) in records {
            for _ in 0..*count {
                nth += 1;
                let old = mixed && self.dice.unit() < 0.5;
                let facets = Facets {
                    level: Some(*level),
                    ..Facets::default()
                };
                let occurrence = Occurrence {
                    template: TemplateId::new(*template),
                    facets,
                    error: facets.is_error(),
                    time: Timestamp::from_parts(second + nth % 60, 0),
                    bytes: 100,
                    commit: self.has_commits.then(|| &commits[usize::from(!old)]),
                    request: false,
                    novelty: Novelty::Known,
                    slot: Slot::Name(1),
                    place: Place::default(),
                };
                let mut change = self.book.observe(&occurrence);
                while let Some(found) = change {
                    self.take(found);
                    change = self.book.next_change();
                }
            }
        }
    }

    fn take(&mut self, change: Change) {
        match change {
            Change::Rate(rate) => {
                let number = rate.entry.template.number() % 10_000;
                let of = self.faults.iter().find(|fault| fault.template == number);
                self.signalled.push(Signalled {
                    minute: self.minute,
                    rate,
                    manner: of.map_or("injected".to_owned(), |fault| format!("{fault:?}")),
                });
            }
            Change::Deploy(deploy) => self.deploy_words.push(*deploy),
            Change::Gone(_) => self.gone += 1,
            Change::Novel(_) | Change::Changed(_) => {}
        }
    }
}
