//! An order as deliveries have it, and clients for the played host.

use crate::github_server::{Played, TOKEN};
use autofix::deliver::forge::github::{Auth, Github};
use autofix::model::Settings;
use autofix::model::delivery::{FileChange, ForgeSettings, Order};
use autofix::model::incident::IncidentId;
use autofix::net::{Http, Secret};

pub const REPO: &str = "acme/shop";
pub const BRANCH: &str = "autofix/shop/v1-0a-0";
pub const BOT: &str = "bot/shop";

pub fn message(change: &str) -> String {
    format!(
        "Check the cart before it is charged\n\nIt was empty.\n\nAutofix-Service: shop\n\
         Autofix-Fingerprint: v1:0a\nAutofix-Round: 0\nAutofix-Change: {change}\n"
    )
}

/// On the newest commit of `main`.
pub fn order(played: &Played) -> Order {
    Order {
        incident: IncidentId(1),
        service: "shop".to_owned(),
        fingerprint: "v1:0a".to_owned(),
        round: 0,
        branch: BRANCH.to_owned(),
        base: None,
        base_commit: played.tip(REPO, "main").unwrap(),
        files: vec![
            file(
                "src/cart.py",
                Some("def charge():\n    return None\n"),
                true,
            ),
            file("tests/test_cart.py", Some("# ünï\n"), false),
        ],
        message: message("c1"),
        title: "Check the cart".to_owned(),
        body: "What happened.".to_owned(),
        rest: Vec::new(),
        reviewers: vec!["ana".to_owned(), "acme/payments".to_owned()],
        labels: vec!["autofix".to_owned()],
        draft: true,
    }
}

pub fn file(path: &str, text: Option<&str>, exists: bool) -> FileChange {
    FileChange {
        path: path.to_owned(),
        mode: 0o100_644,
        content: text.map(|text| text.as_bytes().to_vec()),
        exists,
    }
}

pub fn settings(played: &Played, fork: Option<&str>) -> Settings {
    Settings {
        service: "shop".to_owned(),
        repo: Some(format!("https://github.com/{REPO}.git")),
        forge: ForgeSettings {
            api: Some(played.url.clone()),
            fork: fork.map(|fork| format!("https://github.com/{fork}")),
            ..ForgeSettings::default()
        },
        ..Settings::default()
    }
}

pub fn http() -> Http {
    Http::new(&autofix::net::Settings::default()).unwrap()
}

pub fn token(text: &str) -> Auth {
    let text = text.to_owned();
    Auth::Token(Box::new(move || Some(Secret::new(text.clone()))))
}

pub fn client(played: &Played) -> Github {
    Github::new(http(), &settings(played, None), token(TOKEN)).unwrap()
}

pub fn fork_client(played: &Played) -> Github {
    Github::new(http(), &settings(played, Some(BOT)), token(TOKEN)).unwrap()
}
