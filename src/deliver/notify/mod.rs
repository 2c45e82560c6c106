//! What people are told through a webhook: a message of the notices that wait for one target, three
//! lines each (what; since when and how often; what to do about it, or what to leave alone), the payload
//! that each kind of webhook takes, and the sending. Text out of a log is redacted by its service's own
//! settings before anything is made of it, and where that cannot be, none of it is said.

mod payload;
mod send;

pub use payload::{JSON_VERSION, payload};
pub use send::{Error, check_address, send};

use crate::deliver::markdown::{shortened, visible};
use crate::model::notify::NoticeEvent;
use crate::model::service::Redact;
use crate::model::{Incident, IncidentId};
use crate::redact::{Redacted, Redactor, Settings};
use std::borrow::Cow;

/// Notices that a message has in full; the others are counted.
pub const FULL: usize = 5;
/// Characters of a title.
const TITLE: usize = 300;
/// Bytes of a title that are redacted at all: what is behind them is not shown.
const TITLE_BYTES: usize = 4 << 10;
/// Characters of a service's name.
const NAME: usize = 100;
/// Characters of a pull request's address; a longer one is left out.
const URL: usize = 500;

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// The target's name.
    pub target: String,
    pub items: Vec<Item>,
    /// Notices that are told of by their number alone.
    pub more: u64,
    /// Notices that had no room in the store.
    pub dropped: u64,
}

/// One notice, with all text of others redacted.
#[derive(Clone, Debug)]
pub struct Item {
    pub event: NoticeEvent,
    pub incident: IncidentId,
    pub service: Redacted,
    pub title: Redacted,
    pub fingerprint: String,
    pub kind: &'static str,
    pub status: &'static str,
    pub first_seen: String,
    pub last_seen: String,
    pub count: u64,
    /// `https://` or `http://`, of characters that no format acts on.
    pub url: Option<String>,
}

/// A part of a line. Only `Text` was written by others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Words and numbers of our own.
    Own(String),
    /// Shortened and made visible; to be escaped by each format in its own way.
    Text(String),
    /// A command to be typed.
    Command(String),
    Link(String),
}

impl Part {
    fn own(text: &str) -> Part {
        Part::Own(text.to_owned())
    }
}

impl Item {
    /// `redact`: the service's own settings; `None` where they cannot be known.
    pub fn new(
        event: NoticeEvent,
        incident: &Incident,
        url: Option<&str>,
        redact: Option<&Redact>,
    ) -> Item {
        let redactor = redact.and_then(|redact| Redactor::new(&Settings::from(redact)).ok());
        let (service, title) = match redactor {
            None => (
                Redacted::own("(name withheld)"),
                Redacted::own(
                    "(its text is withheld: the service's settings for redaction cannot be used)",
                ),
            ),
            Some(redactor) => {
                let mut scope = redactor.scope();
                // Cut only afterwards: a secret that is cut in two is not found.
                let service = scope.text(&incident.service);
                (service, scope.text(&incident.title).cut(TITLE_BYTES))
            }
        };
        Item {
            event,
            incident: incident.id,
            service,
            title,
            fingerprint: incident.fingerprint.clone(),
            kind: incident.kind.word(),
            status: incident.status.word(),
            first_seen: incident.first_seen.to_rfc3339(),
            last_seen: incident.last_seen.to_rfc3339(),
            count: incident.count,
            url: url.filter(|url| is_plain_url(url)).map(str::to_owned),
        }
    }

    /// As it is shown: no line break, nothing that is not drawn, and not too long.
    pub fn title_text(&self) -> String {
        shown(&self.title, TITLE)
    }

    pub fn service_text(&self) -> String {
        shown(&self.service, NAME)
    }

    /// The three lines.
    pub fn lines(&self) -> [Vec<Part>; 3] {
        [self.what(), self.since(), self.to_do()]
    }

    fn what(&self) -> Vec<Part> {
        let id = self.incident;
        let begins = match self.event {
            NoticeEvent::Incident => format!("New incident {id} in "),
            NoticeEvent::Proposed => format!("Fix proposed for incident {id} in "),
            NoticeEvent::CameBack => format!("Came back as incident {id} in "),
            NoticeEvent::Approval => format!("Approval needed for incident {id} in "),
        };
        vec![
            Part::Own(begins),
            Part::Text(self.service_text()),
            Part::own(": "),
            Part::Text(self.title_text()),
        ]
    }

    fn since(&self) -> Vec<Part> {
        let (first, last) = (&self.first_seen, &self.last_seen);
        vec![Part::Own(match self.count {
            0 | 1 => format!("Since {first}, seen once so far."),
            count => format!("Since {first}, seen {count} times so far, the last time at {last}."),
        })]
    }

    fn to_do(&self) -> Vec<Part> {
        let why = Part::Command(format!("autofix why {}", self.incident));
        match (self.event, &self.url) {
            (NoticeEvent::Incident, _) => vec![
                Part::own("To read more: "),
                why,
                Part::own(". To have it left alone: "),
                Part::Command(format!("autofix mute {}", self.incident)),
                Part::own("."),
            ],
            (NoticeEvent::Proposed, Some(url)) => vec![
                Part::own("Review it, and merge or close it: "),
                Part::Link(url.clone()),
                Part::own(". Until then nothing is changed."),
            ],
            (NoticeEvent::Proposed, None) => vec![
                Part::own("The diff is on the host: "),
                why,
                Part::own(". Nothing is changed by itself."),
            ],
            (NoticeEvent::CameBack, Some(url)) => vec![
                Part::own("The fix is deployed and did not hold: "),
                Part::Link(url.clone()),
                Part::own(". To read more: "),
                why,
                Part::own("."),
            ],
            (NoticeEvent::Approval, _) => vec![
                Part::own("An action would bring the service back. To see what, and why: "),
                Part::Command("autofix act".to_owned()),
                Part::own(". Nothing happens before "),
                Part::Command("autofix approve".to_owned()),
                Part::own("."),
            ],
            (NoticeEvent::CameBack, None) => vec![
                Part::own("The fix is deployed and did not hold. To read more: "),
                why,
                Part::own("."),
            ],
        }
    }
}

impl Message {
    /// What is said at the end of what is not told in full; `None` where there is nothing. `also`: more
    /// items that a format had no room for.
    pub fn rest(&self, also: usize) -> Option<String> {
        let more = self.more.saturating_add(also as u64);
        let mut all = Vec::new();
        if more > 0 {
            all.push(format!("and {more} more"));
        }
        if self.dropped > 0 {
            all.push(format!("{} had no room", self.dropped));
        }
        if all.is_empty() {
            return None;
        }
        Some(format!("{}; autofix incidents lists them", all.join(", ")))
    }
}

fn shown(text: &Redacted, limit: usize) -> String {
    let text: Cow<'_, str> = visible(text.as_str());
    shortened(text.trim(), limit).into_owned()
}

/// A pull request's address comes from a code host: it is taken only where no format could make
/// anything else of it.
fn is_plain_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let letters = |b: u8| b.is_ascii_alphanumeric() || b"-._/:~%#?=&!+".contains(&b);
    rest.is_some_and(|rest| {
        !rest.is_empty() && url.len() <= URL && rest.bytes().all(letters) && !rest.starts_with('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_addresses_are_linked() {
        for good in [
            "https://git.example/acme/shop/pull/7",
            "http://127.0.0.1:8080/a/b/-/merge_requests/3",
        ] {
            assert!(is_plain_url(good), "{good}");
        }
        for bad in [
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "https://a.example/<!channel>",
            "https://a.example/a|b",
            "https://a.example/a b",
            "https://a.example/)[x](y",
            "https://a.example/\u{202e}",
        ] {
            assert!(!is_plain_url(bad), "{bad}");
        }
    }
}
