//! Any text as the lines of a service. With room for all: a line's id never changes, and what a
//! miner exports another one goes on with. With little room: the limits hold. Lines that are
//! learnt templates are loaded as a seed, and as such taken or refused.
#![no_main]

use autofix::template::{Learnt, Limits, Miner, Novelty, Refused};
use libfuzzer_sys::fuzz_target;
use std::collections::HashMap;

const SMALL: Limits = Limits {
    memory: 64 << 10,
    clusters: 64,
};
/// What the buffer of tokens may take beside the limit: 128 tokens, and the line that grows one.
const BUFFER: usize = 16 << 10;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    if let Some(text) = text.strip_prefix('\u{1}') {
        return long(text);
    }
    roomy(&text);
    tight(&text);
});

/// One line, again and again in one line: the cost of a line is that of what is read of it.
fn long(text: &str) {
    let line = text
        .replace('\n', " ")
        .repeat((256 << 10) / text.len().max(1));
    let mut miner = Miner::new(Limits::default());
    for _ in 0..8 {
        assert_eq!(miner.read(&line).id, miner.read(&line).id);
    }
    let _ = Miner::masked(&line);
}

fn roomy(text: &str) {
    let mut miner = Miner::new(Limits::default());
    let mut ids = HashMap::new();
    for line in text.split('\n') {
        if let Ok(learnt) = Learnt::parse(line) {
            let before = miner.len();
            let loaded = miner.load(&learnt);
            assert!(loaded.is_ok() || miner.len() == before, "{loaded:?}");
        }
        let seen = miner.read(line);
        assert!(miner.text(seen.id).is_some(), "{line:?} {seen:?}");
        let again = miner.read(line);
        assert_eq!(seen.id, again.id, "{line:?}");
        let first = *ids.entry(line).or_insert(seen.id);
        assert_eq!(seen.id, first, "{line:?}");
    }
    for (line, id) in &ids {
        let seen = miner.read(line);
        assert_eq!((seen.id, seen.novelty), (*id, Novelty::Known), "{line:?}");
    }
    goes_on(&miner, &ids);
}

/// What was exported is read again by its text, and knows every line.
fn goes_on(miner: &Miner, ids: &HashMap<&str, autofix::model::TemplateId>) {
    let mut other = Miner::new(Limits::default());
    for learnt in miner.export() {
        let text = serde_json::to_string(&learnt).expect("it can be written");
        let again = Learnt::parse(&text).expect("what was written");
        assert_eq!(again, learnt);
        other
            .load(&again)
            .expect("what a miner exports can be loaded");
        assert_eq!(other.text(learnt.id).as_ref(), Some(&learnt.template));
    }
    assert_eq!(other.len(), miner.len());
    for (line, id) in ids {
        let seen = other.read(line);
        assert_eq!((seen.id, seen.novelty), (*id, Novelty::Known), "{line:?}");
    }
}

fn tight(text: &str) {
    let mut miner = Miner::new(SMALL);
    for line in text.split('\n') {
        let seen = miner.read(line);
        let again = miner.read(line);
        assert_eq!(seen.id, again.id, "{line:?}");
        if let Ok(learnt) = Learnt::parse(line) {
            let loaded = miner.load(&learnt);
            if let Err(Refused::Full) = loaded {
                assert!(miner.len() > 0);
            }
        }
        assert!(miner.len() <= SMALL.clusters);
        assert!(miner.bytes() <= SMALL.memory + BUFFER, "{}", miner.bytes());
    }
}
