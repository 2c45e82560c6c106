//! Who is told of incidents and fixes, and of what: a `[[notify]]` of the registry, resolved. The
//! address itself is a secret and stands in no noun; here is only where it is read from.

use crate::model::service::TokenSource;
use serde::{Deserialize, Serialize};

/// What sort of webhook it is: each takes another payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NotifyKind {
    Slack,
    Teams,
    Discord,
    /// Our own documented object, for whoever reads JSON.
    Json,
}

impl NotifyKind {
    pub const ALL: [NotifyKind; 4] = [
        NotifyKind::Slack,
        NotifyKind::Teams,
        NotifyKind::Discord,
        NotifyKind::Json,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            NotifyKind::Slack => "slack",
            NotifyKind::Teams => "teams",
            NotifyKind::Discord => "discord",
            NotifyKind::Json => "json",
        }
    }
}

/// What people are told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeEvent {
    /// A new incident.
    Incident,
    /// A fix is there: as a pull request, or as a diff where none is opened.
    Proposed,
    /// A fault came back although its fix is deployed.
    CameBack,
    /// A recovery action waits for `autofix approve`.
    Approval,
}

impl NoticeEvent {
    pub const ALL: [NoticeEvent; 4] = [
        NoticeEvent::Incident,
        NoticeEvent::Proposed,
        NoticeEvent::CameBack,
        NoticeEvent::Approval,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            NoticeEvent::Incident => "incident",
            NoticeEvent::Proposed => "proposed",
            NoticeEvent::CameBack => "came_back",
            NoticeEvent::Approval => "approval",
        }
    }

    pub fn from_word(word: &str) -> Option<NoticeEvent> {
        NoticeEvent::ALL.into_iter().find(|one| one.word() == word)
    }
}

/// A `[[notify]]` of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub name: String,
    pub kind: NotifyKind,
    /// Where its address is read from, at each use.
    pub url: TokenSource,
    /// Whose services it is told of; `None`: those without an owner.
    pub owner: Option<String>,
    /// Names, `*` at the end for any ending; empty: all of the owner's.
    pub services: Vec<String>,
    pub events: Vec<NoticeEvent>,
    /// Seconds between two messages.
    pub every: u64,
}

impl Target {
    /// Whether it is told of that. The owner is a wall: what is one owner's is told to no other.
    pub fn wants(&self, owner: Option<&str>, service: &str, event: NoticeEvent) -> bool {
        let listed = |name: &String| match name.strip_suffix('*') {
            Some(start) => service.starts_with(start),
            None => service == name,
        };
        self.owner.as_deref().unwrap_or_default() == owner.unwrap_or_default()
            && (self.services.is_empty() || self.services.iter().any(listed))
            && self.events.contains(&event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_hears_of_its_owner_s_services_alone() {
        let mut target = Target {
            name: "shop".to_owned(),
            kind: NotifyKind::Slack,
            url: TokenSource::Variable("HOOK".to_owned()),
            owner: Some("shop".to_owned()),
            services: vec!["cart".to_owned(), "pay-*".to_owned()],
            events: vec![NoticeEvent::Incident],
            every: 60,
        };
        let event = NoticeEvent::Incident;
        assert!(target.wants(Some("shop"), "cart", event));
        assert!(target.wants(Some("shop"), "pay-eu", event));
        assert!(!target.wants(Some("shop"), "carts", event));
        assert!(!target.wants(Some("shop"), "cart", NoticeEvent::CameBack));
        assert!(!target.wants(Some("bank"), "cart", event));
        assert!(!target.wants(None, "cart", event));
        target.owner = None;
        assert!(target.wants(None, "cart", event));
        assert!(!target.wants(Some("shop"), "cart", event));
    }
}
