//! `[[service.recover.verb]]`: a verb that a team adds. A program by its absolute path, its arguments
//! as a template, and parameters of a type; there is no shell, and a value fills part of one argument.

use crate::model::recovery::{OwnVerb, Parameter, Shape, Verb};
use crate::registry::parse::checked_string;
use crate::registry::recover::{time, whole};
use crate::registry::sheet::Section;
use std::time::Duration;

/// How long a program may run where it is not said, and at most.
const WITHIN: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(240);
/// Verbs of a service, parameters of a verb, arguments of a program, values of a choice.
const MOST: usize = 32;
/// Longest argument, in bytes.
const ARGUMENT: usize = 1_000;
/// Longest word that a parameter may take, in bytes.
const WORD: usize = 200;

pub(super) fn own_verbs(section: &mut Section<'_, '_>) -> Vec<OwnVerb> {
    let mut all: Vec<OwnVerb> = Vec::new();
    for (table, place) in section.tables("verb") {
        let mut inner = Section {
            sheet: section.sheet,
            label: "[[service.recover.verb]]",
            table,
            place: place.clone(),
            complaints: Vec::new(),
        };
        let verb = own_verb(&mut inner);
        section.complaints.append(&mut inner.complaints);
        let Some(verb) = verb else { continue };
        if all.iter().any(|one| one.name == verb.name) || all.len() >= MOST {
            let what = format!("a second verb `{}`, or more than {MOST}", verb.name);
            section.fault(place, what, "rename it, or take it out".to_owned());
            continue;
        }
        all.push(verb);
    }
    all
}

fn own_verb(section: &mut Section<'_, '_>) -> Option<OwnVerb> {
    section.only(&["name", "about", "argv", "within", "parameters"]);
    let at = section.place.clone();
    for (key, example) in [
        ("name", "\"flush-cache\""),
        ("about", "\"empties the cache\""),
        ("argv", "[\"/usr/local/bin/flush\", \"--shard={shard}\"]"),
    ] {
        if section.raw(key).is_none() {
            let what = format!("[[service.recover.verb]] without {key}");
            section.fault(at.clone(), what, format!("add {key} = {example}"));
        }
    }
    let name = checked_string(section, "name", check_verb);
    let about = checked_string(section, "about", |text| match text.len() <= 300 {
        true if !text.chars().any(char::is_control) => Ok(()),
        _ => Err((
            "`about` is too long, or has control characters".to_owned(),
            "write one line of at most 300 characters".to_owned(),
        )),
    });
    let within = within(section);
    let parameters = parameters(section);
    let argv = section.checked("argv", |text| {
        match text.len() <= ARGUMENT && !text.contains('\0') {
            true => Ok(()),
            false => Err((
                "an argument is too long".to_owned(),
                format!("write at most {ARGUMENT} bytes"),
            )),
        }
    });
    let verb = OwnVerb {
        name: name?,
        about: about?,
        argv,
        parameters,
        within,
    };
    check_argv(section, &verb).then_some(verb)
}

fn check_verb(name: &str) -> Result<(), (String, String)> {
    let good = !name.is_empty()
        && name.len() <= 40
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && name.as_bytes()[0].is_ascii_lowercase();
    match (good, Verb::from_word(name)) {
        (true, None) => Ok(()),
        (true, Some(_)) => Err((
            format!("`{name}` is a verb of every platform"),
            "give yours another name".to_owned(),
        )),
        (false, _) => Err((
            format!("`{}` is no name of a verb", name.escape_debug()),
            "write small letters, digits and -, at most 40".to_owned(),
        )),
    }
}

fn within(section: &mut Section<'_, '_>) -> Duration {
    let Some((text, place)) = section.string("within") else {
        return WITHIN;
    };
    match time(&text).filter(|time| !time.is_zero() && *time <= LONGEST) {
        Some(time) => time,
        None => {
            let what = format!("`{}` of `within` is no time", text.escape_debug());
            section.fault(place, what, "write 1s to 4m".to_owned());
            WITHIN
        }
    }
}

/// The program is a path from the root without a parameter in it, and what stands in braces is a
/// parameter.
fn check_argv(section: &mut Section<'_, '_>, verb: &OwnVerb) -> bool {
    let place = section
        .raw("argv")
        .map_or(section.place.clone(), |(_, at)| at);
    let Some(program) = verb.argv.first() else {
        let what = "`argv` is empty".to_owned();
        section.fault(place, what, "name a program by its path".to_owned());
        return false;
    };
    if !program.starts_with('/') || program.contains('{') || verb.argv.len() > MOST {
        let what = "`argv` must begin with a program by its path from the root".to_owned();
        let remedy = format!("write it without a parameter, and at most {MOST} arguments");
        section.fault(place, what, remedy);
        return false;
    }
    let mut good = true;
    for argument in &verb.argv {
        for name in braces(argument) {
            if !verb.parameters.iter().any(|one| one.name == name) {
                let what = format!("`{{{}}}` in `argv` is no parameter", name.escape_debug());
                let remedy = format!(
                    "add {{ name = \"{}\", … }} to `parameters`",
                    name.escape_debug()
                );
                section.fault(place.clone(), what, remedy);
                good = false;
            }
        }
    }
    good
}

/// What stands in braces.
fn braces(text: &str) -> impl Iterator<Item = &str> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
}

fn parameters(section: &mut Section<'_, '_>) -> Vec<Parameter> {
    let mut all: Vec<Parameter> = Vec::new();
    for (table, place) in section.tables("parameters") {
        let mut inner = Section {
            sheet: section.sheet,
            label: "`parameters`",
            table,
            place: place.clone(),
            complaints: Vec::new(),
        };
        let read = parameter(&mut inner);
        section.complaints.append(&mut inner.complaints);
        match read {
            Some(one) if all.len() < MOST && !all.iter().any(|other| other.name == one.name) => {
                all.push(one);
            }
            Some(one) => {
                let what = format!("a second parameter `{}`, or more than {MOST}", one.name);
                section.fault(place, what, "take it out".to_owned());
            }
            None => {}
        }
    }
    all
}

fn parameter(section: &mut Section<'_, '_>) -> Option<Parameter> {
    section.only(&["name", "type", "min", "max", "values", "length"]);
    let name = checked_string(section, "name", |name| {
        let good = !name.is_empty()
            && name.len() <= 40
            && name
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        match good {
            true => Ok(()),
            false => Err((
                format!("`{}` is no name of a parameter", name.escape_debug()),
                "write small letters, digits and _, at most 40".to_owned(),
            )),
        }
    });
    if section.raw("name").is_none() {
        let what = "a parameter without a name".to_owned();
        let remedy = "add name = \"shard\"".to_owned();
        section.fault(section.place.clone(), what, remedy);
    }
    let kind = section.word("type", &[("integer", 0), ("choice", 1), ("word", 2)]);
    if kind.is_none() && section.raw("type").is_none() {
        let what = "a parameter without a type".to_owned();
        let remedy = "add type = \"integer\", \"choice\" or \"word\"".to_owned();
        section.fault(section.place.clone(), what, remedy);
    }
    let shape = match kind? {
        0 => integer(section)?,
        1 => choice(section)?,
        _ => word(section)?,
    };
    Some(Parameter { name: name?, shape })
}

fn number(section: &mut Section<'_, '_>, key: &str) -> Option<i64> {
    let read = section.raw(key).and_then(|(value, _)| whole(value));
    if read.is_none() {
        let place = section.raw(key).map_or(section.place.clone(), |(_, at)| at);
        let what = format!("a parameter needs `{key}`, a whole number");
        section.fault(place, what, format!("add {key} = 1"));
    }
    read
}

fn integer(section: &mut Section<'_, '_>) -> Option<Shape> {
    let (min, max) = (number(section, "min"), number(section, "max"));
    let (min, max) = (min?, max?);
    if min > max {
        let what = "`min` is more than `max`".to_owned();
        section.fault(section.place.clone(), what, "swap them".to_owned());
        return None;
    }
    Some(Shape::Integer(min, max))
}

fn choice(section: &mut Section<'_, '_>) -> Option<Shape> {
    let values = section.checked("values", |value| {
        let good = !value.is_empty()
            && value.len() <= WORD
            && !value.starts_with('-')
            && !value.chars().any(char::is_control);
        match good {
            true => Ok(()),
            false => Err((
                format!("`{}` cannot be a value", value.escape_debug()),
                "write one that does not begin with -".to_owned(),
            )),
        }
    });
    if values.is_empty() || values.len() > MOST {
        let what = format!("a choice needs `values`, 1 to {MOST}");
        let remedy = "add values = [\"…\"]".to_owned();
        section.fault(section.place.clone(), what, remedy);
        return None;
    }
    Some(Shape::Choice(values))
}

fn word(section: &mut Section<'_, '_>) -> Option<Shape> {
    let length = match section.raw("length") {
        None => Some(WORD as i64),
        Some((value, _)) => whole(value),
    };
    match length.and_then(|length| usize::try_from(length).ok()) {
        Some(length) if (1..=WORD).contains(&length) => Some(Shape::Word(length)),
        Some(_) | None => {
            let what = format!("`length` must be 1 to {WORD}");
            section.fault(section.place.clone(), what, String::new());
            None
        }
    }
}
