//! The dossier of an incident as the slow lane makes it before a model is asked: the first at a
//! commit, whose search has to take the texts out of git, and later ones.

use crate::{late, repository, scope, time, trace};
use autofix::log::Log;
use autofix::model::{Incident, IncidentId, Kind, Settings, Status, Timestamp};
use autofix::net::Http;
use autofix::pipeline::asking::{self, Beside, Question};
use autofix::pipeline::work::{DOSSIER, look};
use autofix::source::{Commit, Mirrors};
use std::time::Instant;

/// Times the dossiers of faults in a file that everybody changes, in one that few change, and of a line
/// without a trace.
pub fn dossiers(dir: &str, old: Commit) {
    let (hot, cold) = (7, 20_000);
    for (what, (file, traced), good) in [
        ("everybody changes the file", (hot, true), None),
        (
            "everybody changes the file, deploy 50,000 commits ago",
            (hot, true),
            Some(old),
        ),
        ("few change the file", (cold, true), None),
        (
            "few change the file, deploy 50,000 commits ago",
            (cold, true),
            Some(old),
        ),
        ("a line without a trace", (cold, false), None),
    ] {
        let kept = tempfile::tempdir().expect("a folder");
        let incident = incident(file, traced);
        for nth in ["first", "warm"] {
            let what = format!("dossier, {what}, {nth}");
            dossier(dir, kept.path(), &incident, good, &what);
        }
    }
}

/// As a process that has just opened the repository.
fn dossier(
    dir: &str,
    kept: &std::path::Path,
    incident: &Incident,
    good: Option<Commit>,
    what: &str,
) {
    let http = Http::new(&autofix::net::Settings::default()).expect("a client");
    let mirrors = Mirrors::new(kept.join("mirrors"), http, Log::silent());
    let repo = mirrors.open(dir, &|_| None, late()).expect("a repository");
    let commit = repo.head().expect("a commit");
    let settings = Settings::default();
    time(what, || {
        let until = Instant::now() + DOSSIER;
        let findings = look(&repo, commit, incident, &settings, good, until);
        let question = Question {
            incident,
            settings: &settings,
            repo: &repo,
            commit,
            last_good: good,
            findings: &findings,
            until,
        };
        let lines = autofix::investigate::dossier::lines_of(incident);
        let made = asking::dossier_of(&question, &Beside::default(), &lines, &mut scope(), late());
        Ok::<_, String>(Some(format!(
            "{} bytes, {} suspects, {} places, first {}; {}",
            made.text.as_str().len(),
            findings.suspects.len(),
            findings.places.len(),
            findings.places.first().map_or("none", |one| &one.file),
            findings.notes.join("; ")
        )))
    });
    if !what.ends_with("warm") {
        time("texts kept for later searches after it", || {
            repo.finish_texts(late()).map(|()| None)
        });
    }
}

fn incident(file: usize, traced: bool) -> Incident {
    let (message, number) = repository::failure(file).expect("a function that fails");
    let line = format!("ERROR 2026-05-28 12:00:01 {message}");
    let mut trace = trace(&repository::path(file), number);
    if let Some(block) = trace.blocks.first_mut() {
        block.raised.message = Some(message);
    }
    Incident {
        id: IncidentId(1),
        service: "shop".into(),
        fingerprint: "v1:aa".into(),
        kind: Kind::Error,
        title: line.clone(),
        trace: traced.then_some(trace),
        lines: vec![line],
        context: Vec::new(),
        stream: "shop.one".into(),
        first_seen: Timestamp(0),
        last_seen: Timestamp(0),
        count: 1,
        commit: None,
        status: Status::Open,
        reason: String::new(),
        watch: None,
        location: None,
        proposal: None,
        previous: None,
        parent: None,
    }
}
