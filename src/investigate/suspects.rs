//! Which commit brought the fault: what the history did to the statements that the service's
//! frames name, weighed. Names suspects; takes nothing back.

use crate::investigate::Suspect;
use crate::investigate::words;
use crate::model::{Timestamp, Trace};
use crate::source::history::{History, Question, Touch, TouchKind, Window};
use crate::source::locate::{Files, Located, THRESHOLD, function, statement};
use crate::source::{Commit, CommitInfo, Error, Repo};
use std::collections::{BTreeMap, HashSet};

/// How far before the deployed commit a suspect may lie when no good deploy is known, in days.
pub const DAYS: i64 = 30;
/// From this score a suspect's change is taken back.
pub const CREDIBLE: f64 = 0.4;
/// From this score a single hunk counts as part of the fault.
pub(super) const PART: f64 = 0.3;
/// Below this score a commit is not worth a line in a report.
const WORTH: f64 = 0.1;
/// Frames whose lines are followed, from where it was thrown outwards.
const FRAMES: usize = 8;
/// Suspects that are named.
const SUSPECTS: usize = 8;
/// What a hunk weighs that wrote an outer frame's line and left its call as it was.
const CALLS_ALIKE: f64 = 0.25;
/// What a hunk at the nth own frame weighs.
const DEPTH: [f64; FRAMES] = [1.0, 0.9, 0.75, 0.6, 0.5, 0.4, 0.3, 0.3];

/// A service frame's statement with the function around it.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub question: Question,
    /// Names that the statement uses.
    names: HashSet<String>,
    /// The function that the statement called, by the frame inside it.
    calls: Option<String>,
    /// Less than 1 where it is not sure that the line is right.
    weight: f64,
}

/// A suspect with the hunks that make it one.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub suspect: Suspect,
    pub info: CommitInfo,
    /// Each with its own score, best first.
    pub touches: Vec<(f64, Touch)>,
    /// Files that have another name at the deployed commit: name then, name now.
    names: Vec<(String, String)>,
}

impl Case {
    /// What a file of the suspect's commit is called at the deployed one.
    pub fn name_now(&self, path: &str) -> String {
        let known = self.names.iter().find(|(then, _)| then == path);
        known.map_or(path, |(_, now)| now).to_owned()
    }

    /// What a file of the deployed commit is called at the suspect's.
    pub fn name_then(&self, path: &str) -> String {
        let known = self.names.iter().find(|(_, now)| now == path);
        known.map_or(path, |(then, _)| then).to_owned()
    }
}

/// The statements to follow, from where the fault was thrown outwards.
pub(super) fn spots(trace: &Trace, located: &[Located], files: &dyn Files) -> Vec<Spot> {
    let mut spots: Vec<Spot> = Vec::new();
    let mut inside = None;
    for frame in trace.innermost_first() {
        let function = trace.frames.get(frame).and_then(|f| f.function.as_deref());
        let calls = std::mem::replace(&mut inside, function.and_then(function::bare_name));
        let found = located.iter().find(|one| one.frame == frame && one.own);
        let Some((one, line)) = found.and_then(|one| Some((one, one.line?))) else {
            continue;
        };
        let Some(text) = files.text(&one.file).filter(|_| one.mapped >= THRESHOLD) else {
            continue;
        };
        let lines: Vec<&str> = text.lines().collect();
        if line == 0 || line as usize > lines.len() {
            continue;
        }
        let end = u32::try_from(lines.len()).unwrap_or(u32::MAX);
        let zone = match function::enclosing(&lines, line) {
            Some(found) => found.lines,
            None => line.saturating_sub(3).max(1)..=line.saturating_add(3).min(end),
        };
        let asked = statement::statement(&lines, line, &zone);
        let said = lines
            .get(*asked.start() as usize - 1..*asked.end() as usize)
            .unwrap_or_default();
        spots.push(Spot {
            names: said.iter().flat_map(|text| words::names(text)).collect(),
            calls,
            weight: if one.mapped >= 0.7 { 1.0 } else { 0.8 },
            question: Question {
                file: one.file.clone(),
                lines: asked,
                zone,
            },
        });
        if spots.len() == FRAMES {
            break;
        }
    }
    spots
}

/// The window of time in which suspects lie.
pub(super) fn window(
    repo: &Repo,
    deployed: Commit,
    last_good: Option<Commit>,
    ignored: HashSet<Commit>,
) -> Result<Window, Error> {
    let seconds = repo.info(deployed)?.time.seconds();
    Ok(Window {
        not_before: match last_good {
            Some(_) => i64::MIN,
            None => seconds.saturating_sub(DAYS * 86_400),
        },
        known_good: last_good,
        ignored,
    })
}

/// The commits that the history speaks against, worst first.
pub(super) fn weigh(
    repo: &Repo,
    deployed: &CommitInfo,
    spots: &[Spot],
    history: History,
    message: &str,
    recent: bool,
) -> Result<Vec<Case>, Error> {
    let mut by_commit: BTreeMap<Commit, Vec<Touch>> = BTreeMap::new();
    for touch in history.touches {
        by_commit.entry(touch.commit).or_default().push(touch);
    }
    let named = words::named_in(message);
    let mut found = Vec::new();
    for (commit, touches) in by_commit {
        let info = repo.info(commit)?;
        let age = deployed.time.since(info.time).as_secs_f64() / 86_400.0;
        let freshness = if recent {
            1.0
        } else {
            1.0 - 0.5 * (age / DAYS as f64).min(1.0)
        };
        let mut scored: Vec<(f64, Touch)> = touches
            .into_iter()
            .filter_map(|touch| {
                let spot = spots.get(touch.question)?;
                Some((score(&touch, spot, &named) * freshness, touch))
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.distance.cmp(&b.1.distance)));
        let total = total(&scored);
        if total >= WORTH {
            found.push((total, age, info, scored));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.2.time.cmp(&a.2.time)));
    found.truncate(SUSPECTS);
    let mut cases = Vec::new();
    for (total, age, info, scored) in found {
        let suspect = describe(repo, &info, &scored, spots, age, total)?;
        let now = |touch: &Touch| Some(spots.get(touch.question)?.question.file.clone());
        let names = scored
            .iter()
            .filter_map(|(_, touch)| Some((touch.file.clone(), now(touch)?)))
            .collect();
        cases.push(Case {
            suspect,
            info,
            touches: scored,
            names,
        });
    }
    Ok(cases)
}

/// The best hunk's score, and a little for every further frame that was touched.
fn total(scored: &[(f64, Touch)]) -> f64 {
    let best = scored.first().map_or(0.0, |(score, _)| *score);
    let mut frames: HashSet<usize> = HashSet::new();
    let parts = scored.iter().filter(|(score, _)| *score >= PART);
    frames.extend(parts.map(|(_, touch)| touch.question));
    let more = 0.08 * frames.len().saturating_sub(1) as f64;
    ((best + more).min(0.99) * 100.0).round() / 100.0
}

/// How likely one hunk made the statement fail.
fn score(touch: &Touch, spot: &Spot, named: &HashSet<String>) -> f64 {
    let changed: Vec<String> = touch.removed.iter().chain(&touch.added).cloned().collect();
    if !words::is_code(&changed) {
        return 0.0;
    }
    let said: HashSet<String> = changed.iter().flat_map(|line| words::names(line)).collect();
    let sets: HashSet<String> = changed
        .iter()
        .flat_map(|line| words::set_by(line))
        .collect();
    let shares = !said.is_disjoint(&spot.names);
    let feeds = !sets.is_disjoint(&spot.names);
    let speaks = !said.is_disjoint(named);
    let close = touch.distance <= 5;
    let base = match touch.kind {
        TouchKind::Covers if same_code(touch) => 0.1,
        TouchKind::Covers if touch.question > 0 && calls_alike(touch, spot) => CALLS_ALIKE,
        TouchKind::Covers => 1.0,
        _ if words::only_logs(&changed) => 0.1,
        TouchKind::Removes => {
            let guard = touch.removed.iter().any(|line| words::decides(line));
            match (guard, shares || speaks) {
                (true, true) if close => 0.9,
                (true, true) => 0.8,
                (true, false) if touch.distance <= 1 => 0.6,
                _ if feeds => 0.75,
                _ if speaks => 0.55,
                _ if touch.distance <= 1 => 0.3,
                _ => 0.15,
            }
        }
        TouchKind::Near => {
            let decides = changed.iter().any(|line| words::decides(line));
            match () {
                () if feeds && close => 0.75,
                () if feeds => 0.65,
                () if decides && shares && close => 0.65,
                () if speaks => 0.55,
                () if touch.distance <= 1 => 0.3,
                () if touch.distance <= 3 => 0.22,
                () => 0.12,
            }
        }
    };
    let spoken = if speaks && base >= PART { 0.05 } else { 0.0 };
    let overwritten = if touch.overwritten { 0.5 } else { 1.0 };
    let depth = DEPTH.get(touch.question).copied().unwrap_or(0.3);
    (base + spoken) * overwritten * depth * spot.weight
}

/// Whether a hunk only moved or reshaped its code: both sides say the same words.
fn same_code(touch: &Touch) -> bool {
    let bare = |lines: &[String]| -> String {
        let text: String = lines.iter().map(|line| words::code(line)).collect();
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        text.replace('\'', "\"")
            .replace(",)", ")")
            .replace(",]", "]")
            .replace(",}", "}")
    };
    !touch.removed.is_empty() && bare(&touch.removed) == bare(&touch.added)
}

/// Whether the call that led inwards is the same before and after the hunk, and so is what
/// decides on it and what gives its arguments a value.
fn calls_alike(touch: &Touch, spot: &Spot) -> bool {
    let Some(name) = &spot.calls else {
        return false;
    };
    let sides = [&touch.removed, &touch.added];
    let [Some(was), Some(is)] = sides.map(|lines| words::call_of(name, &lines.join("\n"))) else {
        return false;
    };
    let given = words::names(&is);
    let matters = |lines: &[String]| -> Vec<String> {
        let text = lines.iter().map(|line| line.trim());
        let decides = |line: &str| words::decides(line) && !line.starts_with("return");
        text.filter(|line| decides(line) || !words::set_by(line).is_disjoint(&given))
            .map(str::to_owned)
            .collect()
    };
    was == is && matters(&touch.removed) == matters(&touch.added)
}

fn describe(
    repo: &Repo,
    info: &CommitInfo,
    scored: &[(f64, Touch)],
    spots: &[Spot],
    age: f64,
    score: f64,
) -> Result<Suspect, Error> {
    let best = scored.first().map(|(_, touch)| touch);
    let mut files: Vec<String> = match repo.changed(info.commit) {
        Ok(changed) => changed.iter().map(|c| c.path().to_owned()).collect(),
        Err(_) => Vec::new(),
    };
    if let Some(best) = best {
        files.retain(|file| *file != best.file);
        files.insert(0, best.file.clone());
    }
    files.truncate(50);
    Ok(Suspect {
        commit: info.commit.to_string(),
        author: info.author.clone(),
        date: Timestamp::from_parts(info.time.seconds(), 0),
        summary: info.summary.clone(),
        files,
        why: best
            .map(|touch| reason(touch, spots, age))
            .unwrap_or_default(),
        score,
    })
}

/// What ties a commit to the fault, in a sentence.
fn reason(touch: &Touch, spots: &[Spot], age: f64) -> String {
    let line = spots
        .get(touch.question)
        .map_or(0, |spot| *spot.question.lines.start());
    let file = spots
        .get(touch.question)
        .map_or(touch.file.as_str(), |s| s.question.file.as_str());
    let which = match touch.question {
        0 => "where it was thrown".to_owned(),
        n => format!("{n} of the service's frames further out"),
    };
    let did = match (touch.kind, touch.distance) {
        (TouchKind::Covers, _) => "wrote",
        (TouchKind::Removes, 0 | 1) => "took away code next to",
        (TouchKind::Removes, _) => "took away code in the function of",
        (TouchKind::Near, 0 | 1) => "changed code next to",
        (TouchKind::Near, _) => "changed code in the function of",
    };
    let before = match age {
        a if a <= 0.0 => "it is as new as the deployed commit".to_owned(),
        a if a < 1.0 => "less than a day before the deployed commit".to_owned(),
        a if a < 2.0 => "one day before the deployed commit".to_owned(),
        a => format!("{} days before the deployed commit", a.floor()),
    };
    format!("it {did} {file}:{line} ({which}); {before}")
}
