//! What can be found out about a located fault, and the offline fixer: the suspect change taken
//! back. Writes nothing, prints nothing; reports are made elsewhere from [`Findings`].

mod around;
mod by_model;
mod dangling;
pub mod dossier;
pub mod excerpts;
mod further;
pub mod inquiry;
mod page;
mod suspects;
mod take_back;
pub mod tools;
mod within;
mod words;

use crate::model::{CommitId, Location, Settings, Timestamp, Trace};
use crate::patch::verify::Verified;
use crate::patch::{AcceptedPatch, Rules};
use crate::source::history::History;
use crate::source::locate::{Files, Located, Place, locate, location};
use crate::source::{Commit, Error, Repo, Tree};
pub use around::{around, of_storm};
pub use by_model::ByModel;
pub use further::look_further;
use serde::{Serialize, Serializer};
use std::collections::HashSet;
use std::time::{Duration, Instant};
pub use suspects::{CREDIBLE, DAYS};

/// Everything the slow lane found out about one incident.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// Frames inside the repository, best first.
    pub located: Vec<Located>,
    /// The place of the fault, above the threshold only.
    pub location: Option<Location>,
    /// All that the fault speaks of, best first: frames, texts, names, callers, changed files.
    pub places: Vec<Place>,
    /// Source around the service's own frames, best first.
    pub excerpts: Vec<Excerpt>,
    /// Commits that may have brought the fault, best first.
    pub suspects: Vec<Suspect>,
    /// What was tried, in order, a sentence each.
    pub tried: Vec<String>,
    pub patch: Option<AcceptedPatch>,
    /// What a model found out, where one was asked.
    pub by_model: Option<ByModel>,
    /// What the service's tests say of the patch.
    pub verified: Option<Verified>,
    /// The same fix at the end of the default branch.
    pub onward: Option<Onward>,
    /// Why this diff, or why none.
    pub why: String,
    /// What limits cut or made less sure.
    pub notes: Vec<String>,
}

impl Findings {
    /// The patch that a pull request is made of: it applies to the end of the branch that takes it.
    ///
    /// # Errors
    /// Why there is none, in words for people.
    pub fn change(&self) -> Result<&AcceptedPatch, String> {
        let Some(patch) = &self.patch else {
            return Err(match self.why.is_empty() {
                true => "there is no patch".to_owned(),
                false => format!("there is no patch: {}", self.why),
            });
        };
        match &self.onward {
            Some(Onward::AtHead) => Ok(patch),
            Some(Onward::Same { patch }) => Ok(patch),
            Some(Onward::Conflict { why }) => Err(format!(
                "the patch does not apply to the end of the branch that would take it: {why}"
            )),
            Some(Onward::AlreadyGone { why }) => Err(format!(
                "the branch that would take it has no such fault any more: {why}"
            )),
            None => {
                Err("the patch was not tried on the end of the branch that would take it".into())
            }
        }
    }
}

/// What became of the fix at the end of the default branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Onward {
    /// The deployed commit is that end.
    AtHead,
    /// The patch for that commit.
    Same { patch: AcceptedPatch },
    /// It does not apply there, or must not.
    Conflict { why: String },
    /// The fault is not there any more.
    AlreadyGone { why: String },
}

/// Some lines of a file at the deployed commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    pub file: String,
    /// Number of the first line, from 1.
    pub first_line: u32,
    pub lines: Vec<String>,
    /// The line that the frame names.
    pub marked: Option<u32>,
}

/// A commit that may have brought the fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suspect {
    /// Full id.
    pub commit: String,
    pub author: Option<String>,
    #[serde(serialize_with = "rfc3339")]
    pub date: Timestamp,
    pub summary: String,
    /// Files it touched, the faulty one first.
    pub files: Vec<String>,
    /// What ties it to the fault.
    pub why: String,
    /// 0 to 1.
    pub score: f64,
}

fn rfc3339<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&at.to_rfc3339())
}

/// Locates the trace at a commit, looks for the change that brought the fault and takes it back.
/// Never fails: what could not be done stands in `why` and `notes`.
///
/// `last_good`: the newest commit known to have run without the fault.
pub fn revert(
    repo: &Repo,
    commit: Commit,
    trace: Option<&Trace>,
    settings: &Settings,
    last_good: Option<Commit>,
    deadline: Instant,
) -> Findings {
    repo.set_deadline(deadline);
    let mut findings = Findings::default();
    match trace {
        None => findings.why = "there is no stack trace to find code by".to_owned(),
        Some(trace) => {
            let done = investigate(&mut findings, repo, commit, trace, settings, last_good);
            if let Err(e) = done {
                findings.why = format!("the investigation was cut short: {e}");
            }
        }
    }
    for note in repo.notes() {
        if !findings.notes.contains(&note) {
            findings.notes.push(note);
        }
    }
    findings
}

fn investigate(
    findings: &mut Findings,
    repo: &Repo,
    commit: Commit,
    trace: &Trace,
    settings: &Settings,
    last_good: Option<Commit>,
) -> Result<(), Error> {
    let tree = Tree::read(repo, commit)?;
    findings.located = locate(trace, &tree, settings);
    findings.location = location(&findings.located);
    findings.excerpts = excerpts::around(&findings.located, &tree);
    findings.tried.push(format!(
        "looked for {} frames among {} files at {}",
        trace.frames.len(),
        tree.paths().len(),
        commit.short()
    ));
    if let Some(tied) = ambiguous(trace, &findings.located) {
        findings.location = None;
        findings.why = format!(
            "{tied} files fit the frame where it was thrown; set root to the service's folder"
        );
        return Ok(());
    }
    let spots = suspects::spots(trace, &findings.located, &tree);
    if spots.is_empty() {
        findings.why = match findings.located.is_empty() {
            true => "no frame of the trace lies in the repository",
            false => "no frame is surely a line of the service's own code",
        }
        .to_owned();
        return Ok(());
    }
    let mut end = None;
    let cases = find_suspects(findings, repo, commit, trace, &spots, last_good, &mut end)?;
    findings.suspects = cases.iter().map(|case| case.suspect.clone()).collect();
    if let (true, Some(end)) = (cases.is_empty(), end) {
        findings.why = format!("no credible suspect: {end}");
        return Ok(());
    }
    decide(findings, repo, &tree, settings, &cases, last_good.is_some());
    Ok(())
}

/// How many files fit the innermost own frame, where it is more than one.
fn ambiguous(trace: &Trace, located: &[Located]) -> Option<usize> {
    let order = trace.innermost_first();
    let innermost = order
        .iter()
        .find_map(|frame| located.iter().find(|one| one.frame == *frame && one.own));
    innermost.map(|one| one.tied).filter(|tied| *tied > 1)
}

/// Longest walk through the history: the newest changes come first, and a report need not wait
/// for those of years ago. The search beside it and the dossier have to fit into the same two
/// seconds.
const WALK: Duration = Duration::from_millis(1_000);

fn find_suspects(
    findings: &mut Findings,
    repo: &Repo,
    commit: Commit,
    trace: &Trace,
    spots: &[suspects::Spot],
    last_good: Option<Commit>,
    end: &mut Option<String>,
) -> Result<Vec<suspects::Case>, Error> {
    if last_good == Some(commit) {
        let what = "this very commit ran without the fault before, so no change brought it";
        findings.tried.push(what.to_owned());
        *end = Some(what.to_owned());
        return Ok(Vec::new());
    }
    let ignored = ignored(repo, commit)?;
    let window = suspects::window(repo, commit, last_good, ignored)?;
    let questions: Vec<_> = spots.iter().map(|spot| spot.question.clone()).collect();
    let whole = repo.deadline();
    repo.set_deadline(whole.min(Instant::now() + WALK));
    let history = repo.history(commit, &questions, &window);
    repo.set_deadline(whole);
    let history = history?;
    findings.tried.push(format!(
        "followed the lines of {} frames through {} commits{}",
        spots.len(),
        history.commits,
        match last_good {
            Some(good) => format!(" since {}, the last good deploy", good.short()),
            None => format!(", at most {} days back", suspects::DAYS),
        }
    ));
    if !history.complete {
        findings.notes.push(match history.older_than {
            Some(last) => format!(
                "time ran out: no change was looked at that is older than {} of {}",
                last.short(),
                repo.info(last)?.time.to_rfc3339()
            ),
            None => "time ran out before the whole history was looked at".to_owned(),
        });
    }
    if repo.is_shallow() {
        findings
            .notes
            .push("the history is shallow: older changes cannot be seen".to_owned());
    }
    if history.reached_root {
        let what = "a line of the service's frames is as old as the history itself";
        findings.tried.push(what.to_owned());
    }
    *end = where_it_ends(repo, &history);
    let message = trace.root_cause().message.clone().unwrap_or_default();
    let info = repo.info(commit)?;
    suspects::weigh(repo, &info, spots, history, &message, last_good.is_some())
}

/// Why the walk ended before a commit was found, where that is not for want of one.
fn where_it_ends(repo: &Repo, history: &History) -> Option<String> {
    if let Some(merge) = history.by_merge {
        return Some(format!(
            "the merge {} itself wrote a line of the service's frames, and merges are not taken back",
            merge.short()
        ));
    }
    if !history.complete {
        return Some("time ran out before the whole history was looked at".to_owned());
    }
    match (history.reached_root, repo.is_shallow()) {
        (true, true) => {
            Some("the history is shallow and ends before the lines' last change".into())
        }
        (true, false) => Some("the first commit of the history wrote these lines".to_owned()),
        (false, _) => None,
    }
}

/// Takes the best suspect's change back, or says why not.
fn decide(
    findings: &mut Findings,
    repo: &Repo,
    tree: &Tree<'_>,
    settings: &Settings,
    cases: &[suspects::Case],
    since_good: bool,
) {
    let since = match since_good {
        true => "since the last good deploy".to_owned(),
        false => format!("in the {} days before the deployed commit", suspects::DAYS),
    };
    let Some(best) = cases.first() else {
        findings.why = format!("no credible suspect: no commit {since} touched these lines");
        return;
    };
    let id = best.info.commit.short();
    if best.suspect.score < suspects::CREDIBLE {
        findings.why = format!(
            "no credible suspect: {id} comes closest, but {} is too little to take it back",
            best.suspect.score
        );
        return;
    }
    let rules = Rules {
        allow: &settings.allow,
        protect: &settings.protect,
    };
    if let Some(what) = take_back::is_delicate(repo, best, &rules) {
        findings.why = format!("the best suspect is {id}, but {what}: for people to take back");
        return;
    }
    let attempt = take_back::take_back(repo, tree, best, settings);
    findings.tried.extend(attempt.tried);
    findings.why = attempt.why;
    findings.patch = attempt.patch;
}

/// Longest `.git-blame-ignore-revs` that is read, in lines.
const IGNORED_LIMIT: usize = 10_000;

/// The commits that the repository itself asks blame to pass over.
fn ignored(repo: &Repo, commit: Commit) -> Result<HashSet<Commit>, Error> {
    let Some(text) = repo.read_file(commit, ".git-blame-ignore-revs")? else {
        return Ok(HashSet::new());
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    let ids = text.lines().take(IGNORED_LIMIT).filter_map(|line| {
        let line = line.split('#').next().unwrap_or(line);
        CommitId::parse(line).and_then(|id| repo.lookup(&id))
    });
    Ok(ids.collect())
}
