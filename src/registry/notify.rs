//! `[[notify]]`: a webhook that is told of incidents and fixes, checked. Its address is a secret: it
//! never stands in the file, and no complaint shows what stands where its place is named.

use crate::model::notify::{NoticeEvent, NotifyKind, Target};
use crate::model::service::TokenSource;
use crate::registry::complaint::{Complaint, Place, did_you_mean, suggest};
use crate::registry::parse::checked_string;
use crate::registry::repo::check_name;
use crate::registry::secret;
use crate::registry::selector::{CAPTURE, Selector};
use crate::registry::service::Service;
use crate::registry::sheet::Section;
use std::collections::HashMap;

/// The keys of `[[notify]]` with what they are for, as the documentation lists them.
pub const NOTIFY_KEYS: [(&str, &str); 8] = [
    ("name", "letters, digits, `.`, `_`, `-`"),
    ("kind", "slack, teams, discord or json"),
    ("url_env", "variable that holds the webhook's address"),
    ("url_file", "file that holds it, from the root"),
    (
        "owner",
        "it is told of this owner's services alone; without it, of those without an owner",
    ),
    (
        "services",
        "names, `*` at the end for any ending; without it, all of the owner's",
    ),
    (
        "events",
        "incident, proposed, came_back, approval; without it, all of them",
    ),
    (
        "every",
        "time between two messages, at least 10s; without it, 60s",
    ),
];

/// Targets of one registry.
const MOST: usize = 100;
const ADDRESS: secret::Keys = secret::Keys {
    variable: "url_env",
    file: "url_file",
    secret: "address",
    example: "SHOP_WEBHOOK",
};
const EVERY: u64 = 60;
const EVERY_LEAST: u64 = 10;
const EVERY_MOST: u64 = 7 * 24 * 3600;

/// A `[[notify]]`, and where it stands.
#[derive(Clone, Debug)]
pub struct Notify {
    pub target: Target,
    pub place: Place,
}

/// The tables of one text.
pub(super) fn tables(top: &mut Section<'_, '_>) -> Vec<Notify> {
    let mut all = Vec::new();
    for (table, place) in top.tables("notify") {
        let mut section = Section {
            sheet: top.sheet,
            label: "[[notify]]",
            table,
            place: place.clone(),
            complaints: Vec::new(),
        };
        let target = target(&mut section);
        all.extend(target.map(|target| Notify { target, place }));
        top.complaints.append(&mut section.complaints);
    }
    all
}

/// `None` where something that it cannot do without is missing or wrong.
fn target(section: &mut Section<'_, '_>) -> Option<Target> {
    section.only(&NOTIFY_KEYS.map(|(key, _)| key));
    required(section, "name", "…");
    required(section, "kind", "slack");
    let name = checked_string(section, "name", check_target);
    let kinds = NotifyKind::ALL.map(|kind| (kind.word(), kind));
    let kind = section.word("kind", &kinds);
    let url = url(section);
    let owner = checked_string(section, "owner", check_name);
    let services = section.checked("services", check_services);
    let events = events(section);
    let every = every(section);
    Some(Target {
        name: name?,
        kind: kind?,
        url: url?,
        owner,
        services,
        events,
        every,
    })
}

fn required(section: &mut Section<'_, '_>, key: &str, example: &str) {
    if section.raw(key).is_none() {
        let what = format!("[[notify]] without a {key}");
        let remedy = format!("add {key} = \"{example}\"");
        section.fault(section.place.clone(), what, remedy);
    }
}

fn check_target(name: &str) -> Result<(), (String, String)> {
    match check_name(name) {
        Ok(()) if !name.contains(CAPTURE) => Ok(()),
        Ok(()) | Err(_) => Err((
            format!("`{}` is no name of a [[notify]]", name.escape_debug()),
            "write letters, digits, . _ and -, at most 100".to_owned(),
        )),
    }
}

fn check_services(name: &str) -> Result<(), (String, String)> {
    let start = name.strip_suffix('*').unwrap_or(name);
    if (start.is_empty() && name == "*")
        || check_name(start.trim_end_matches(['.', '-', '_'])).is_ok()
    {
        return Ok(());
    }
    Err((
        format!("`{}` names no service", name.escape_debug()),
        "write a service's name, with `*` at its end for any ending".to_owned(),
    ))
}

/// Where the address is read from.
fn url(section: &mut Section<'_, '_>) -> Option<TokenSource> {
    let stands = section.raw("url_env").or_else(|| section.raw("url_file"));
    if stands.is_none() {
        let what = "[[notify]] without a `url_env` or `url_file`".to_owned();
        let remedy = "add url_env = \"VARIABLE\"; the address is a secret, and stands in no file of the \
                      registry";
        section.fault(section.place.clone(), what, remedy.to_owned());
    }
    secret::source(section, &ADDRESS)
}

fn events(section: &mut Section<'_, '_>) -> Vec<NoticeEvent> {
    if section.raw("events").is_none() {
        return NoticeEvent::ALL.to_vec();
    }
    let words = NoticeEvent::ALL.map(NoticeEvent::word);
    let given = section.strings("events");
    let mut events = Vec::new();
    for (word, place) in &given {
        match NoticeEvent::from_word(word) {
            Some(event) if events.contains(&event) => {}
            Some(event) => events.push(event),
            None => {
                let what = format!("`{}` is no event", word.escape_debug());
                section.fault(place.clone(), what, did_you_mean(word, &words));
            }
        }
    }
    if let (true, Some((_, place))) = (given.is_empty(), section.raw("events")) {
        let remedy = format!("write some of {}, or take it out", words.join(", "));
        section.fault(place, "`events` is empty".to_owned(), remedy);
    }
    events
}

fn every(section: &mut Section<'_, '_>) -> u64 {
    let Some((text, place)) = section.string("every") else {
        return EVERY;
    };
    match seconds(&text) {
        Some(seconds) if (EVERY_LEAST..=EVERY_MOST).contains(&seconds) => seconds,
        Some(_) | None => {
            let what = format!(
                "`{}` cannot be the time between messages",
                text.escape_debug()
            );
            let remedy = "write 10s to 7d, such as 60s, 15m or 1h";
            section.fault(place, what, remedy.to_owned());
            EVERY
        }
    }
}

/// `60s`, `15m`, `1h`, `1d`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 24 * 3600,
        _ => return None,
    };
    let number = text.get(..text.len() - 1)?.trim();
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    number
        .parse::<u64>()
        .ok()
        .filter(|_| digits)?
        .checked_mul(unit)
}

/// What no single table can know: names twice, services that are not there or not the owner's.
pub(super) fn check_between(all: &[Notify], services: &[Service], complaints: &mut Vec<Complaint>) {
    let mut first: HashMap<&str, &Place> = HashMap::new();
    for (at, Notify { target, place }) in all.iter().enumerate() {
        if at == MOST {
            let what = format!("more than {MOST} [[notify]]");
            complaints.push(Complaint::fault(place.clone(), what, "take some out"));
        }
        if let Some(other) = first.get(target.name.as_str()) {
            let what = format!("a second [[notify]] called `{}`", target.name);
            let remedy = format!("the first stands in {}; rename one", super::shown(other));
            complaints.push(Complaint::fault(place.clone(), what, remedy));
        } else {
            first.insert(&target.name, place);
        }
        let owns = |service: &&Service| service.owner == target.owner;
        if !services.iter().any(|service| owns(&service)) {
            complaints.push(no_service(target, place, services));
            continue;
        }
        for name in &target.services {
            complaints.extend(check_named(target, place, name, services));
        }
    }
}

fn no_service(target: &Target, place: &Place, services: &[Service]) -> Complaint {
    let owners = services.iter().filter_map(|one| one.owner.as_deref());
    let (what, remedy) = match &target.owner {
        Some(owner) => (
            format!(
                "[[notify]] `{}`: no service has the owner `{owner}`",
                target.name
            ),
            match suggest(owner, owners) {
                Some(owner) => format!("did you mean `{owner}`?"),
                None => "write the owner of a service".to_owned(),
            },
        ),
        None => (
            format!(
                "[[notify]] `{}` is told of services without an owner, and there is none",
                target.name
            ),
            "add owner = \"…\"".to_owned(),
        ),
    };
    Complaint::warning(place.clone(), what, remedy)
}

fn check_named(
    target: &Target,
    place: &Place,
    name: &str,
    services: &[Service],
) -> Option<Complaint> {
    let is_named = |service: &&Service| match name.strip_suffix('*') {
        // Which names a pattern will bind is not known yet.
        Some(_) if service.is_pattern() => true,
        Some(start) => service.name.starts_with(start),
        None if service.is_pattern() => Selector::capture_of_name(&service.name, name).is_some(),
        None => service.name == name,
    };
    let mut named = services.iter().filter(is_named).peekable();
    if named.peek().is_none() {
        let what = format!(
            "`services` of [[notify]] `{}` names no service: `{name}`",
            target.name
        );
        let names = services.iter().map(|one| one.name.as_str());
        let remedy = match suggest(name, names) {
            Some(name) => format!("did you mean `{name}`?"),
            None => "name a service of this registry".to_owned(),
        };
        return Some(Complaint::fault(place.clone(), what, remedy));
    }
    if named.any(|service| service.owner == target.owner) {
        return None;
    }
    let what = format!(
        "`services` of [[notify]] `{}` names `{name}`, which has another owner",
        target.name
    );
    let remedy = "what is one owner's is told to no other; set the same owner, or take it out";
    Some(Complaint::fault(place.clone(), what, remedy))
}

#[cfg(test)]
mod tests {
    use crate::model::notify::{NoticeEvent, NotifyKind};
    use crate::model::service::TokenSource;
    use crate::registry::{Registry, Text};

    fn parse(text: &str) -> Result<Registry, Vec<String>> {
        let services = "[[service]]\nname = \"cart\"\nowner = \"shop\"\n[[service]]\nname = \"pay-{service}\"\n\
                        owner = \"shop\"\n[[service]]\nname = \"ledger\"\n";
        let parsed = Registry::parse(&[Text {
            file: "s.toml".to_owned(),
            text: format!("{services}{text}"),
        }]);
        parsed.map_err(|all| all.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn every_key_is_read() {
        let registry = parse(
            "[[notify]]\nname = \"a\"\nkind = \"slack\"\nurl_env = \"HOOK\"\nowner = \"shop\"\n\
             services = [\"cart\", \"pay-*\", \"pay-eu\"]\nevents = [\"proposed\"]\nevery = \"15m\"\n\
             [[notify]]\nname = \"b\"\nkind = \"json\"\nurl_file = \"/run/hook\"\n",
        )
        .unwrap();
        let [a, b] = registry.notify() else { panic!() };
        assert_eq!(a.target.kind, NotifyKind::Slack);
        assert_eq!(a.target.url, TokenSource::Variable("HOOK".to_owned()));
        assert_eq!(a.target.services, ["cart", "pay-*", "pay-eu"]);
        assert_eq!(a.target.events, [NoticeEvent::Proposed]);
        assert_eq!((a.target.every, b.target.every), (900, 60));
        assert_eq!(b.target.url, TokenSource::File("/run/hook".into()));
        assert_eq!((&b.target.owner, b.target.events.len()), (&None, 4));
        assert_eq!(a.place.line, Some(9));
        assert!(registry.warnings().is_empty());
    }

    #[test]
    fn each_fault_is_told_with_its_remedy() {
        let good =
            "[[notify]]\nname = \"a\"\nkind = \"slack\"\nurl_env = \"H\"\nowner = \"shop\"\n";
        for (text, told) in [
            ("[[notify]]\n", "without a name; add name"),
            ("[[notify]]\nname = \"a\"\n", "without a kind"),
            (
                "[[notify]]\nname = \"a\"\nkind = \"slak\"\n",
                "did you mean `slack`?",
            ),
            (
                "[[notify]]\nname = \"a\"\nkind = \"json\"\n",
                "without a `url_env` or `url_file`",
            ),
            (
                &format!("{good}url_file = \"/x\"\n"),
                "together; take one of them out",
            ),
            (&format!("{good}every = \"9s\"\n"), "write 10s to 7d"),
            (
                &format!("{good}every = \"999999999999999999d\"\n"),
                "write 10s to 7d",
            ),
            (
                &format!("{good}events = [\"came back\"]\n"),
                "did you mean `came_back`?",
            ),
            (&format!("{good}events = []\n"), "`events` is empty"),
            (
                &format!("{good}services = [\"crat\"]\n"),
                "did you mean `cart`?",
            ),
            (
                &format!("{good}services = [\"ledger\"]\n"),
                "which has another owner",
            ),
            (&format!("{good}services = [\"*a\"]\n"), "names no service"),
            (
                &format!("{good}{good}"),
                "a second [[notify]] called `a`; the first stands in s.toml:9",
            ),
            (
                &format!("{good}colour = \"red\"\n"),
                "unknown key `colour` in [[notify]]",
            ),
        ] {
            let all = parse(text).unwrap_err().join("\n");
            assert!(all.contains(told), "{text}: {all}");
            assert!(all.contains("s.toml:"), "{all}");
        }
        let odd = parse(&good.replace("shop", "shp")).unwrap();
        let warning = odd.warnings()[0].to_string();
        assert!(warning.ends_with("did you mean `shop`?"), "{warning}");
    }

    #[test]
    fn an_address_in_the_file_is_never_shown() {
        for key in ["url", "url_env", "url_file"] {
            let text = format!(
                "[[notify]]\nname = \"a\"\nkind = \"json\"\n{key} = \"https://hooks.example/s3cret\"\n"
            );
            let all = parse(&text).unwrap_err().join("\n");
            assert!(
                !all.contains("s3cret") && !all.contains("hooks.example"),
                "{all}"
            );
        }
    }
}
