//! Any text, as the lines of a service with little room: nothing panics, an id stays its line's
//! while nothing is evicted, limits hold, what is exported loads, and as a seed file it is
//! taken or refused. Run: `cargo +nightly fuzz run templates fuzz/corpus/templates fuzz/seeds/templates`.
#![no_main]

use autofix::template::{Learnt, Limits, Miner, Novelty};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let limits = Limits { memory: 64 << 10, clusters: 64 };
    let mut miner = Miner::new(limits);
    for line in text.split('\n') {
        let first = miner.read(line);
        let again = miner.read(line);
        assert_eq!(first.id, again.id, "{line:?}");
        if again.novelty == Novelty::Known {
            assert!(miner.text(first.id).is_some());
        }
        assert!(miner.len() <= limits.clusters);
        if let Ok(learnt) = Learnt::parse(line) {
            let _ = miner.load(&learnt);
        }
    }
    let mut other = Miner::new(limits);
    for learnt in miner.export() {
        other.load(&learnt).expect("what a miner exports can be loaded");
        assert_eq!(other.text(learnt.id).as_ref(), Some(&learnt.template));
    }
});
