//! The parts of a dossier, each a fenced page: what it says, and from where. Not here: which parts
//! there is room for.

use super::{Brief, Part};
use crate::investigate::excerpts::{WIDTH, WholeFunction};
use crate::investigate::page::{Page, id, named};
use crate::investigate::tools::past::diff;
use crate::investigate::tools::{LogLine, logs};
use crate::investigate::within::Whole;
use crate::model::{CommitId, Frame, Timestamp};
use crate::redact::{Redacted, Scope};
use crate::source::{Commit, RepoPath};
use std::collections::BTreeMap;
use std::time::Instant;

/// Suspects whose change is shown.
const SUSPECTS: usize = 3;
/// Commits since the last good deploy that are listed.
const COMMITS: usize = 20;
/// Bytes of one suspect's change.
const CHANGE: usize = 6 << 10;
/// Longest text among words of ours, in bytes.
const TEXT: usize = 600;
/// Hours of which the rate is told.
const HOURS: usize = 24;
/// Nanoseconds of an hour.
const HOUR: i64 = 3_600_000_000_000;

/// The page of a part; `None` where there is nothing to say.
pub fn page(
    part: Part,
    brief: &Brief<'_>,
    scope: &mut Scope,
    room: usize,
    deadline: Instant,
) -> Option<Page> {
    match part {
        Part::Incident => Some(incident(brief, scope, room)),
        Part::Service => Some(service(brief, scope, room)),
        Part::Lines => lines(brief, scope, room, "L", "The lines of the fault itself"),
        Part::Frames => frames(brief, scope, room),
        Part::Source => source(brief, scope, room),
        Part::Rate => rate(brief, scope, room),
        Part::Around => lines(
            brief,
            scope,
            room,
            "C",
            "Lines of the same stream around the fault, oldest first",
        ),
        Part::Suspects => suspects(brief, scope, room, deadline),
        Part::Places => places(brief, scope, room),
        Part::Past => past(brief, scope, room),
        Part::Tried => tried(brief, scope, room),
        Part::Recovery => super::recovery::page(brief.recovery, scope, room),
        Part::OtherStreams => lines(
            brief,
            scope,
            room,
            "S",
            "Lines of other streams of the service at that time",
        ),
        Part::Neighbours => lines(
            brief,
            scope,
            room,
            "N",
            "Lines of neighbours at that time; each begins with the neighbour's name",
        ),
    }
}

fn quoted(scope: &mut Scope, text: &str) -> Redacted {
    scope.text(text).quoted(TEXT, TEXT)
}

fn time(scope: &mut Scope, at: Timestamp) -> Redacted {
    scope.text(&at.to_rfc3339())
}

fn incident(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Page {
    let one = brief.incident;
    let mut page = Page::with_room(&["The incident".into()], room);
    let title = quoted(scope, &one.title);
    page.own(&["What: ".into(), (&title).into()]);
    let reason = quoted(scope, &one.reason);
    page.own(&[
        "Kind: ".into(),
        one.kind.word().into(),
        "; why it became an incident: ".into(),
        (&reason).into(),
    ]);
    let count = i64::try_from(one.count).unwrap_or(i64::MAX);
    page.own(&[
        "Seen ".into(),
        count.into(),
        " times, first ".into(),
        (&time(scope, one.first_seen)).into(),
        ", last ".into(),
        (&time(scope, one.last_seen)).into(),
    ]);
    page.own(&[
        "Deployed commit: ".into(),
        (&id(scope, brief.commit)).into(),
    ]);
    if let Some(raised) = one.exception() {
        let kind = quoted(scope, raised.kind.as_deref().unwrap_or("no type"));
        let message = quoted(scope, raised.message.as_deref().unwrap_or_default());
        page.own(&[
            "Root cause as printed: ".into(),
            (&kind).into(),
            " with the message ".into(),
            (&message).into(),
        ]);
    }
    if let Some(raised) = one.raised_as() {
        let kind = quoted(scope, raised.kind.as_deref().unwrap_or("no type"));
        let message = quoted(scope, raised.message.as_deref().unwrap_or_default());
        page.own(&[
            "Raised in the end as: ".into(),
            (&kind).into(),
            " with the message ".into(),
            (&message).into(),
        ]);
    }
    page
}

fn service(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Page {
    let settings = brief.settings;
    let mut page = Page::with_room(&["The service, as its team describes it".into()], room);
    let name = named(scope, &settings.service);
    page.own(&["Name: ".into(), (&name).into()]);
    if !settings.root.is_empty() {
        let root = named(scope, &settings.root);
        page.own(&["Its folder in the repository: ".into(), (&root).into()]);
    }
    if settings.test.is_some() {
        page.own(&["It has tests that are run on a proposal.".into()]);
    }
    for line in settings.description.iter().flat_map(|text| text.lines()) {
        let line = scope.text(line);
        page.data(None, &line);
    }
    page
}

fn lines(
    brief: &Brief<'_>,
    scope: &mut Scope,
    room: usize,
    kind: &str,
    what: &'static str,
) -> Option<Page> {
    let all: Vec<LogLine> = brief
        .lines
        .iter()
        .filter(|line| line.id.starts_with(kind))
        .cloned()
        .collect();
    if all.is_empty() {
        return None;
    }
    let texts = logs::shown(&all, scope);
    let lines = all.iter().zip(&texts);
    let shown: Vec<Redacted> = lines
        .map(|(line, text)| logs::on_line(line, text, scope))
        .collect();
    let mut page = Page::with_room(&[what.into(), "; each begins with its id".into()], room);
    // Of its own lines the first count most, of those around it the nearest.
    let fits = |from: usize| {
        let bytes: usize = shown[from..].iter().map(|line| line.len() + 12).sum();
        bytes <= room
    };
    let from = match kind {
        "L" => 0,
        _ => (0..shown.len()).find(|from| fits(*from)).unwrap_or(0),
    };
    if from > 0 {
        page.own(&[
            i64::try_from(from).unwrap_or(i64::MAX).into(),
            " older ones are left out; read_logs shows them.".into(),
        ]);
    }
    for line in &shown[from..] {
        if !page.data(None, line) {
            break;
        }
    }
    if from > 0 {
        page.close();
    }
    Some(page)
}

fn frames(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Option<Page> {
    let trace = brief.incident.trace.as_ref()?;
    let mut page = Page::with_room(&["The frames, where it was thrown first".into()], room);
    for index in trace.innermost_first() {
        let Some(frame) = trace.frames.get(index) else {
            continue;
        };
        let mut line = printed(frame, scope);
        let located = brief.findings.located.iter().find(|one| one.frame == index);
        if let Some(one) = located {
            line.push(" = ");
            line.push(&named(scope, &one.file));
            if let Some(at) = one.line {
                line.push(":");
                line.push(i64::from(at));
            }
            if !one.own {
                line.push(" (not the service's own code)");
            }
        }
        if !page.data(None, &line) {
            break;
        }
    }
    Some(page)
}

fn printed(frame: &Frame, scope: &mut Scope) -> Redacted {
    let mut line = scope.text(frame.file.as_deref().unwrap_or("?"));
    if let Some(at) = frame.line {
        line.push(":");
        line.push(i64::from(at));
    }
    line.push(" in ");
    line.push(&scope.text(frame.function.as_deref().unwrap_or("?")));
    line
}

fn source(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Option<Page> {
    if brief.functions.is_empty() {
        return None;
    }
    let mut page = Page::with_room(
        &["Functions at the deployed commit, the likeliest place first; > marks the line".into()],
        room,
    );
    for one in brief.functions {
        if !function(brief, one, scope, &mut page) {
            break;
        }
    }
    Some(page)
}

fn function(brief: &Brief<'_>, one: &WholeFunction, scope: &mut Scope, page: &mut Page) -> bool {
    let file = named(scope, &one.source.file);
    page.own(&["File ".into(), (&file).into(), ":".into()]);
    let whole = Whole::of(brief.repo, Some(brief.commit), &one.source.file);
    for head in [&one.class, &one.header].into_iter().flatten() {
        for text in whole
            .lines(scope, head.line, &[&head.text])
            .iter()
            .flatten()
        {
            page.data(Some(head.line), &text.cut(WIDTH));
        }
    }
    let shown = whole.lines(scope, one.source.first_line, &one.source.lines);
    for (number, line) in (one.source.first_line..).zip(shown) {
        let mut text = match one.source.marked == Some(number) {
            true => Redacted::own("> "),
            false => Redacted::own("  "),
        };
        match &line {
            Some(line) => text.push(&line.cut(WIDTH)),
            None => text.push("(part of the value above)"),
        }
        if !page.data(Some(number), &text) {
            return false;
        }
    }
    if one.left_out > 0 {
        page.own(&[
            i64::from(one.left_out).into(),
            " lines of it are left out; read_file shows them.".into(),
        ]);
    }
    true
}

fn rate(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Option<Page> {
    if brief.seen.len() < 2 {
        return None;
    }
    let mut page = Page::with_room(
        &["How often it came, of the newest occurrences that are kept".into()],
        room,
    );
    let (mut commits, mut hours) = (BTreeMap::new(), BTreeMap::new());
    for (at, commit) in brief.seen {
        let commit = commit.as_ref().map(|id| id.as_str().to_owned());
        *commits.entry(commit).or_insert(0_i64) += 1;
        *hours.entry(at.0.div_euclid(HOUR)).or_insert(0_i64) += 1;
    }
    for (commit, count) in commits {
        let shown = match commit {
            Some(commit) => scope
                .text(commit.get(..12).unwrap_or(&commit))
                .plain(12, 12),
            None => Redacted::own("an unknown commit"),
        };
        page.own(&["At ".into(), (&shown).into(), ": ".into(), count.into()]);
    }
    for (hour, count) in hours.into_iter().rev().take(HOURS) {
        let from = time(scope, Timestamp(hour.saturating_mul(HOUR)));
        page.own(&[
            "In the hour from ".into(),
            (&from).into(),
            ": ".into(),
            count.into(),
        ]);
    }
    Some(page)
}

fn suspects(brief: &Brief<'_>, scope: &mut Scope, room: usize, deadline: Instant) -> Option<Page> {
    let suspects = &brief.findings.suspects;
    if suspects.is_empty() && brief.last_good.is_none() {
        return None;
    }
    let mut page = Page::with_room(
        &["Commits that may have brought it, the likeliest first. That a commit is near the line \
           proves nothing"
            .into()],
        room,
    );
    if let Some(good) = brief.last_good {
        page.own(&[
            "The newest deploy before this one that ran without the fault: ".into(),
            (&id(scope, good)).into(),
        ]);
        since(brief, good, scope, &mut page, deadline);
    }
    for suspect in suspects {
        let why = quoted(scope, &suspect.why);
        let commit = scope.text(suspect.commit.get(..12).unwrap_or(&suspect.commit));
        page.own(&[
            "Commit ".into(),
            (&commit.plain(12, 12)).into(),
            " of ".into(),
            (&time(scope, suspect.date)).into(),
            ": ".into(),
            (&why).into(),
        ]);
        let summary = scope.text(&suspect.summary);
        page.data(None, &summary);
    }
    let commits = suspects.iter().take(SUSPECTS);
    let commits = commits.filter_map(|one| brief.repo.lookup(&CommitId::parse(&one.commit)?));
    for commit in commits {
        if !change(brief, commit, scope, &mut page, deadline) {
            break;
        }
    }
    Some(page)
}

/// The commits that this deploy brought below the service's folder.
fn since(brief: &Brief<'_>, good: Commit, scope: &mut Scope, page: &mut Page, deadline: Instant) {
    let Ok(root) = RepoPath::parse(&brief.settings.root) else {
        return;
    };
    let (Ok(log), Ok(then)) = (
        brief.repo.log(brief.commit, &root, COMMITS, deadline),
        brief.repo.info(good),
    ) else {
        page.own(&["What came since could not be listed; history shows it.".into()]);
        return;
    };
    page.own(&["Commits since then, newest first:".into()]);
    for entry in &log.entries {
        if entry.commit == good || entry.time < then.time {
            return;
        }
        let mut line = id(scope, entry.commit);
        line.push(" ");
        line.push(&scope.text(&entry.summary));
        if !page.data(None, &line) {
            return;
        }
    }
    if log.cut.is_some() {
        page.own(&["There are more; history shows them.".into()]);
    }
}

fn change(
    brief: &Brief<'_>,
    commit: Commit,
    scope: &mut Scope,
    page: &mut Page,
    deadline: Instant,
) -> bool {
    let root = RepoPath::parse(&brief.settings.root).ok();
    let root = root.as_ref().filter(|_| !brief.settings.root.is_empty());
    let Ok(shown) = brief.repo.show(commit, root, CHANGE, deadline) else {
        page.own(&["Its change could not be read; show_commit may.".into()]);
        return true;
    };
    page.own(&[
        "What ".into(),
        (&id(scope, commit)).into(),
        " changed:".into(),
    ]);
    diff(page, scope, brief.repo, &shown);
    !page.is_full()
}

fn places(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Option<Page> {
    if brief.findings.places.is_empty() {
        return None;
    }
    let mut page = Page::with_room(
        &["Places in the source that the fault speaks of, found without a model".into()],
        room,
    );
    for place in &brief.findings.places {
        let mut line = scope.text(&place.file);
        if let Some(at) = place.line {
            line.push(":");
            line.push(i64::from(at));
        }
        line.push(" ");
        line.push(&scope.text(&place.why));
        if !page.data(None, &line) {
            break;
        }
    }
    Some(page)
}

fn past(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Option<Page> {
    if brief.past.is_empty() {
        return None;
    }
    let mut page = Page::with_room(
        &["Earlier incidents of the service that are like it, and what became of them".into()],
        room,
    );
    for one in brief.past {
        page.own(&[
            "Number ".into(),
            one.id.into(),
            ", last seen ".into(),
            (&time(scope, one.last_seen)).into(),
            if one.same { ", the same fault" } else { "" }.into(),
            ", now ".into(),
            one.status.into(),
        ]);
        for text in [&one.title, &one.reason] {
            let line = scope.text(text);
            page.data(None, &line);
        }
    }
    Some(page)
}

fn tried(brief: &Brief<'_>, scope: &mut Scope, room: usize) -> Option<Page> {
    let revert = &brief.findings.why;
    if brief.tried.is_empty() && revert.is_empty() {
        return None;
    }
    let mut page = Page::with_room(&["What was tried".into()], room);
    if !revert.is_empty() {
        let line = scope.text(&format!("taking back a suspect change: {revert}"));
        page.data(None, &line);
    }
    for text in brief.tried {
        let line = scope.text(text);
        if !page.data(None, &line) {
            break;
        }
    }
    Some(page)
}
