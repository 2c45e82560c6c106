//! The book as the fast lane uses it: novelty, silence, floods, clocks, deploys, restarts of
//! autofix itself.

use super::*;
use crate::model::{CommitId, Facets, Level, SmallText};
use crate::rate::deploy::Verdict;
use crate::rate::learnt::Learnt;

const START: i64 = 28_401_120;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_parts((START + minute) * 60, 0)
}

fn info(template: u64, time: Timestamp) -> Occurrence<'static> {
    Occurrence {
        template: TemplateId::new(template),
        facets: Facets::default(),
        error: false,
        time,
        bytes: 10,
        commit: None,
        request: false,
        novelty: Novelty::Known,
        slot: Slot::Name(1),
        place: Place::default(),
    }
}

fn error(template: u64, time: Timestamp) -> Occurrence<'static> {
    let facets = Facets {
        level: Some(Level::Error),
        ..Facets::default()
    };
    Occurrence {
        facets,
        error: true,
        ..info(template, time)
    }
}

fn all(book: &mut Book, record: &Occurrence<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> = book.observe(record).into_iter().collect();
    changes.extend(std::iter::from_fn(|| book.next_change()));
    changes
}

/// Two days of ten records and one error a minute.
fn settled() -> Book {
    let mut book = Book::new(Limits::default());
    for minute in 0..2_900 {
        for template in 1..=10 {
            book.observe(&info(template, at(minute)));
        }
        book.observe(&error(100, at(minute)));
        while book.next_change().is_some() {}
    }
    book.take_news();
    book
}

fn is_rate(change: &Change) -> bool {
    matches!(change, Change::Rate(_))
}

#[test]
fn an_entry_is_novel_once_and_facets_part_entries() {
    let mut book = Book::new(Limits::default());
    assert!(matches!(
        all(&mut book, &info(1, at(0)))[..],
        [Change::Novel(_)]
    ));
    assert!(all(&mut book, &info(1, at(0))).is_empty());
    let found = all(&mut book, &error(1, at(0)));
    assert!(
        matches!(found[..], [Change::Novel(entry)] if entry.facets.level == Some(Level::Error))
    );
    let more = Occurrence {
        novelty: Novelty::Changed,
        ..info(1, at(1))
    };
    assert!(matches!(all(&mut book, &more)[..], [Change::Changed(_)]));
    let news = book.take_news();
    let what: Vec<What> = news.iter().map(|news| news.what).collect();
    assert_eq!(what, [What::Novel, What::Novel, What::Changed]);
    assert_eq!(news[0].count, 3);
    assert_eq!(news[0].last_seen, at(1));
    assert!(book.take_news().is_empty());
}

#[test]
fn a_regular_entry_that_falls_silent_is_gone_once() {
    let mut book = settled();
    let mut gone = Vec::new();
    for minute in 2_900..3_400 {
        for template in 2..=10 {
            let found = all(&mut book, &info(template, at(minute)));
            gone.extend(found.into_iter().filter_map(|change| match change {
                Change::Gone(gone) => Some((gone.entry.template.number(), minute)),
                _ => None,
            }));
        }
    }
    gone.sort_unstable();
    let names: Vec<u64> = gone.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, [1, 100], "{gone:?}");
    assert!(
        gone.iter().all(|(_, minute)| *minute < 2_900 + 130),
        "{gone:?}"
    );
}

#[test]
fn a_rise_is_told_once_with_its_numbers() {
    let mut book = settled();
    let mut told = Vec::new();
    for minute in 2_900..2_960 {
        for template in 1..=10 {
            told.extend(all(&mut book, &info(template, at(minute))));
        }
        for _ in 0..10 {
            told.extend(all(&mut book, &error(100, at(minute))));
        }
    }
    let rates: Vec<&Change> = told.iter().filter(|change| is_rate(change)).collect();
    let [Change::Rate(rate)] = rates[..] else {
        panic!("{rates:?}");
    };
    assert!(rate.last < at(2_908), "{rate:?}");
    assert!((4.0..6.0).contains(&rate.expected), "{rate:?}");
    assert!(rate.seen >= 30 && !rate.novel);
    assert!(rate.reason().contains("its own past lets expect"));
}

#[test]
fn all_that_rises_together_is_one_signal() {
    let mut book = settled();
    let mut told = Vec::new();
    for minute in 2_900..2_960 {
        told.extend(all(&mut book, &info(1, at(minute))));
        for template in 200..205 {
            for _ in 0..20 {
                told.extend(all(&mut book, &error(template, at(minute))));
            }
        }
    }
    let rates: Vec<&Change> = told.iter().filter(|change| is_rate(change)).collect();
    let [Change::Rate(rate)] = rates[..] else {
        panic!("{rates:?}");
    };
    assert_eq!(rate.also, 4);
    assert!(rate.novel);
}

#[test]
fn more_errors_with_more_traffic_are_no_rise() {
    let mut book = settled();
    for minute in 2_900..2_960 {
        for _ in 0..10 {
            for template in 1..=10 {
                assert!(
                    !all(&mut book, &info(template, at(minute)))
                        .iter()
                        .any(is_rate)
                );
            }
            assert!(!all(&mut book, &error(100, at(minute))).iter().any(is_rate));
        }
    }
}

#[test]
fn the_first_hours_are_quiet_and_a_strong_fault_is_heard() {
    let mut book = Book::new(Limits::default());
    let mut told = Vec::new();
    for minute in 0..45 {
        for _ in 0..20 {
            told.extend(all(&mut book, &info(1, at(minute))));
            // A noisy service: every other record is an error, from its first minute on.
            told.extend(all(&mut book, &error(100, at(minute))));
        }
    }
    assert!(!told.iter().any(is_rate));
    for minute in 45..60 {
        for _ in 0..60 {
            told.extend(all(&mut book, &info(1, at(minute))));
            told.extend(all(&mut book, &error(101, at(minute))));
        }
    }
    assert_eq!(told.iter().filter(|change| is_rate(change)).count(), 1);
}

#[test]
fn a_flood_of_made_up_entries_evicts_nothing_learnt() {
    let mut book = settled();
    let before = book.table.find(&Entry {
        template: TemplateId::new(100),
        facets: error(100, at(0)).facets,
    });
    for made_up in 0..200_000u64 {
        let minute = 2_900 + made_up as i64 / 50_000;
        let record = if made_up % 2 == 0 {
            info(1_000_000 + made_up, at(minute))
        } else {
            error(1_000_000 + made_up, at(minute))
        };
        book.observe(&record);
        while book.next_change().is_some() {}
    }
    assert!(book.len() <= Limits::default().entries);
    assert!(book.bytes() <= Limits::default().bytes, "{}", book.bytes());
    assert!(book.evicted() > 100_000 && book.news_lost() > 0);
    for template in 1..=10 {
        assert!(
            all(&mut book, &info(template, at(2_905))).is_empty(),
            "{template}"
        );
    }
    assert!(before.is_some());
    assert!(all(&mut book, &error(100, at(2_905))).is_empty());
    let bill: u64 = book.export().bill().iter().map(|line| line.lines).sum();
    assert_eq!(
        bill,
        2_900 * 11 + 200_000 + 11,
        "nothing is lost on the bill"
    );
}

#[test]
fn values_out_of_records_make_no_endless_entries() {
    let mut book = Book::new(Limits::default());
    for value in 0..10_000 {
        let facets = Facets {
            code: SmallText::new(&value.to_string()),
            ..Facets::default()
        };
        let record = Occurrence {
            facets,
            ..info(1, at(0))
        };
        book.observe(&record);
    }
    assert!(book.len() <= 65, "{}", book.len());
}

#[test]
fn clocks_that_jump_fire_nothing_and_grow_nothing() {
    let mut book = settled();
    let (len, bytes) = (book.len(), book.bytes());
    let mut told = Vec::new();
    // Back an hour and a half, two days ahead, back again, and a stream that is always late.
    for (from, to) in [(2_810, 2_850), (5_780, 5_830), (2_830, 2_890)] {
        for minute in from..to {
            for template in 1..=10 {
                told.extend(all(&mut book, &info(template, at(minute))));
                told.extend(all(&mut book, &info(template, at(minute - 500))));
            }
            told.extend(all(&mut book, &error(100, at(minute))));
        }
    }
    for step in 0..5_000i64 {
        let time = Timestamp(step.wrapping_mul(i64::MAX / 7));
        told.extend(all(&mut book, &error(100, time)));
    }
    assert!(told.is_empty(), "{told:?}");
    assert!(book.astray() > 0);
    assert!(book.len() == len && book.bytes() <= bytes + 8_192);
}

#[test]
fn a_restart_forgets_nothing() {
    let book = settled();
    let text = serde_json::to_string(&book.export()).unwrap();
    assert!(text.len() < Limits::default().export);
    let learnt: Learnt = serde_json::from_str(&text).unwrap();
    assert_eq!(learnt, book.export());
    let mut again = Book::load(Limits::default(), learnt);
    let mut told = Vec::new();
    for minute in 2_910..2_960 {
        for template in 1..=10 {
            told.extend(all(&mut again, &info(template, at(minute))));
        }
        for _ in 0..10 {
            told.extend(all(&mut again, &error(100, at(minute))));
        }
    }
    assert!(
        matches!(told[..], [Change::Rate(rate)] if !rate.novel),
        "{told:?}"
    );
    let mut newer = book.export();
    newer.version = 99;
    assert!(Book::load(Limits::default(), newer).is_empty());
}

#[test]
fn exported_state_is_bounded() {
    let limits = Limits {
        export: 100_000,
        ..Limits::default()
    };
    let mut book = Book::new(limits);
    for minute in 0..200 {
        for template in 0..2_000 {
            book.observe(&error(template, at(minute)));
        }
    }
    let text = serde_json::to_string(&book.export()).unwrap();
    assert!(text.len() < 130_000, "{}", text.len());
    let lines: u64 = book.export().bill().iter().map(|line| line.lines).sum();
    assert_eq!(lines, 400_000);
}

fn of<'a>(commit: &'a CommitId, record: Occurrence<'a>) -> Occurrence<'a> {
    Occurrence {
        commit: Some(commit),
        ..record
    }
}

/// An hour of the old commit, then a rollout in which the new one has an error of its own,
/// `errors` a minute, and then the new one alone.
fn rollout(errors: usize) -> Vec<(i64, Change)> {
    let (old, new) = (
        CommitId::parse("aaaaaaa").unwrap(),
        CommitId::parse("bbbbbbb").unwrap(),
    );
    let mut book = Book::new(Limits::default());
    let mut told = Vec::new();
    for minute in 0..120 {
        let mut write = |record: Occurrence<'_>| {
            let found = all(&mut book, &record).into_iter();
            told.extend(found.map(|change| (minute, change)));
        };
        if minute < 90 {
            (0..40).for_each(|_| write(of(&old, info(1, at(minute)))));
            write(of(&old, error(100, at(minute))));
        }
        if minute >= 60 {
            (0..40).for_each(|_| write(of(&new, info(1, at(minute)))));
            write(of(&new, error(100, at(minute))));
            (0..errors).for_each(|_| write(of(&new, error(300, at(minute)))));
        }
    }
    told
}

fn words(told: &[(i64, Change)]) -> Vec<(i64, Verdict, bool, bool)> {
    let words = told.iter().filter_map(|(minute, change)| match change {
        Change::Deploy(deploy) => {
            Some((*minute, deploy.verdict, deploy.over, deploy.is_alarming()))
        }
        _ => None,
    });
    words.collect()
}

#[test]
fn a_deploy_that_is_worse_is_told_early_and_alarms_once() {
    let told = rollout(8);
    let words = words(&told);
    assert_eq!(words.len(), 2, "{words:?}");
    assert!(words[0].0 < 75 && !words[0].2, "{words:?}");
    assert_eq!((words[0].1, words[0].3), (Verdict::Worse, true));
    assert_eq!(
        (words[1].1, words[1].2, words[1].3),
        (Verdict::Worse, true, false)
    );
    let Some((_, Change::Deploy(deploy))) = told
        .iter()
        .find(|(_, change)| matches!(change, Change::Deploy(_)))
    else {
        panic!("{told:?}");
    };
    assert_eq!(deploy.new_errors[0].entry.template.number(), 300);
}

#[test]
fn a_deploy_without_a_difference_is_the_same() {
    let words = words(&rollout(0));
    let [(minute, Verdict::Same, true, false)] = words[..] else {
        panic!("{words:?}");
    };
    assert!((99..=102).contains(&minute), "{minute}");
}
