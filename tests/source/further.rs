//! What a fault without a trace leads to in a repository, and that it makes no claim and no diff.

use crate::sample::{Sample, at, python, settings, soon};
use autofix::deliver::{self, Case};
use autofix::investigate::{Findings, excerpts, look_further, revert};
use autofix::model::{Incident, IncidentId, Kind, Status, Timestamp, Trace};
use autofix::source::locate::Evidence;

const CART: &str = "import logging\n\n\nclass Cart:\n    def redeem(self, code):\n        if code not \
                    in self.codes:\n            logging.error('voucher %s is not known to cart %s', \
                    code, self.id)\n            return None\n        return self.codes[code]\n";
const SHOP: &str = "from cart import Cart\n\n\ndef buy(order):\n    return \
                    Cart(order).redeem(order['code'])\n";

fn incident(lines: &[&str], trace: Option<Trace>) -> Incident {
    Incident {
        id: IncidentId(1),
        service: "shop".to_owned(),
        fingerprint: "v1:01".to_owned(),
        kind: Kind::Watch,
        title: "vouchers".to_owned(),
        trace,
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        context: Vec::new(),
        stream: "shop stdout".to_owned(),
        first_seen: Timestamp::from_parts(1_780_000_000, 0),
        last_seen: Timestamp::from_parts(1_780_000_000, 0),
        count: 1,
        commit: None,
        status: Status::Open,
        reason: "a watch".to_owned(),
        watch: Some("vouchers".to_owned()),
        location: None,
        proposal: None,
        previous: None,
        parent: None,
    }
}

fn investigated(sample: &Sample, deployed: &str, incident: &Incident) -> Findings {
    let repo = sample.open();
    let commit = at(&repo, deployed);
    let trace = incident.trace.as_ref();
    let mut found = revert(&repo, commit, trace, &settings(), None, soon());
    look_further(&mut found, &repo, commit, incident, &settings(), soon());
    found
}

#[test]
fn a_watch_without_a_trace_leads_to_its_statement_and_to_no_diff() {
    let sample = Sample::new();
    let files = [("cart.py", Some(CART)), ("shop.py", Some(SHOP))];
    let deployed = sample.commit(1.0, "all", &files);
    let lines = ["2026-03-01 ERROR voucher SUMMER25 is not known to cart 7"];
    let incident = incident(&lines, None);
    let found = investigated(&sample, &deployed, &incident);
    let best = &found.places[0];
    assert_eq!((best.file.as_str(), best.line), ("cart.py", Some(7)));
    let callers: Vec<_> = found
        .places
        .iter()
        .filter(|one| one.evidence[0] == Evidence::Caller)
        .map(|one| (one.file.as_str(), one.line))
        .collect();
    assert_eq!(callers, [("shop.py", Some(5))]);
    assert!(found.location.is_none() && found.patch.is_none());

    let repo = sample.open();
    let tree = autofix::source::Tree::read(&repo, at(&repo, &deployed)).unwrap();
    let shown = excerpts::functions(&found.places, &tree, 3);
    assert_eq!(shown[0].class.as_ref().unwrap().text, "class Cart:");
    assert_eq!((shown[0].source.lines.len(), shown[0].left_out), (5, 0));

    let folder = tempfile::tempdir().unwrap();
    let case = Case {
        incident: &incident,
        findings: &found,
        repository: None,
        commit: Some(&deployed),
    };
    deliver::write(folder.path(), &case).unwrap();
    let read = |name: &str| std::fs::read_to_string(folder.path().join("1").join(name)).unwrap();
    let report = read("report.md");
    assert!(report.contains("What else the fault speaks of"), "{report}");
    assert!(report.contains("cart.py:7"), "{report}");
    let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    assert_eq!(json["places"][0]["file"], "cart.py", "{json}");
}

#[test]
fn files_of_suspect_commits_are_places_and_move_no_location() {
    let sample = Sample::new();
    let before = CART.replace("self.codes[code]", "self.codes.get(code)");
    sample.commit(
        9.0,
        "begin",
        &[("cart.py", Some(&before)), ("shop.py", Some(SHOP))],
    );
    let changed = [("cart.py", Some(CART)), ("rates.toml", Some("[rates]\n"))];
    let deployed = sample.commit(1.0, "take codes at their word", &changed);
    let frames = [("/app/shop.py", 5, "buy"), ("/app/cart.py", 9, "redeem")];
    let trace = python("'SUMMER25'", &frames);
    let found = investigated(&sample, &deployed, &incident(&[], Some(trace)));
    assert_eq!(found.location.as_ref().unwrap().file, "cart.py");
    assert_eq!(found.places[0].file, "cart.py");
    let other = found
        .places
        .iter()
        .find(|one| one.file == "rates.toml")
        .unwrap();
    assert_eq!(other.evidence, [Evidence::Change]);
    assert!(other.confidence < 0.5 && other.why.contains("take codes at their word"));
}
