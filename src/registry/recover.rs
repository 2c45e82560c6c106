//! `[service.recover]`, checked: where a service runs and what may be done to it. What is left out is
//! careful, and a verb that is not named is not allowed. A team's own verbs are `own_verb.rs`.

use crate::model::recovery::{Permit, Place, PlatformKind, Policy, Quiet, Verb};
use crate::model::service::TokenSource;
use crate::registry::complaint::did_you_mean;
use crate::registry::own_verb;
use crate::registry::parse::{checked_string, not_empty};
use crate::registry::repo::check_api;
use crate::registry::secret::is_variable;
use crate::registry::selector::CAPTURE;
use crate::registry::sheet::Section;
use std::path::{Path, PathBuf};
use std::time::Duration;
use toml::de::DeValue;

/// The keys of `[service.recover]` with what they are for, as the documentation lists them.
pub const RECOVER_KEYS: [(&str, &str); 27] = [
    ("platform", "fly, ecs, supervisor or kubernetes"),
    (
        "target",
        "fly: the app; ecs: `cluster/service`; supervisor: the program; kubernetes: \
         `namespace/deployment`",
    ),
    (
        "api",
        "address of the platform's interface, where it is not the usual one",
    ),
    ("region", "of ecs"),
    ("token_env", "variable that holds the platform's token"),
    ("token_file", "file that holds it, from the root"),
    (
        "ca_file",
        "kubernetes: file with the API server's certificate authority",
    ),
    (
        "releases",
        "supervisor: folder in which each release is a folder",
    ),
    (
        "current",
        "supervisor: symbolic link to the release that runs",
    ),
    (
        "mode",
        "approve (waits for `autofix approve`), propose (only says) or auto",
    ),
    (
        "verbs",
        "what is allowed: status, logs, releases, restart, rollback, scale, stop, start, and names of \
         [[service.recover.verb]]; without it, nothing",
    ),
    ("scale", "fewest and most instances, such as [1, 6]"),
    (
        "max_instances",
        "most instances that one action may take down",
    ),
    ("cool_down", "between the end of an action and the next; 5m"),
    ("per_hour", "most actions in an hour; 3"),
    ("per_day", "most actions in a day; 10"),
    (
        "quiet",
        "times of day, UTC, such as \"22:00-06:00\", in which auto waits for a person",
    ),
    (
        "oldest_release",
        "age of the oldest release that is gone back to; 30d",
    ),
    (
        "healthy_after",
        "how long a release must have run well to be gone back to; 10m",
    ),
    (
        "act_within",
        "how long the platform may take for an action; 10m",
    ),
    (
        "well_within",
        "how long the service may take to be well after it; 5m",
    ),
    ("well_for", "how long it must stay well then; 1m"),
    (
        "approve_within",
        "how long an action waits for approval; 1h",
    ),
    (
        "crash_loop",
        "so many crashes within that time ask for a restart, such as \"5 in 10m\" (default), or \"never\"",
    ),
    (
        "bad_deploy",
        "so many crashes within that time after a deploy ask for the roll-back; \"3 in 15m\" (default), \
         or \"never\"",
    ),
    ("every", "how often the platform is asked; 30s"),
    ("verb", "a team's own verbs, [[service.recover.verb]]"),
];

/// Longest time that a key may hold.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
/// Most instances that anything may be about.
const MOST: u32 = 1_000;

/// `None` where something that it cannot do without is missing or wrong.
pub(super) fn recover(section: &mut Section<'_, '_>) -> Option<Policy> {
    section.only(&RECOVER_KEYS.map(|(key, _)| key));
    for (key, example) in [("platform", "supervisor"), ("target", "checkout")] {
        if section.raw(key).is_none() {
            let what = format!("[service.recover] without a {key}");
            let remedy = format!("add {key} = \"{example}\"");
            section.fault(section.place.clone(), what, remedy);
        }
    }
    let place = place(section);
    let own = own_verb::own_verbs(section);
    let modes = [Permit::Approve, Permit::Propose, Permit::Auto].map(|one| (one.word(), one));
    let permit = section.word("mode", &modes).unwrap_or_default();
    let names: Vec<&str> = Verb::ALL
        .iter()
        .map(|verb| verb.word())
        .chain(own.iter().map(|verb| verb.name.as_str()))
        .collect();
    let verbs = section.checked("verbs", |verb| match names.contains(&verb) {
        true => Ok(()),
        false => Err((
            format!("`{}` is no verb", verb.escape_debug()),
            did_you_mean(verb, &names),
        )),
    });
    let scale = scale(section);
    if scale.is_none() && verbs.iter().any(|verb| verb == "scale") {
        let what = "`verbs` allows scale, but there is no `scale`".to_owned();
        let remedy = "add the fewest and the most instances, such as scale = [1, 6]".to_owned();
        section.fault(section.place.clone(), what, remedy);
    }
    let max_instances = count(section, "max_instances", 1);
    let (per_hour, per_day) = (count(section, "per_hour", 0), count(section, "per_day", 0));
    let quiet = quiet(section);
    let crash_loop = times(section, "crash_loop");
    let bad_deploy = times(section, "bad_deploy");
    let mut duration = |key: &str| self::duration(section, key);
    let (cool_down, oldest_release) = (duration("cool_down"), duration("oldest_release"));
    let (healthy_after, act_within) = (duration("healthy_after"), duration("act_within"));
    let (well_within, well_for) = (duration("well_within"), duration("well_for"));
    let (approve_within, every) = (duration("approve_within"), duration("every"));
    let else_ = Policy::of(place?);
    Some(Policy {
        permit,
        verbs,
        own,
        scale,
        max_instances,
        quiet,
        cool_down: cool_down.unwrap_or(else_.cool_down),
        per_hour: per_hour.unwrap_or(else_.per_hour),
        per_day: per_day.unwrap_or(else_.per_day),
        oldest_release: oldest_release.unwrap_or(else_.oldest_release),
        healthy_after: healthy_after.unwrap_or(else_.healthy_after),
        act_within: act_within.unwrap_or(else_.act_within),
        well_within: well_within.unwrap_or(else_.well_within),
        well_for: well_for.unwrap_or(else_.well_for),
        approve_within: approve_within.unwrap_or(else_.approve_within),
        crash_loop: crash_loop.unwrap_or(else_.crash_loop),
        bad_deploy: bad_deploy.unwrap_or(else_.bad_deploy),
        every: every.unwrap_or(else_.every).max(Duration::from_secs(1)),
        ..else_
    })
}

fn place(section: &mut Section<'_, '_>) -> Option<Place> {
    let kinds = PlatformKind::ALL.map(|kind| (kind.word(), kind));
    let platform = section.word("platform", &kinds);
    let target = checked_string(section, "target", |text| not_empty("target", text));
    let api = checked_string(section, "api", |text| match text.strip_prefix("unix://") {
        Some(path) if path.starts_with('/') && !path.contains('\0') => Ok(()),
        Some(_) => Err((
            "`api` needs a path from the root".to_owned(),
            "write unix:///run/supervisor.sock".to_owned(),
        )),
        None if text == FLY_INSIDE => Ok(()),
        None => check_api(text),
    });
    let region = checked_string(section, "region", |text| not_empty("region", text));
    let token = token(section);
    let ca = path(section, "ca_file");
    let (releases, current) = (path(section, "releases"), path(section, "current"));
    let place = Place {
        platform: platform?,
        target: target?,
        api: api.map(|api| api.trim_end_matches('/').to_owned()),
        region,
        token,
        ca,
        releases,
        current,
    };
    fits(section, &place);
    Some(place)
}

/// The Machines API inside a fly.io network, which has no TLS.
const FLY_INSIDE: &str = "http://_api.internal:4280";

/// Keys that the platform cannot do without, and those that mean nothing to it.
fn fits(section: &mut Section<'_, '_>, place: &Place) {
    let platform = place.platform;
    let slash = || {
        place
            .target
            .split('/')
            .filter(|part| !part.is_empty())
            .count()
            == 2
    };
    let wrong = match platform {
        PlatformKind::Ecs if !slash() => Some("`target` of ecs is `cluster/service`"),
        PlatformKind::Kubernetes if !slash() => {
            Some("`target` of kubernetes is `namespace/deployment`")
        }
        PlatformKind::Ecs if place.region.is_none() => Some("ecs needs a `region`"),
        PlatformKind::Supervisor if place.releases.is_some() != place.current.is_some() => {
            Some("of `releases` and `current` one is set without the other")
        }
        PlatformKind::Ecs
        | PlatformKind::Kubernetes
        | PlatformKind::Fly
        | PlatformKind::Supervisor => None,
    };
    if let Some(what) = wrong {
        section.fault(
            section.place.clone(),
            what.to_owned(),
            "write both".to_owned(),
        );
    }
    let unix = place
        .api
        .as_deref()
        .is_some_and(|api| api.starts_with("unix:"));
    let of = |kind, keys: &'static [&'static str]| (platform != kind).then_some((kind, keys));
    let foreign = [
        of(PlatformKind::Ecs, &["region"]),
        of(PlatformKind::Kubernetes, &["ca_file"]),
        of(PlatformKind::Supervisor, &["releases", "current"]),
    ];
    for (kind, keys) in foreign.into_iter().flatten() {
        for key in keys {
            if let Some((_, at)) = section.raw(key) {
                let what = format!("`{key}` means nothing to {}", platform.word());
                let remedy = format!("it is for platform = \"{}\"; take it out", kind.word());
                section.fault(at, what, remedy);
            }
        }
    }
    if unix && platform != PlatformKind::Supervisor {
        let what = format!("`api` of {} is no socket", platform.word());
        section.fault(section.place.clone(), what, "write https://…".to_owned());
    }
}

fn token(section: &mut Section<'_, '_>) -> Option<TokenSource> {
    let variable = checked_string(section, "token_env", |name| {
        match is_variable(name) {
            true => Ok(()),
            // It may be the token itself, by mistake, and is not shown.
            false => Err((
                "`token_env` is no name of a variable".to_owned(),
                "write its name, such as FLY_API_TOKEN, and put the token there".to_owned(),
            )),
        }
    });
    let file = path(section, "token_file");
    match (variable, file) {
        (Some(name), None) => Some(TokenSource::Variable(name)),
        (None, Some(path)) => Some(TokenSource::File(path)),
        (None, None) => None,
        (Some(_), Some(_)) => {
            let what = "`token_env` and `token_file` together".to_owned();
            let remedy = "take one of them out".to_owned();
            section.fault(section.place.clone(), what, remedy);
            None
        }
    }
}

fn path(section: &mut Section<'_, '_>, key: &str) -> Option<PathBuf> {
    let (text, place) = section.string(key)?;
    if Path::new(&text).is_absolute() && !text.contains('\0') {
        return Some(PathBuf::from(text));
    }
    let what = format!("`{key}` is no absolute path");
    section.fault(place, what, "write it from the root".to_owned());
    None
}

/// A whole number of a key, from `least` to [`MOST`].
pub(super) fn count(section: &mut Section<'_, '_>, key: &str, least: u32) -> Option<u32> {
    let (value, place) = section.raw(key)?;
    match whole(value) {
        Some(number) if (i64::from(least)..=i64::from(MOST)).contains(&number) => {
            u32::try_from(number).ok()
        }
        Some(_) | None => {
            let what = format!("`{key}` must be a whole number from {least} to {MOST}");
            section.fault(place, what, String::new());
            None
        }
    }
}

pub(super) fn whole(value: &DeValue<'_>) -> Option<i64> {
    match value {
        DeValue::Integer(number) => {
            i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
        }
        DeValue::String(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_)
        | DeValue::Table(_) => None,
    }
}

fn scale(section: &mut Section<'_, '_>) -> Option<(u32, u32)> {
    let (value, place) = section.raw("scale")?;
    let numbers: Option<Vec<u32>> = match value {
        DeValue::Array(items) => items
            .iter()
            .map(|item| whole(item.get_ref()).and_then(|number| u32::try_from(number).ok()))
            .collect(),
        _ => None,
    };
    match numbers.as_deref() {
        Some([least, most]) if least <= most && *most <= MOST && *most > 0 => Some((*least, *most)),
        Some(_) | None => {
            let what = "`scale` must be the fewest and the most instances".to_owned();
            section.fault(place, what, "write it such as [1, 6]".to_owned());
            None
        }
    }
}

fn duration(section: &mut Section<'_, '_>, key: &str) -> Option<Duration> {
    let (text, place) = section.string(key)?;
    let read = time(&text);
    if read.is_none() {
        let what = format!("`{}` of `{key}` is no time", text.escape_debug());
        section.fault(
            place,
            what,
            "write it such as 30s, 15m, 1h or 7d".to_owned(),
        );
    }
    read
}

/// `60s`, `15m`, `1h`, `1d`, at most a year.
pub(super) fn time(text: &str) -> Option<Duration> {
    let seconds = super::notify::seconds(text)?;
    Some(Duration::from_secs(seconds)).filter(|time| *time <= LONGEST)
}

/// `5 in 10m`, or `never`.
fn times(section: &mut Section<'_, '_>, key: &str) -> Option<(u32, Duration)> {
    let (text, place) = section.string(key)?;
    if text.trim() == "never" {
        return Some((0, Duration::ZERO));
    }
    let read = text.split_once(" in ").and_then(|(count, within)| {
        let count: u32 = count
            .trim()
            .parse()
            .ok()
            .filter(|n| (1..=MOST).contains(n))?;
        Some((count, time(within)?))
    });
    if read.is_none() {
        let what = format!("`{}` of `{key}` is no rate", text.escape_debug());
        let remedy = "write it such as \"5 in 10m\", or \"never\"".to_owned();
        section.fault(place, what, remedy);
    }
    read
}

fn quiet(section: &mut Section<'_, '_>) -> Vec<Quiet> {
    let good = section.checked("quiet", |text| match hours(text) {
        Some(_) => Ok(()),
        None => Err((
            format!("`{}` of `quiet` is no time of day", text.escape_debug()),
            "write it in UTC, such as \"22:00-06:00\"".to_owned(),
        )),
    });
    good.iter().filter_map(|text| hours(text)).collect()
}

fn hours(text: &str) -> Option<Quiet> {
    let (from, to) = text.trim().split_once('-')?;
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let number = |text: &str, most: u16| {
            let two = text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|n: &u16| two && *n <= most)
        };
        Some(number(hour, 23)? * 60 + number(minute, 59)?)
    };
    let quiet = Quiet {
        from: minute(from)?,
        to: minute(to)?,
    };
    (quiet.from != quiet.to).then_some(quiet)
}

/// The keys that hold `{service}`, of those in which a captured name is filled in.
pub(super) fn patterned(policy: &Policy) -> Vec<&'static str> {
    let place = &policy.place;
    let path = |path: &Option<PathBuf>| {
        path.as_ref()
            .map(|path| path.to_string_lossy().into_owned())
    };
    let keys = [
        ("target", Some(place.target.clone())),
        ("api", place.api.clone()),
        ("releases", path(&place.releases)),
        ("current", path(&place.current)),
    ];
    let holds = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains(CAPTURE));
    keys.iter()
        .filter(|(_, text)| holds(text))
        .map(|(key, _)| *key)
        .collect()
}

/// The policy that a pattern gives for a captured name.
pub(super) fn bind(policy: &Policy, replace: &dyn Fn(&str) -> String) -> Policy {
    let path = |path: &PathBuf| PathBuf::from(replace(&path.to_string_lossy()));
    let place = &policy.place;
    Policy {
        place: Place {
            target: replace(&place.target),
            api: place.api.as_deref().map(replace),
            releases: place.releases.as_ref().map(path),
            current: place.current.as_ref().map(path),
            ..place.clone()
        },
        ..policy.clone()
    }
}
