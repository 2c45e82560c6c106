//! An order, and what all clients need.

use autofix::deliver::forge::{Branch, Reader};
use autofix::model::IncidentId;
use autofix::model::delivery::{FileChange, Order};
use autofix::net::{Http, Secret, Settings};

pub const BRANCH: &str = "autofix/shop/v1-0a-r0";
pub const MESSAGE: &str = "Check the cart before it is charged\n\nWhy.\n\nAutofix-Service: shop\n\
    Autofix-Fingerprint: v1:0a\nAutofix-Round: 0\nAutofix-Change: c1\n";

pub fn file(path: &str, mode: u32, content: Option<&str>, exists: bool) -> FileChange {
    FileChange {
        path: path.to_owned(),
        mode,
        content: content.map(|text| text.as_bytes().to_vec()),
        exists,
    }
}

/// Changes `src/cart.py`, makes `tests/cart test.py`, removes `old.py`.
pub fn order(base_commit: &str) -> Order {
    Order {
        incident: IncidentId(1),
        service: "shop".to_owned(),
        fingerprint: "v1:0a".to_owned(),
        round: 0,
        branch: BRANCH.to_owned(),
        base: None,
        base_commit: base_commit.to_owned(),
        files: vec![
            file("src/cart.py", 0o100_644, Some("fixed\n"), true),
            file("tests/cart test.py", 0o100_644, Some("test\n"), false),
            file("old.py", 0o100_644, None, true),
        ],
        message: MESSAGE.to_owned(),
        title: "Check the cart".to_owned(),
        body: "What happened.\n".to_owned(),
        rest: Vec::new(),
        reviewers: Vec::new(),
        labels: Vec::new(),
        draft: true,
    }
}

pub const BEFORE: [(&str, &str); 3] = [
    ("src/cart.py", "broken\n"),
    ("old.py", "old\n"),
    ("README", "shop\n"),
];

pub fn http() -> Http {
    Http::new(&Settings::default()).unwrap()
}

pub fn reader(token: &str) -> Reader {
    let token = token.to_owned();
    Box::new(move || Some(Secret::new(token.clone())))
}

pub fn made(branch: &Branch) -> String {
    match branch {
        Branch::Made { tip } => tip.clone(),
        other => panic!("not made: {other:?}"),
    }
}
