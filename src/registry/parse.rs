//! TOML text to checked services: what each key of a `[[service]]` means and may be (`[[notify]]` is
//! `notify.rs`). Only single blocks; what holds between services is checked by the room's root.

use crate::model::delivery::ForgeKind;
use crate::model::service::ForgeSettings;
use crate::model::service::Redact;
use crate::registry::commit::CommitSource;
use crate::registry::complaint::{Complaint, Place};
use crate::registry::inputs;
use crate::registry::notify::{self, Notify};
use crate::registry::recover;
use crate::registry::repo::{check_address, check_api, check_branch, check_inside, check_name};
use crate::registry::selector::{All, CAPTURE, KINDS, Selector, Test};
use crate::registry::service::{Egress, Mode, Service};
use crate::registry::sheet::{Section, Sheet};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The keys of `[[service]]` with what they are for, as the documentation lists them.
pub const SERVICE_KEYS: [(&str, &str); 22] = [
    (
        "name",
        "letters, digits, `.`, `_`, `-`; with `{service}` a pattern for many services",
    ),
    (
        "description",
        "what the service does, for the reader of a report",
    ),
    (
        "owner",
        "team; context does not cross from one owner's services to another's",
    ),
    (
        "repo",
        "absolute path, `file://` or `https://` address, without secrets",
    ),
    (
        "commit",
        "SHA, `field:NAME`, `env:NAME`, `file:PATH`, `image:FIELD` or `ecs-metadata`",
    ),
    (
        "match",
        "which records are the service's; without it, those whose source has its name",
    ),
    ("root", "folder of the service inside the repository"),
    (
        "path_prefixes",
        "prefixes of printed paths that stand for `root`, such as `/app`",
    ),
    (
        "branches",
        "branches from which a deployed commit must be reachable",
    ),
    ("context_from", "neighbours whose lines may be shown"),
    ("egress", "where redacted text may go: none, local or cloud"),
    ("test", "command that runs the tests"),
    (
        "verify",
        "true: patches only where `test` was run on them, by `autofix fix`",
    ),
    ("mode", "observe or dry-run"),
    (
        "allow",
        "paths that a patch may touch although a rule protects them",
    ),
    ("protect", "paths that a patch never touches"),
    (
        "redact",
        "`patterns` that are replaced too, `allow` for what stays, `ip` for addresses",
    ),
    (
        "inputs",
        "tags under which failure events of its platform come, `*` for any part; they are no log",
    ),
    (
        "inputs_secret_env",
        "variable with the secret that an event must hold in its field `autofix_secret`",
    ),
    ("inputs_secret_file", "file that holds it, from the root"),
    (
        "forge",
        "pull requests: `kind` and `api` of the code host, `base`, `fork`, `reviewers`, `labels`, \
         `draft`",
    ),
    (
        "recover",
        "where it runs, and what may be done to bring it back",
    ),
];

/// Longest description that is kept, in bytes.
const DESCRIPTION_LIMIT: usize = 16 * 1024;

/// What one text holds.
#[derive(Default)]
pub(super) struct Read {
    pub(super) services: Vec<Service>,
    pub(super) notify: Vec<Notify>,
}

/// Reads one text, in which other keys may stand beside `service`. Complaints are pushed, warnings
/// among them.
pub(super) fn text(
    file: &str,
    text: &str,
    beside: &[&str],
    complaints: &mut Vec<Complaint>,
) -> Read {
    let sheet = Sheet::new(file, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let place = error
            .span()
            .map_or(sheet.whole(), |span| sheet.place(span.start));
        let what = format!("not valid TOML: {}", error.message().trim());
        complaints.push(Complaint::fault(place, what, ""));
    }
    // A file with other tables is no registry that anybody is told of.
    let (label, beside) = match beside {
        [] => ("the registry", &["notify"][..]),
        [..] => ("this file", beside),
    };
    let mut top = Section::new(&sheet, label, &root);
    top.only(&[&["service"], beside].concat());
    let mut read = Read::default();
    for (table, place) in top.tables("service") {
        let mut section = Section {
            sheet: &sheet,
            label: "[[service]]",
            table,
            place,
            complaints: Vec::new(),
        };
        read.services.extend(service(&mut section));
        top.complaints.append(&mut section.complaints);
    }
    if beside.contains(&"notify") {
        read.notify = notify::tables(&mut top);
    }
    complaints.append(&mut top.complaints);
    read
}

/// `None` where it has no usable name; everything else falls back, for the sake of the other
/// complaints.
fn service(section: &mut Section<'_, '_>) -> Option<Service> {
    let known = service_keys();
    section.only(&known);
    let name = name(section);
    let selector = selector(section, name.as_deref());
    let repo = address(section, "repo");
    let service = Service {
        description: description(section),
        owner: checked_string(section, "owner", check_name),
        repo,
        commit: commit(section),
        root: checked_string(section, "root", |root| check_inside("root", root))
            .map(|root| root.trim_matches('/').trim_start_matches("./").to_owned())
            .filter(|root| root != ".")
            .unwrap_or_default(),
        path_prefixes: section
            .checked("path_prefixes", |prefix| not_empty("path_prefixes", prefix)),
        branches: branches(section),
        context_from: section.checked("context_from", check_name),
        egress: section.word("egress", &EGRESS),
        test: section.string("test").map(|(text, _)| text),
        verify: section.truth("verify"),
        mode: section.word("mode", &MODES),
        allow: section.checked("allow", |path| check_inside("allow", path)),
        protect: section.checked("protect", |path| check_inside("protect", path)),
        redact: section
            .inside("redact", "`redact`", redact)
            .unwrap_or_default(),
        inputs: inputs::tags(section),
        inputs_secret: inputs::secret(section),
        forge: section.inside("forge", "[service.forge]", forge),
        recover: section
            .inside("recover", "[service.recover]", recover::recover)
            .flatten(),
        ..Service::named(name.as_deref()?, selector, section.place.clone())
    };
    check_pattern(section, &service);
    inputs::check_pattern(section, &service);
    Some(service)
}

fn service_keys() -> Vec<&'static str> {
    SERVICE_KEYS.iter().map(|(key, _)| *key).collect()
}

const EGRESS: [(&str, Egress); 3] = [
    ("none", Egress::None),
    ("local", Egress::Local),
    ("cloud", Egress::Cloud),
];

fn name(section: &mut Section<'_, '_>) -> Option<String> {
    if section.raw("name").is_none() {
        let remedy = "add name = \"…\"".to_owned();
        section.fault(
            section.place.clone(),
            "[[service]] without a name".to_owned(),
            remedy,
        );
        return None;
    }
    checked_string(section, "name", check_name)
}

pub(super) fn checked_string(
    section: &mut Section<'_, '_>,
    key: &str,
    check: impl Fn(&str) -> Result<(), (String, String)>,
) -> Option<String> {
    let (text, place) = section.string(key)?;
    match check(&text) {
        Ok(()) => Some(text),
        Err((what, remedy)) => {
            section.fault(place, what, remedy);
            None
        }
    }
}

fn address(section: &mut Section<'_, '_>, key: &str) -> Option<String> {
    let text = checked_string(section, key, check_address)?;
    Some(text.trim_end_matches('/').to_owned())
}

fn description(section: &mut Section<'_, '_>) -> Option<String> {
    checked_string(section, "description", |text| {
        if text.len() <= DESCRIPTION_LIMIT {
            return Ok(());
        }
        let remedy = format!("keep it under {DESCRIPTION_LIMIT} bytes");
        Err(("`description` is too long".to_owned(), remedy))
    })
}

fn commit(section: &mut Section<'_, '_>) -> CommitSource {
    let Some((text, place)) = section.string("commit") else {
        return CommitSource::None;
    };
    CommitSource::parse(&text).unwrap_or_else(|(what, remedy)| {
        section.fault(place, what, remedy);
        CommitSource::None
    })
}

fn branches(section: &mut Section<'_, '_>) -> Vec<String> {
    section
        .checked("branches", check_branch)
        .into_iter()
        .map(|branch| branch.trim_start_matches("refs/heads/").to_owned())
        .collect()
}

const MODES: [(&str, Mode); 3] = [
    ("observe", Mode::Observe),
    ("dry-run", Mode::DryRun),
    ("pr", Mode::Pr),
];

pub(super) fn not_empty(key: &str, text: &str) -> Result<(), (String, String)> {
    if text.trim().is_empty() || text.chars().any(char::is_control) {
        let remedy = "write a value, or take it out".to_owned();
        return Err((format!("`{key}` has an empty entry"), remedy));
    }
    Ok(())
}

fn selector(section: &mut Section<'_, '_>, name: Option<&str>) -> Selector {
    let mut any = Vec::new();
    match section.raw("match") {
        None => return Selector::by_name(name.unwrap_or_default()),
        Some((DeValue::Array(items), place)) => {
            if items.is_empty() {
                let remedy = "write a match, or take the key out".to_owned();
                section.fault(place, "`match` is empty".to_owned(), remedy);
            }
            for item in items.iter() {
                any.extend(alternative(section, item));
            }
        }
        Some((value, place)) => any.extend(one_alternative(section, value, place)),
    }
    Selector::new(any)
}

fn alternative(section: &mut Section<'_, '_>, item: &Spanned<DeValue<'_>>) -> Option<All> {
    let place = section.sheet.place(item.span().start);
    one_alternative(section, item.get_ref(), place)
}

fn one_alternative(section: &mut Section<'_, '_>, value: &DeValue<'_>, at: Place) -> Option<All> {
    let tests = match value {
        DeValue::String(text) => vec![Test::parse(text)],
        DeValue::Table(table) if !table.is_empty() => {
            let mut tests = Vec::new();
            for (key, value) in table.iter() {
                match value.get_ref() {
                    DeValue::String(glob) => tests.push(Test::of_kind(key.get_ref(), glob)),
                    other => section.wrong_type("match", "a string", other, at.clone()),
                }
            }
            tests
        }
        DeValue::Table(_) => {
            let remedy = format!("write one of {} = \"…\"", KINDS.join(", "));
            section.fault(at, "`match` is empty".to_owned(), remedy);
            return None;
        }
        other => {
            section.wrong_type("match", "a string, a table or a list of them", other, at);
            return None;
        }
    };
    let mut good = Vec::new();
    for test in tests {
        match test {
            Ok(test) => good.push(test),
            Err((what, remedy)) => section.fault(at.clone(), what, remedy),
        }
    }
    (!good.is_empty()).then_some(All(good))
}

/// `{service}` stands in the name and in every alternative of `match`, or nowhere.
fn check_pattern(section: &mut Section<'_, '_>, service: &Service) {
    let pattern = service.is_pattern();
    let remedy = format!("write `{CAPTURE}` once, or give the service a plain name");
    let place = |section: &Section<'_, '_>, key| {
        section.raw(key).map_or(section.place.clone(), |(_, at)| at)
    };
    if service
        .selector
        .captures()
        .any(|count| count != usize::from(pattern))
    {
        let what = if pattern {
            format!("every alternative of `match` must capture `{CAPTURE}`")
        } else {
            format!("`match` captures `{CAPTURE}`, but the name does not hold it")
        };
        section.fault(place(section, "match"), what, remedy.clone());
    }
    let uses = [
        ("repo", service.repo.as_deref()),
        ("root", Some(&service.root)),
    ];
    for (key, text) in uses {
        if !pattern && text.is_some_and(|text| text.contains(CAPTURE)) {
            let what = format!("`{key}` holds `{CAPTURE}`, but the name does not");
            section.fault(place(section, key), what, remedy.clone());
        }
    }
    let recover = service.recover.as_ref().filter(|_| !pattern);
    for key in recover.into_iter().flat_map(recover::patterned) {
        let what = format!("`{key}` of [service.recover] holds `{CAPTURE}`, but the name does not");
        section.fault(place(section, "recover"), what, remedy.clone());
    }
}

fn redact(section: &mut Section<'_, '_>) -> Redact {
    section.only(&["patterns", "allow", "ip"]);
    Redact {
        ip: section.truth("ip"),
        patterns: section.checked("patterns", check_regex),
        allow: section.checked("allow", |text| not_empty("allow", text)),
    }
}

fn check_regex(text: &str) -> Result<(), (String, String)> {
    let built = regex::RegexBuilder::new(text).size_limit(1 << 20).build();
    built.map(drop).map_err(|error| {
        let error = error.to_string();
        let last = error.lines().last().unwrap_or_default();
        let what = format!("`{}` is no regular expression: {last}", text.escape_debug());
        (what, "mend it, or put a \\ before the sign".to_owned())
    })
}

fn forge(section: &mut Section<'_, '_>) -> ForgeSettings {
    section.only(&[
        "kind",
        "api",
        "reviewers",
        "labels",
        "base",
        "fork",
        "draft",
    ]);
    let kinds = ForgeKind::ALL.map(|kind| (kind.word(), kind));
    let draft = section.raw("draft").is_none() || section.truth("draft");
    ForgeSettings {
        kind: section.word("kind", &kinds),
        api: checked_string(section, "api", check_api)
            .map(|api| api.trim_end_matches('/').to_owned()),
        reviewers: section.checked("reviewers", |text| not_empty("reviewers", text)),
        labels: section.checked("labels", |text| not_empty("labels", text)),
        base: checked_string(section, "base", check_branch)
            .map(|base| base.trim_start_matches("refs/heads/").to_owned()),
        fork: address(section, "fork"),
        draft,
        ..ForgeSettings::default()
    }
}
