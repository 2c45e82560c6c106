//! The log bill from the store to the filter that real Fluent Bits run.

use autofix::app::bill;
use autofix::model::{Facets, Level, TemplateId, Timestamp};
use autofix::rate::{Book, Limits, Occurrence, Place, Slot};
use autofix::store::{self, Learnt, Store};
use autofix::template::{self, Miner};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A line, whether it is an error, and whether it was in an incident.
type Told<'a> = (&'a str, bool, bool);

/// A store in which a service has written these lines, ten times each.
pub fn store_with(folder: &Path, lines: &[Told<'_>], place: Place<'_>) {
    let mut miner = Miner::new(template::Limits::default());
    let mut book = Book::new(Limits::default());
    for round in 0..10 {
        for (line, error, marked) in lines {
            let seen = miner.read(line);
            let level = if *error { Level::Error } else { Level::Info };
            let facets = Facets {
                level: Some(level),
                ..Facets::default()
            };
            book.observe(&Occurrence {
                template: seen.id,
                facets,
                error: *error,
                time: Timestamp::from_parts(1_700_000_000 + round, 0),
                bytes: line.len() as u32,
                commit: None,
                request: false,
                novelty: seen.novelty,
                slot: Slot::Name(1),
                place,
            });
            if *marked {
                book.mark(seen.id);
            }
        }
    }
    let templates: Vec<String> = miner
        .export()
        .map(|learnt| serde_json::to_string(&learnt).unwrap())
        .collect();
    let learnt = Learnt {
        service: "shop".to_owned(),
        templates: templates.join("\n"),
        book: serde_json::to_string(&book.export()).unwrap(),
    };
    let limits = autofix::app::look::limits();
    let mut store: Store = store::Store::open(folder, limits).unwrap();
    store.save_learnt(&learnt, Timestamp(5)).unwrap();
}

const LINES: [Told<'static>; 6] = [
    (
        r#"GET /health?probe=1 -> 200 (ok) [a|b] ${HOME} "quoted" 100% #5 \d"#,
        false,
        false,
    ),
    ("cache warmed: keys loaded, nothing to do", false, false),
    ("cache warmed: keys loaded, something to do", false, true),
    ("payment refused by the bank", true, false),
    ("ünïcode wörds stay thémselves", false, false),
    ("ok 17", false, false),
];

#[test]
fn the_bill_counts_and_filters_only_what_nobody_needed() {
    let folder = tempfile::tempdir().unwrap();
    store_with(folder.path(), &LINES, Place::default());
    let bills = bill::bill(folder.path()).unwrap();
    let shop = bills.first().unwrap();
    assert_eq!((bills.len(), shop.lines), (1, 60));
    assert_eq!(
        shop.bytes,
        LINES
            .iter()
            .map(|line| 10 * line.0.len() as u64)
            .sum::<u64>()
    );
    let share: f64 = shop.items.iter().map(|item| item.share).sum();
    assert!((share - 1.0).abs() < 1e-9);
    assert!(
        shop.items
            .windows(2)
            .all(|pair| pair[0].bytes >= pair[1].bytes)
    );
    let of = |words: &str| {
        let mut items = shop.items.iter();
        let with = |text: &String| text.contains(words);
        items
            .find(|item| item.text.as_ref().is_some_and(with))
            .unwrap()
    };
    assert!(of("nothing").exclude.is_some());
    assert!(of("something").in_incident && of("something").exclude.is_none());
    assert!(of("bank").errors && of("bank").exclude.is_none());
    let json = of("nothing").to_json(shop);
    assert_eq!(json["lines"], 10);
    assert!(json["filter"].as_str().unwrap().starts_with("[FILTER]\n"));
}

fn routers() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    ["fluent-bit", "fluent-bit-1.9", "fluent-bit-2.2"]
        .iter()
        .filter_map(|name| {
            std::env::split_paths(&path)
                .map(|folder| folder.join(name))
                .find(|file| file.is_file())
        })
        .collect()
}

/// The lines that this router lets through, with the filter in its configuration.
fn passed(router: &Path, folder: &Path, filter: &str, lines: &[String]) -> Vec<String> {
    let log = folder.join("in.log");
    std::fs::write(&log, lines.join("\n") + "\n").unwrap();
    let out = folder.join("out.jsonl");
    let _ = std::fs::remove_file(&out);
    let config = format!(
        "[SERVICE]\n    Flush 0.2\n    Grace 1\n    Log_Level error\n[INPUT]\n    Name tail\n    \
         Path {}\n    Read_from_Head true\n    Exit_On_Eof true\n    Tag t\n{filter}[OUTPUT]\n    \
         Name file\n    Match *\n    Path {}\n    File out.jsonl\n    Format plain\n",
        log.display(),
        folder.display()
    );
    let file = folder.join("flb.conf");
    std::fs::write(&file, config).unwrap();
    let ran = Command::new(router).arg("-c").arg(&file).output().unwrap();
    let text = std::fs::read_to_string(&out).unwrap_or_else(|_| panic!("{ran:?}"));
    text.lines()
        .filter_map(|line| {
            let record: serde_json::Value = serde_json::from_str(line).unwrap();
            record["log"].as_str().map(str::to_owned)
        })
        .collect()
}

/// Every droppable template's filter, alone and with all others: it drops its own lines, and
/// nothing else.
fn check(written: &[String], place: Place<'_>, wrap: impl Fn(&str) -> String) {
    let told: Vec<Told<'_>> = written
        .iter()
        .map(|line| (line.as_str(), false, false))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    store_with(folder.path(), &told, place);
    let bills = bill::bill(folder.path()).unwrap();
    let excludes: HashMap<TemplateId, String> = bills[0]
        .items
        .iter()
        .filter_map(|item| Some((item.template?, item.exclude.clone()?)))
        .collect();
    assert!(excludes.len() + 1 >= bills[0].items.len(), "{bills:?}");
    let mut miner = Miner::new(template::Limits::default());
    let ids: Vec<TemplateId> = written.iter().map(|line| miner.read(line).id).collect();
    let lines: Vec<String> = written.iter().map(|line| wrap(line)).collect();
    for router in routers() {
        for (id, exclude) in &excludes {
            let filter = bill::filter::block(std::slice::from_ref(exclude));
            let kept = passed(&router, folder.path(), &filter, &lines);
            let all = lines.iter().zip(&ids);
            let expected: Vec<String> = all
                .filter(|(_, of)| *of != id)
                .map(|(line, _)| line.clone())
                .collect();
            assert_eq!(kept, expected, "{} with {filter}", router.display());
        }
    }
}

#[test]
fn fluent_bit_drops_these_lines_and_no_others() {
    if routers().is_empty() {
        println!("SKIPPED fluent_bit_drops_these_lines_and_no_others: no fluent-bit on PATH");
        return;
    }
    let written: Vec<String> = LINES.iter().map(|line| line.0.to_owned()).collect();
    check(&written, Place::default(), str::to_owned);
}

#[test]
fn fluent_bit_drops_lines_whose_text_is_in_json() {
    if routers().is_empty() {
        println!("SKIPPED fluent_bit_drops_lines_whose_text_is_in_json: no fluent-bit on PATH");
        return;
    }
    let written: Vec<String> = LINES.iter().map(|line| line.0.to_owned()).collect();
    let place = Place {
        key: "log",
        inner: Some("msg"),
    };
    let wrap = |line: &str| serde_json::json!({"level": "info", "msg": line, "n": 5}).to_string();
    check(&written, place, wrap);
}
