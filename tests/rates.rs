//! Rates, measured: steady traffic that is no fault, and faults in it. Everything runs in event
//! time from fixed seeds. The reduced set runs always; the whole one with
//! `cargo test --release --test rates -- --ignored --nocapture`.

#[path = "rates/bill.rs"]
mod bill;
#[path = "rates/kept.rs"]
mod kept;
#[path = "rates/simulated.rs"]
mod simulated;

use simulated::{DAY, Injected, Service};

/// False rate signals, and `worse` deploys, in so many service-weeks.
fn steady(services: u64, weeks: i64, base: f64, verbose: bool) -> (usize, usize, usize) {
    let (mut signals, mut worst, mut worse) = (0, 0, 0);
    for seed in 0..services {
        let mut service = Service::new(seed, base);
        for week in 0..weeks {
            service.run(7 * DAY);
            let of_week = |at: i64| at / (7 * DAY) == week;
            let found = service.signalled.iter().filter(|s| of_week(s.minute));
            worst = worst.max(found.count());
        }
        signals += service.signalled.len();
        worse += service
            .deploy_words
            .iter()
            .filter(|d| d.is_alarming())
            .count();
        if verbose {
            for found in &service.signalled {
                let day = found.minute as f64 / DAY as f64;
                println!(
                    "seed {seed} day {day:.2}: {} {:?} {}",
                    found.rate.reason(),
                    found.rate.ln_chance,
                    found.manner
                );
            }
            for word in service.deploy_words.iter().filter(|d| d.is_alarming()) {
                println!("seed {seed}: {}", word.reason());
            }
        }
    }
    (signals, worst, worse)
}

/// Minutes until the injected fault was signalled, over seeds; `None`: not within an hour.
fn delays(
    seeds: u64,
    after: i64,
    base: f64,
    error: (f64, f64),
    what: Injected,
) -> Vec<Option<i64>> {
    (100..100 + seeds)
        .map(|seed| {
            let mut service = Service::new(seed, base).with_error(error.0, error.1);
            service.run(after);
            service.signalled.clear();
            service.injected = Some((service.minute, what));
            let begun = service.minute;
            service.run(62);
            let wanted = match what {
                Injected::New { .. } => 77_777,
                Injected::Rise { .. } => 999,
            };
            let of = |s: &&simulated::Signalled| s.rate.entry.template.number() == wanted;
            service
                .signalled
                .iter()
                .find(of)
                .map(|found| found.minute - begun)
        })
        .collect()
}

#[test]
fn steady_weeks_make_hardly_any_signal() {
    let (signals, worst, worse) = steady(3, 2, 12.0, true);
    assert!(signals <= 3 && worst <= 1, "{signals}, {worst} in one week");
    assert_eq!(worse, 0);
}

#[test]
#[ignore = "minutes; run it with --release"]
fn many_steady_weeks() {
    let (services, weeks) = (60, 4);
    let (signals, worst, worse) = steady(services, weeks, 60.0, true);
    let all = services as f64 * weeks as f64;
    println!(
        "{signals} false rate signals in {all} service-weeks ({:.3} a week), at most {worst} in \
         one; {worse} deploys called worse",
        signals as f64 / all
    );
    assert!((signals as f64) < all && worst <= 2);
}

fn median(delays: &[Option<i64>]) -> (usize, Option<i64>, Option<i64>) {
    let mut found: Vec<i64> = delays.iter().flatten().copied().collect();
    found.sort_unstable();
    (
        found.len(),
        found.get(found.len() / 2).copied(),
        found.last().copied(),
    )
}

#[test]
#[ignore = "minutes; run it with --release"]
fn many_faults() {
    let rise = |times| Injected::Rise { nth: 0, times };
    for (name, error, what) in [
        ("1/min, 5x", (1.0, 20.0), rise(5.0)),
        ("1/min, 10x", (1.0, 20.0), rise(10.0)),
        ("5/min, 5x", (5.0, 20.0), rise(5.0)),
        ("5/min, 10x", (5.0, 20.0), rise(10.0)),
        ("1/min bursty, 10x", (1.0, 0.5), rise(10.0)),
        ("0.1/min, 10x", (0.1, 20.0), rise(10.0)),
        ("new, 10/min", (1.0, 20.0), Injected::New { rate: 10.0 }),
        ("new, 60/min", (1.0, 20.0), Injected::New { rate: 60.0 }),
        ("new, 600/min", (1.0, 20.0), Injected::New { rate: 600.0 }),
    ] {
        for (age, after) in [("2 days", 2 * DAY), ("9 days", 9 * DAY + 600)] {
            let found = delays(30, after, 60.0, error, what);
            let (count, median, worst) = median(&found);
            println!("{name} after {age}: {count} of 30, median {median:?} min, worst {worst:?}");
        }
    }
}
