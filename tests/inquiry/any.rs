//! Whatever a model says, by chance and by design: the conversation ends within its limits, each turn
//! is one that an API accepts, and it goes on from wherever it was broken off to the same end.

use crate::sample::Sample;
use crate::world::{Counting, SECRETS, Script, TURNS, World, reply};
use autofix::investigate::inquiry::{Entry, Outcome, Spoken};
use autofix::llm::{Reply, Stop, Turn, Usage};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

const CART: &str = "def total(order):\n    return order[\"sum\"] / order[\"count\"]\n";
/// What all that we say in one conversation may come to: the room for results, and one turn's more.
const SAID: usize = 2 << 20;

struct Shop {
    sample: Sample,
    commit: String,
}

fn shop() -> Shop {
    let sample = Sample::new();
    let long = "total = 1  # and more of it\n".repeat(4_000);
    let files = [
        ("shop/cart.py", Some(CART)),
        SECRETS,
        ("long.py", Some(long.as_str())),
    ];
    let commit = sample.commit(3.0, "Begin", &files);
    Shop { sample, commit }
}

/// One reply before it gets its ids.
#[derive(Clone, Debug)]
struct Plan {
    text: String,
    calls: Vec<(String, Value)>,
    stop: Stop,
    usage: Usage,
    /// All calls have one id.
    twice: bool,
}

impl Plan {
    fn reply(&self, turn: usize) -> Reply {
        let id = |at| match self.twice {
            true => "same".to_owned(),
            false => format!("t{turn}_{at}"),
        };
        let calls: Vec<(String, String, Value)> = self
            .calls
            .iter()
            .enumerate()
            .map(|(at, (name, input))| (id(at), name.clone(), input.clone()))
            .collect();
        Reply {
            usage: self.usage,
            ..reply(&self.text, &calls, self.stop.clone())
        }
    }
}

fn plan(calls: Vec<(&str, Value)>, stop: Stop) -> Plan {
    Plan {
        text: String::new(),
        calls: calls
            .into_iter()
            .map(|(name, input)| (name.to_owned(), input))
            .collect(),
        stop,
        usage: Usage {
            input: 900,
            output: 90,
            ..Usage::default()
        },
        twice: false,
    }
}

/// How many replies stand in what was kept.
fn given(entries: &[Entry]) -> usize {
    entries
        .iter()
        .filter(|entry| matches!(entry, Entry::Theirs { .. }))
        .count()
}

/// All that we said.
fn said(entries: &[Entry]) -> usize {
    let parts = entries.iter().filter_map(|entry| match entry {
        Entry::Ours { parts } => Some(parts),
        Entry::Opened { .. }
        | Entry::Theirs { .. }
        | Entry::Judged { .. }
        | Entry::Failed { .. }
        | Entry::Closed { .. } => None,
    });
    parts
        .flatten()
        .map(|part| match part {
            Spoken::Text(text) => text.len(),
            Spoken::Result { content, .. } => content.len(),
        })
        .sum()
}

/// Goes on from `past` with a model that says what is planned, over and over. The entries and the end.
fn go_on(shop: &Shop, plans: &[Plan], limit: u64, past: &[Entry]) -> (Vec<Entry>, String, usize) {
    let world = World::new(&shop.sample, &shop.commit);
    let before = given(past);
    let asked = std::sync::atomic::AtomicUsize::new(before);
    let script = Script::new(|_: &Turn<'_>| {
        let at = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        plans[at % plans.len()].reply(at)
    });
    let mut ledger = Counting::after(limit, past);
    let outcome = world.run(&script, past, &mut ledger).unwrap();
    script.clean(&short(plans));
    let end = match outcome {
        Outcome::Patch(found) => found.1.patch.text().to_owned(),
        Outcome::NoPatch(none) => format!("none: {}", none.why),
        Outcome::Unavailable(why) => format!("unavailable: {why}"),
        Outcome::Later { why, .. } => panic!("no call failed: {why}"),
    };
    let turns = script.heard.lock().unwrap().turns;
    (ledger.entries, end, turns)
}

/// What is kept, as it comes back from a disk.
fn read_back(entries: &[Entry]) -> Vec<Entry> {
    let lines: Vec<String> = entries
        .iter()
        .map(|entry| serde_json::to_string(entry).unwrap())
        .collect();
    let back: Vec<Entry> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    for (back, entry) in back.iter().zip(entries) {
        assert_eq!(back, entry);
    }
    back
}

fn short(plans: &[Plan]) -> String {
    format!("{plans:?}").chars().take(2_000).collect()
}

/// Holds everything that is to hold of a conversation with this model.
fn holds(shop: &Shop, plans: &[Plan], limit: u64, prefixes: &[usize]) -> String {
    let (entries, end, turns) = go_on(shop, plans, limit, &[]);
    assert!(turns <= TURNS as usize, "{turns}");
    assert!(said(&entries) <= SAID, "{} bytes", said(&entries));
    assert!(
        matches!(entries.last(), Some(Entry::Closed { .. })),
        "{end}"
    );
    assert!(matches!(entries.first(), Some(Entry::Opened { .. })));
    let entries = read_back(&entries);
    for cut in prefixes {
        let cut = match *cut {
            usize::MAX => entries.len() - 1,
            cut => cut % entries.len(),
        };
        let (again, ended, asked) = go_on(shop, plans, limit, &entries[..cut]);
        let of = format!(
            "from entry {cut} of {}, with {}",
            entries.len(),
            short(plans)
        );
        assert_eq!(ended, end, "{of}");
        for (at, (again, entry)) in again.iter().zip(&entries).enumerate() {
            assert_eq!(again, entry, "entry {at}, {of}");
        }
        assert_eq!(again.len(), entries.len(), "{of}");
        assert_eq!(asked, given(&entries) - given(&entries[..cut]), "{of}");
    }
    end
}

fn any_stop() -> impl Strategy<Value = Stop> {
    prop_oneof![
        8 => Just(Stop::Tools),
        2 => Just(Stop::End),
        1 => Just(Stop::Length),
        1 => Just(Stop::Pause),
        1 => Just(Stop::ContextFull),
        1 => prop::option::of(".{0,20}").prop_map(Stop::Refusal),
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|n| json!(f64::from(n) / 8.0)),
        "\\PC{0,30}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!("x".repeat(300_000))),
        Just(json!("\u{202e}\u{0}\u{feff}\u{10ffff}")),
    ];
    let known = prop::sample::select(vec![
        "path",
        "from",
        "to",
        "pattern",
        "name",
        "commit",
        "folder",
        "cause",
        "evidence",
        "edits",
        "reason",
        "confidence",
        "tests",
    ]);
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((known.clone(), inner), 0..6)
                .prop_map(|all| all.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
        ]
    })
}

fn any_call() -> impl Strategy<Value = (String, Value)> {
    let names = prop::sample::select(vec![
        "list_files",
        "read_file",
        "search_code",
        "find_symbol",
        "history",
        "blame",
        "show_commit",
        "read_logs",
        "propose_fix",
        "give_up",
        "run_shell",
        "",
        "read_file ",
    ]);
    let useful = prop::sample::select(vec![
        ("list_files", json!({})),
        ("read_file", json!({"path": "long.py"})),
        ("read_file", json!({"path": "shop/settings.py"})),
        ("read_file", json!({"path": "../outside.txt"})),
        ("search_code", json!({"pattern": "(a+)+$"})),
        ("show_commit", json!({"commit": "HEAD"})),
        ("read_logs", json!({})),
        ("propose_fix", unfounded()),
    ]);
    prop_oneof![
        3 => (names.prop_map(str::to_owned), any_json()),
        1 => (any::<String>(), any_json()),
        4 => useful.prop_map(|(name, input)| (name.to_owned(), input)),
    ]
}

fn any_usage() -> impl Strategy<Value = Usage> {
    let number = || prop_oneof![4 => 0u64..2_000, 1 => Just(0), 1 => Just(u64::MAX)];
    (number(), number(), number(), number()).prop_map(|(input, output, cache_write, cache_read)| {
        Usage {
            input,
            output,
            cache_write,
            cache_read,
        }
    })
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let text = prop_oneof![3 => Just(String::new()), 1 => any::<String>()];
    let calls = prop::collection::vec(any_call(), 0..5);
    (
        text,
        calls,
        any_stop(),
        any_usage(),
        prop::bool::weighted(0.05),
    )
        .prop_map(|(text, calls, stop, usage, twice)| Plan {
            text,
            calls,
            stop,
            usage,
            twice,
        })
}

/// Well formed, and true in nothing.
fn unfounded() -> Value {
    json!({
        "cause": "x",
        "evidence": [{"log": "L9", "quote": "x"}, {"file": "a.py", "line": 1, "quote": "x"}],
        "confidence": 1,
        "edits": [{"file": "a.py", "search": "x", "replace": "y"}],
        "risk": "x",
        "verify": "x",
    })
}

static SHOP: LazyLock<std::sync::Mutex<Shop>> = LazyLock::new(|| std::sync::Mutex::new(shop()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_replies_come_to_an_end_and_are_taken_up_anywhere(
        plans in prop::collection::vec(any_plan(), 1..8),
        limit in prop_oneof![Just(u64::MAX), 5_000u64..60_000],
        cuts in prop::collection::vec(any::<usize>(), 3),
    ) {
        let shop = SHOP.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        holds(&shop, &plans, limit, &cuts);
    }
}

/// Every prefix of what is kept: no conversation here has more entries.
fn everywhere() -> Vec<usize> {
    (0..27).chain([usize::MAX]).collect()
}

#[test]
fn each_kind_of_bad_model_has_its_end() {
    let shop = shop();
    let read = || vec![("read_file", json!({"path": "shop/cart.py"}))];
    let good_form = ("propose_fix", unfounded());
    let many = vec![("read_file", json!({"path": "long.py"})); 3_000];
    let malformed = vec![("propose_fix", json!({"edits": "x"})); 3_000];
    let (dozens, forms) = (many[..256].to_vec(), malformed[..256].to_vec());
    let mut words = plan(vec![], Stop::End);
    words.text = "Ａ\u{202e}\u{0}".repeat(100_000);
    let mut twice = plan(vec![good_form.clone(), read().remove(0)], Stop::Tools);
    twice.twice = true;
    let mut huge = plan(read(), Stop::Tools);
    huge.usage = Usage {
        input: u64::MAX,
        output: u64::MAX,
        cache_read: 7,
        cache_write: u64::MAX,
    };
    let mut free = plan(read(), Stop::Tools);
    free.usage = Usage::default();
    let tools_of_nothing = plan(vec![], Stop::Tools);
    for (name, of, limit, end) in [
        (
            "reads for ever",
            plan(read(), Stop::Tools),
            u64::MAX,
            "no end in 12 turns",
        ),
        ("for nothing", free, u64::MAX, "no end in 12 turns"),
        (
            "with little money",
            plan(read(), Stop::Tools),
            9_000,
            "no money",
        ),
        ("with no money", plan(read(), Stop::Tools), 10, "no money"),
        ("costs beyond numbers", huge, 1_000_000_000, "no money"),
        (
            "says nothing",
            plan(vec![], Stop::End),
            u64::MAX,
            "ended without a proposal",
        ),
        (
            "calls nothing",
            tools_of_nothing,
            u64::MAX,
            "ended without a proposal",
        ),
        ("only talks", words, u64::MAX, "ended without a proposal"),
        ("pauses", plan(vec![], Stop::Pause), u64::MAX, "paused"),
        (
            "pauses with a call",
            plan(read(), Stop::Pause),
            u64::MAX,
            "no end in 12 turns",
        ),
        (
            "is cut",
            plan(vec![], Stop::Length),
            u64::MAX,
            "did not fit",
        ),
        (
            "is cut in a call",
            plan(read(), Stop::Length),
            u64::MAX,
            "did not fit",
        ),
        (
            "is full",
            plan(read(), Stop::ContextFull),
            u64::MAX,
            "context",
        ),
        (
            "refuses",
            plan(read(), Stop::Refusal(Some("é".repeat(9_000)))),
            u64::MAX,
            "refused",
        ),
        (
            "thousands of reads",
            plan(many, Stop::Tools),
            u64::MAX,
            "3000 calls in one turn",
        ),
        (
            "thousands of bad forms",
            plan(malformed, Stop::Tools),
            u64::MAX,
            "3000 calls in one turn",
        ),
        (
            "many reads",
            plan(dozens, Stop::Tools),
            u64::MAX,
            "no end in 12 turns",
        ),
        (
            "many bad forms",
            plan(forms, Stop::Tools),
            u64::MAX,
            "wrong form",
        ),
        (
            "a bad form",
            plan(vec![("propose_fix", json!([]))], Stop::Tools),
            u64::MAX,
            "wrong form",
        ),
        (
            "gives up badly",
            plan(vec![("give_up", json!(7))], Stop::Tools),
            u64::MAX,
            "wrong form",
        ),
        (
            "unfounded",
            plan(vec![good_form], Stop::Tools),
            u64::MAX,
            "no proposal passed",
        ),
        ("one id", twice, u64::MAX, "one id"),
        (
            "unknown",
            plan(vec![("run", json!({}))], Stop::End),
            u64::MAX,
            "no end in 12 turns",
        ),
    ] {
        // A turn of many reads takes its time.
        let prefixes = match of.calls.len() > 16 {
            true => vec![3, usize::MAX],
            false => everywhere(),
        };
        let ended = holds(&shop, &[of], limit, &prefixes);
        println!("{name}: {ended}");
        assert!(ended.contains(end), "{name}: {ended}");
    }
}

/// What holds the tests above: a ledger and a talker that see disorder.
#[test]
fn disorder_would_be_seen() {
    use crate::world::in_order;
    use autofix::llm::Message;
    let one = plan(vec![("a", json!({}))], Stop::Tools).reply(1).said;
    assert!(in_order(&[Message::Theirs(one.clone())]).is_err());
    let ours = || {
        Message::Ours(vec![autofix::llm::Part::Text(
            autofix::redact::Redacted::own("x"),
        )])
    };
    assert!(in_order(&[ours()]).is_ok());
    assert!(in_order(&[ours(), ours()]).is_err());
    assert!(in_order(&[ours(), Message::Theirs(one.clone())]).is_err());
    assert!(in_order(&[ours(), Message::Theirs(one), ours()]).is_err());
}
