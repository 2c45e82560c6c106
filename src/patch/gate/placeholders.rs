//! The values behind placeholders, put back into edits on this host, so that what was redacted
//! when it was shown can be edited around. A placeholder may be kept where it is or deleted with
//! its line; it is never made, doubled or moved. No value is named in a fault.

use super::case::{Case, Mapped};
use super::{Seen, quoted};
use crate::patch::answer::Change;
use crate::redact::placeholders;
use std::ops::Range;

/// Signs before a placeholder, on its line, that must stay with it.
const SLOT: usize = 16;

pub(super) fn check(case: &mut Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let mut mapped = Vec::new();
    let mut values = 0;
    for (number, edit) in case.answer.edits.iter().enumerate() {
        let change = match edit {
            Change::Create { file, content } => {
                for range in placeholders(content) {
                    seen.fault(format!(
                        "the new file {} holds {}, which stands for a value that you were not \
                         shown; write a made-up value in another form",
                        quoted(file),
                        quoted(content.get(range).unwrap_or_default())
                    ));
                }
                edit.clone()
            }
            Change::Replace {
                file,
                search,
                replace,
            } => {
                values += placeholders(search).len();
                let place = format!("edit {} of {}", number + 1, quoted(file));
                creates_or_moves(&mut seen, &place, search, replace);
                let text = case.text_before(file).unwrap_or_default();
                match search_for(case, text, search) {
                    Ok(Meant::Literally) => edit.clone(),
                    Ok(Meant::Values) => Change::Replace {
                        file: file.clone(),
                        search: revealed(case, search),
                        replace: revealed(case, replace),
                    },
                    Err(why) => {
                        seen.fault(format!("{place} {why}"));
                        edit.clone()
                    }
                }
            }
        };
        mapped.push(Mapped { number, change });
    }
    case.mapped = mapped;
    seen.says(format!("{values} placeholders stay where they are"))
}

/// What a search with placeholders means.
enum Meant {
    Literally,
    Values,
}

fn search_for(case: &Case<'_>, text: &str, search: &str) -> Result<Meant, String> {
    let inside = placeholders(search);
    if inside.is_empty() {
        return Ok(Meant::Literally);
    }
    let literal = text.contains(search);
    let known = inside.iter().filter(|range| {
        let shown = search.get((*range).clone()).unwrap_or_default();
        case.ground.scope.reveal(shown).is_some()
    });
    let known = known.count();
    let meant = known > 0 && text.contains(&revealed(case, search));
    match (literal, meant) {
        (true, true) => Err(
            "searches for a text that stands in the file both as it is written and with the \
             values that its placeholders stand for; search around it"
                .to_owned(),
        ),
        (true, false) => Ok(Meant::Literally),
        (false, _) if known < inside.len() => Err(
            "searches for a placeholder whose value is not known any more; search for text \
             around it"
                .to_owned(),
        ),
        (false, _) => Ok(Meant::Values),
    }
}

fn revealed(case: &Case<'_>, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in placeholders(text) {
        out.push_str(text.get(from..range.start).unwrap_or_default());
        let shown = text.get(range.clone()).unwrap_or_default();
        match case.ground.scope.reveal(shown) {
            Some(value) => out.push_str(&value),
            None => out.push_str(shown),
        }
        from = range.end;
    }
    out.push_str(text.get(from..).unwrap_or_default());
    out
}

/// Every placeholder of the new text must be one of the old, in the same order, behind the same
/// signs.
fn creates_or_moves(seen: &mut Seen, place: &str, search: &str, replace: &str) {
    let mut old = placeholders(search).into_iter();
    let all: Vec<&str> = placeholders(search)
        .into_iter()
        .filter_map(|range| search.get(range))
        .collect();
    for range in placeholders(replace) {
        let name = replace.get(range.clone()).unwrap_or_default();
        if !all.contains(&name) {
            seen.fault(format!(
                "{place} brings {}, which its search does not hold; write code that does not need \
                 the value",
                quoted(name)
            ));
            continue;
        }
        let slot = slot(replace, &range);
        let kept = old.any(|before| {
            search.get(before.clone()) == Some(name) && self::slot(search, &before) == slot
        });
        if !kept {
            seen.fault(format!(
                "{place} moves or doubles {}; keep its line up to there as it is, or delete it",
                quoted(name)
            ));
        }
    }
}

/// The signs before a placeholder on its line, blanks left out.
fn slot(text: &str, range: &Range<usize>) -> String {
    let before = text.get(..range.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or(before);
    line.chars()
        .rev()
        .filter(|c| !c.is_whitespace())
        .take(SLOT)
        .collect()
}
