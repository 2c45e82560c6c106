//! Whether every edit fits the deployed commit exactly once, and what comes of all of them
//! together: line ends and the end of the file stay as they were.

use super::case::{Case, Mapped};
use super::{Seen, quoted};
use crate::patch::answer::Change;
use crate::source::diff::Edit;
use memchr::memmem;
use std::borrow::Cow;
use std::ops::Range;

pub(super) fn check(case: &mut Case<'_>) -> Seen {
    let mut seen = Seen::default();
    let mapped = std::mem::take(&mut case.mapped);
    let mut edits = Vec::new();
    for path in case.edited() {
        let own = || mapped.iter().filter(|one| one.change.file() == path);
        let (after, regions) = match case.text_before(path) {
            None => {
                let content = own().find_map(|one| match &one.change {
                    Change::Create { content, .. } => Some(content.clone()),
                    Change::Replace { .. } => None,
                });
                (content.unwrap_or_default(), Vec::new())
            }
            Some(text) => replaced(text, &own().collect::<Vec<&Mapped>>(), &mut seen),
        };
        if let Some(before) = case.text_before(path) {
            keeps(path, before, &after, &mut seen);
        } else if after.contains('\r') {
            seen.fault(format!(
                "the new file {} has CR line ends; use LF",
                quoted(path)
            ));
        }
        edits.push(Edit {
            path: path.to_owned(),
            content: Some(after.clone().into_bytes()),
            new_mode: 0o100_644,
        });
        case.touch(path, after, regions);
    }
    let number = mapped.len();
    match case.ground.repo.diff_edits(case.ground.commit, &edits) {
        Ok(diffed) => case.diffed = Some(diffed),
        Err(e) => seen.fault(format!("no diff can be made of the edits: {e}")),
    }
    if case.diffed.as_ref().is_some_and(|d| d.files.is_empty()) {
        seen.fault("the edits change nothing");
    }
    seen.says(format!("{number} edits fit exactly once"))
}

/// The text with all edits made at once, and where.
fn replaced(text: &str, edits: &[&Mapped], seen: &mut Seen) -> (String, Vec<Range<usize>>) {
    let crlf = is_crlf(text);
    let mut found: Vec<(Range<usize>, Cow<'_, str>, usize)> = Vec::new();
    for one in edits {
        let Change::Replace {
            file,
            search,
            replace,
        } = &one.change
        else {
            continue;
        };
        // Shown without the CR that ends its lines, a file is searched without it too.
        let ends = |text: &'_ str| match crlf && !text.contains('\r') {
            true => Cow::Owned(text.replace('\n', "\r\n")),
            false => Cow::Owned(text.to_owned()),
        };
        let (search, replace): (Cow<'_, str>, Cow<'_, str>) = (ends(search), ends(replace));
        let number = one.number + 1;
        let places = occurrences(text, &search);
        if places.len() != 1 {
            seen.fault(fits(number, file, text, &search, places.len()));
        }
        if search == replace {
            seen.fault(format!("edit {number} of {} changes nothing", quoted(file)));
        }
        if let Some(at) = places.first() {
            found.push((*at..at + search.len(), replace, number));
        }
    }
    found.sort_by_key(|(range, _, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut regions: Vec<Range<usize>> = Vec::new();
    let mut from = 0;
    let mut last = 0;
    for (range, replace, number) in found {
        if range.start < from {
            seen.fault(format!("edits {last} and {number} overlap; make them one"));
            continue;
        }
        out.push_str(text.get(from..range.start).unwrap_or_default());
        out.push_str(&replace);
        (from, last) = (range.end, number);
        regions.push(range);
    }
    out.push_str(text.get(from..).unwrap_or_default());
    (out, regions)
}

fn fits(number: usize, file: &str, text: &str, search: &str, count: usize) -> String {
    let file = quoted(file);
    if count > 1 {
        return format!(
            "edit {number} of {file} fits {count} places; search for more lines around it"
        );
    }
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<&str>>().join(" ");
    let hint = if squeeze(text).contains(&squeeze(search)) {
        "it stands there with other blanks; copy them exactly"
    } else {
        "read the file again and copy the lines exactly"
    };
    format!("edit {number} of {file}: its search does not stand in the file; {hint}")
}

/// Where the text stands, places that overlap included.
fn occurrences(text: &str, search: &str) -> Vec<usize> {
    let finder = memmem::Finder::new(search.as_bytes());
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text
        .as_bytes()
        .get(from..)
        .and_then(|rest| finder.find(rest))
    {
        found.push(from + at);
        from += at + 1;
        if search.is_empty() || found.len() > 50 {
            break;
        }
    }
    found
}

fn is_crlf(text: &str) -> bool {
    let all = text.matches('\n').count();
    all > 0 && text.matches("\r\n").count() == all
}

/// Line ends and the end of the file stay of their kind.
fn keeps(path: &str, before: &str, after: &str, seen: &mut Seen) {
    let ends = |text: &str| {
        let crlf = text.matches("\r\n").count();
        let bare = text.matches('\n').count() - crlf;
        let lone = text.matches('\r').count() - crlf;
        (crlf > 0, bare > 0, lone > 0)
    };
    let (was, is) = (ends(before), ends(after));
    let brought = (is.0 && !was.0) || (is.1 && !was.1) || (is.2 && !was.2);
    // A file of one line without an end has no kind yet.
    let any = was.0 || was.1 || was.2;
    if brought && (any || is.0 || is.2) {
        seen.fault(format!(
            "{} would have line ends that it did not have; keep them",
            quoted(path)
        ));
    }
    if after.is_empty() {
        seen.fault(format!("{} would be empty", quoted(path)));
    } else if before.ends_with('\n') != after.ends_with('\n') {
        let has = if before.ends_with('\n') {
            "has"
        } else {
            "has no"
        };
        seen.fault(format!(
            "{} {has} line end at its end; keep it so",
            quoted(path)
        ));
    }
}
