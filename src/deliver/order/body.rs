//! The body of a pull request, as a reviewer wants to read it: what happened, who says so, the
//! evidence, the cause, the change, how it was verified, and how to reject it. Each part has a
//! room of its own, so that the whole stays under the limit; what has none goes to comments.

use super::links::Links;
use super::names::{is_commit, short, taken_back};
use super::rest::{Pages, Rest};
use super::words::{Words, block};
use super::{Material, account};
use crate::deliver::markdown::size;
use crate::investigate::Onward;
use crate::model::{Incident, Kind};
use crate::patch::AcceptedPatch;
use std::fmt::{Arguments, Write};

/// Room of each part, in characters: together they stay under the limit.
const LOG: usize = 14_000;
const CONTEXT: usize = 5_000;
const SAID: usize = 4_000;
const RISK: usize = 2_500;
const FILES: usize = 3_000;
const SENTENCE: usize = 600;
/// Places, cited pieces of evidence, suspects and earlier rounds shown.
const PLACES: usize = 5;
const CITED: usize = 8;
const SUSPECTS: usize = 2;
const EARLIER: usize = 5;

/// The headings, in order; the last but one only where there were earlier rounds.
pub const HEADINGS: [&str; 8] = [
    "Evidence",
    "Cause",
    "The change",
    "How it was verified",
    "Suspect commit",
    "How often",
    "Earlier rounds",
    "If you do not want it",
];

/// What is written on.
pub(super) struct Page<'w> {
    pub(super) out: String,
    pub(super) words: &'w mut Words,
    pub(super) rest: Rest,
    links: Links,
}

/// The body, and the comments with what it has no room for.
pub(super) fn write(
    of: &Material<'_>,
    patch: &AcceptedPatch,
    words: &mut Words,
) -> (String, Vec<String>) {
    let repository = of.case.repository_text();
    let mut page = Page {
        out: String::new(),
        words,
        rest: Rest::default(),
        links: Links::new(of.kind, repository.as_deref()),
    };
    page.what_happened(of);
    page.disclosure(of);
    let gap = page.out.len();
    page.evidence(of);
    page.cause(of);
    page.change(of, patch);
    page.heading(HEADINGS[3]);
    account::verified(&mut page, of.case.findings);
    page.suspects(of);
    page.how_often(of.case.incident);
    page.earlier(of);
    page.reject(of.case.incident);
    let head = format!("More about incident {}", of.case.incident.id);
    let Page {
        mut out,
        words,
        rest,
        ..
    } = page;
    let pages = rest.pages(&head);
    out.insert_str(gap, &missing(&pages, words.withheld()));
    (out, pages.texts)
}

/// What stands elsewhere or nowhere.
fn missing(pages: &Pages, withheld: u64) -> String {
    let mut out = String::new();
    let comments = pages.texts.len();
    if comments > 0 {
        let _ = write!(
            out,
            "\nWhat has no room here stands in {comments} comments."
        );
        if pages.lines > 0 || pages.characters > 0 {
            let _ = write!(
                out,
                " {} further lines and {} characters of text have no room there either.",
                pages.lines, pages.characters
            );
        }
        out.push('\n');
    }
    if withheld > 0 {
        let _ = writeln!(
            out,
            "\n{withheld} texts could not be searched for secrets, and are withheld."
        );
    }
    out
}

impl Page<'_> {
    /// One line; writing to a string cannot fail.
    pub(super) fn line(&mut self, line: Arguments<'_>) {
        let _ = self.out.write_fmt(line);
        self.out.push('\n');
    }

    fn heading(&mut self, text: &str) {
        self.line(format_args!("\n## {text}\n"));
    }

    /// A text that others wrote, with what has no room put aside.
    fn said(&mut self, text: &str, room: usize, what: &'static str) -> String {
        let said = self.words.prose(text, room);
        if said.left.is_empty() {
            return said.shown;
        }
        self.rest.prose(what, said.left);
        format!("{} … (more in a comment below)", said.shown)
    }

    /// `file:line`, linked where the host can show it and the path has nothing to hide.
    fn place(&mut self, commit: Option<&str>, file: &str, line: Option<u32>) -> String {
        let at = line.map_or(file.to_owned(), |line| format!("{file}:{line}"));
        let name = self.words.name(&at);
        let clean = self.words.is_clean(file) && file.len() <= 400;
        let link = commit.filter(|_| clean);
        match link.and_then(|commit| self.links.line(commit, file, line)) {
            Some(link) => format!("[{name}]({link})"),
            None => name,
        }
    }

    /// A commit by its digits; nothing else is taken for one.
    fn commit(&mut self, id: &str) -> String {
        if !is_commit(id) {
            return self.words.name(id);
        }
        match self.links.commit(id) {
            Some(link) => format!("[`{}`]({link})", short(id)),
            None => format!("`{}`", short(id)),
        }
    }

    fn what_happened(&mut self, of: &Material<'_>) {
        let incident = of.case.incident;
        let service = self.words.name(&incident.service);
        let did = match incident.kind {
            Kind::Crash => "crashed",
            Kind::Error => "logged an error",
            Kind::Oom => "was killed for its memory",
            Kind::Exit => "ended with a status other than 0",
            Kind::Watch => "met a watch",
            Kind::Rate => "left its usual rate",
            Kind::Environment => "met a fault around it",
        };
        let mut first = format!("{service} {did}");
        let raised = incident.exception();
        if let Some(kind) = raised.and_then(|raised| raised.kind.as_deref()) {
            let _ = write!(first, " with {}", self.words.name(kind));
        }
        let found = of.case.findings.location.as_ref();
        if let Some(place) = found.or(incident.location.as_ref()) {
            let at = self.place(of.case.commit_text(), &place.file, place.line);
            let _ = write!(first, " at {at}");
        }
        let said = raised.and_then(|raised| raised.message.as_deref());
        let said = said.filter(|said| !said.trim().is_empty());
        let said = self.words.short(said.unwrap_or(&incident.title), SENTENCE);
        let times = match incident.count {
            0 | 1 => "once".to_owned(),
            count => format!("{count} times"),
        };
        let deployed = of.case.commit_text().map(|id| self.commit(id));
        let deployed = deployed.map_or(String::new(), |id| format!(" while {id} was deployed"));
        self.line(format_args!(
            "{first}: {said}{}\nIt was seen {times}, first at {}{deployed}.",
            if said.ends_with(['.', '?']) { "" } else { "." },
            incident.first_seen.to_rfc3339()
        ));
    }

    fn disclosure(&mut self, of: &Material<'_>) {
        let by = of.case.findings.by_model.as_ref();
        let who = match (by.filter(|by| by.proposed), taken_back(of)) {
            (Some(by), _) => format!(
                "The change was written by the model {}.",
                self.words.name(&by.model)
            ),
            (None, Some(commit)) => {
                let commit = self.commit(commit);
                format!("It takes back commit {commit}, or a part of it.")
            }
            (None, None) => "It takes back an earlier change.".to_owned(),
        };
        self.line(format_args!(
            "\n> This request was made by a machine, autofix. {who} Nobody has reviewed it yet."
        ));
    }

    fn evidence(&mut self, of: &Material<'_>) {
        self.heading(HEADINGS[0]);
        let incident = of.case.incident;
        let (context, lines) = log(incident, self.words);
        if !context.is_empty() {
            self.line(format_args!("The log around it:\n"));
            self.ends(context, CONTEXT, "The log around it");
            self.out.push('\n');
        }
        self.line(format_args!("The lines of the fault:\n"));
        self.ends(lines, LOG, "The lines of the fault");
        self.out.push('\n');
        if let Some(outer) = incident
            .raised_as()
            .and_then(|raised| raised.kind.as_deref())
        {
            let outer = self.words.name(outer);
            self.line(format_args!("- It left the program as {outer}."));
        }
        let commit = of.case.commit_text();
        for frame in of.case.findings.located.iter().take(PLACES) {
            let at = self.place(commit, &frame.file, frame.line);
            let function = frame.function.as_deref().map(|name| self.words.name(name));
            let inside = function.map_or(String::new(), |name| format!(" in {name}"));
            let why = self.words.short(&frame.why, SENTENCE);
            self.line(format_args!("- {at}{inside}: {why}"));
        }
        let by = of.case.findings.by_model.as_ref();
        for cited in by.iter().flat_map(|by| by.evidence.iter().take(CITED)) {
            let cited = self.words.short(cited, SENTENCE);
            self.line(format_args!("- The model cites {cited}"));
        }
        let more = by.map_or(0, |by| by.evidence.len().saturating_sub(CITED));
        if more > 0 {
            self.line(format_args!("- {more} further citations are left out."));
        }
    }

    /// The first and the last lines, as many as have room; those between are put aside.
    fn ends(&mut self, lines: Vec<String>, room: usize, what: &'static str) {
        let (all, count) = block(&lines, room);
        if count == lines.len() {
            let text = if all.is_empty() {
                "(none)\n".to_owned()
            } else {
                all
            };
            self.out.push_str(&text);
            return;
        }
        let (head, first) = block(&lines, room / 2);
        let mut tail = lines.get(first..).unwrap_or_default();
        let mut end = block(tail, room / 2 - 100);
        // The end has room for as many lines of it as fit, from the last one back.
        while end.1 < tail.len() {
            let over = (tail.len() - end.1).div_ceil(2).max(1);
            tail = tail.get(over..).unwrap_or_default();
            end = block(tail, room / 2 - 100);
        }
        let left = lines.len() - first - end.1;
        self.out.push_str(&head);
        self.line(format_args!("\n{left} lines are left out here.\n"));
        self.out.push_str(&end.0);
        let between = lines.into_iter().skip(first).take(left).collect();
        self.rest.lines(what, between);
    }

    fn cause(&mut self, of: &Material<'_>) {
        self.heading(HEADINGS[1]);
        let found = of.case.findings;
        match found.by_model.as_ref().filter(|by| by.proposed) {
            Some(by) => {
                let cause = self.said(&by.cause, SAID, "The cause");
                self.line(format_args!("As the model says: {cause}"));
                match by.confidence {
                    Some(share) => self.line(format_args!(
                        "\n- Confidence: {share:.2} of 1, as the model says."
                    )),
                    None => self.line(format_args!("\n- Confidence: the model names none.")),
                }
                for unsure in by.unsure.iter().take(PLACES) {
                    let unsure = self.words.short(unsure, SENTENCE);
                    self.line(format_args!("- Not sure: {unsure}"));
                }
            }
            None => {
                let why = self.said(&found.why, SAID, "The cause");
                self.line(format_args!("What was found: {why}"));
                if let Some(suspect) = found.suspects.first() {
                    self.line(format_args!(
                        "\n- Confidence: {:.2} of 1 that this commit brought the fault.",
                        suspect.score
                    ));
                }
            }
        }
        if let Some(place) = &found.location {
            self.line(format_args!(
                "- Confidence in the place: {:.2} of 1.",
                place.confidence
            ));
        }
    }

    fn change(&mut self, of: &Material<'_>, patch: &AcceptedPatch) {
        self.heading(HEADINGS[2]);
        let found = of.case.findings;
        self.line(format_args!(
            "Lines added: {}, removed: {}, in:\n",
            patch.added(),
            patch.removed()
        ));
        let mut room = FILES;
        for (at, file) in patch.files().iter().enumerate() {
            let name = self.words.name(file);
            if size(&name) + 3 > room {
                let more = patch.files().len() - at;
                self.line(format_args!("- and {more} further files"));
                break;
            }
            room -= size(&name) + 3;
            self.line(format_args!("- {name}"));
        }
        let branch = match of.settings.forge.base.as_deref() {
            Some(branch) => format!("branch {}", self.words.name(branch)),
            None => "the default branch".to_owned(),
        };
        let base = self.commit(patch.base());
        let onto = match &found.onward {
            Some(Onward::Same { .. }) => {
                let deployed = found.patch.as_ref().map(|patch| self.commit(patch.base()));
                let deployed = deployed.unwrap_or_else(|| "the deployed commit".to_owned());
                format!(
                    "It is made for the end of {branch}, {base}: the fix of the deployed commit \
                     {deployed}, carried there."
                )
            }
            Some(Onward::AtHead)
            | Some(Onward::Conflict { .. })
            | Some(Onward::AlreadyGone { .. })
            | None => {
                format!("It is made for the end of {branch}, {base}, which is the deployed commit.")
            }
        };
        self.line(format_args!("\n{onto}"));
        match found.by_model.as_ref().filter(|by| by.proposed) {
            Some(by) if !by.risk.trim().is_empty() => {
                let risk = self.said(&by.risk, RISK, "The risk");
                self.line(format_args!("\nRisk, as the model says: {risk}"));
            }
            Some(_) => self.line(format_args!("\nRisk: the model names none.")),
            None => self.line(format_args!(
                "\nRisk: what the commit was made for is lost where it is taken back."
            )),
        }
    }

    fn suspects(&mut self, of: &Material<'_>) {
        self.heading(HEADINGS[4]);
        let suspects = &of.case.findings.suspects;
        if suspects.is_empty() {
            self.line(format_args!("No commit is suspected."));
        }
        for suspect in suspects.iter().take(SUSPECTS) {
            let commit = self.commit(&suspect.commit);
            let summary = self.words.name(&suspect.summary);
            let author = suspect.author.as_deref().unwrap_or("nobody named");
            let author = self.words.name(author);
            let why = self.words.short(&suspect.why, SENTENCE);
            let date = suspect.date.to_rfc3339();
            self.line(format_args!(
                "- {commit} {summary} by {author}, {date}: {why}"
            ));
        }
        let more = suspects.len().saturating_sub(SUSPECTS);
        if more > 0 {
            self.line(format_args!("- {more} further commits come into question."));
        }
    }

    fn how_often(&mut self, incident: &Incident) {
        self.heading(HEADINGS[5]);
        self.line(format_args!(
            "- Seen: {}\n- First: {}\n- Last: {}",
            incident.count.max(1),
            incident.first_seen.to_rfc3339(),
            incident.last_seen.to_rfc3339()
        ));
        if let Some(watch) = &incident.watch {
            let watch = self.words.name(watch);
            self.line(format_args!("- Label: {watch}"));
        }
        let reason = self.words.short(&incident.reason, SENTENCE);
        self.line(format_args!("- Noticed by: {reason}"));
    }

    fn earlier(&mut self, of: &Material<'_>) {
        if of.round == 0 && of.earlier.is_empty() {
            return;
        }
        self.heading(HEADINGS[6]);
        self.line(format_args!(
            "Fixes of this fault that were merged and did not hold: {}.\n",
            of.round
        ));
        let left = of.earlier.len().saturating_sub(EARLIER);
        for earlier in of.earlier.iter().skip(left) {
            let name = self.words.name(&earlier.pull);
            let pull = match self.links.known(&earlier.pull) {
                Some(link) if size(&link) <= 400 => format!("[{name}]({link})"),
                _ => name,
            };
            let outcome = self.words.short(&earlier.outcome, SENTENCE / 2);
            self.line(format_args!(
                "- {pull}: {outcome}; times that the fault came back: {}",
                earlier.came_back
            ));
        }
        if left > 0 {
            self.line(format_args!("- {left} older ones are left out."));
        }
    }

    fn reject(&mut self, incident: &Incident) {
        self.heading(HEADINGS[7]);
        let id = incident.id;
        self.line(format_args!(
            "- Close it without merging: this fault is then muted until `autofix unmute {id}`.\n\
             - To look deeper: `autofix why {id}`."
        ));
    }
}

/// The lines around the fault and those of the fault, redacted together: a key that is printed
/// over several lines is one.
fn log(incident: &Incident, words: &mut Words) -> (Vec<String>, Vec<String>) {
    let around = incident.context.iter().map(|line| {
        let from = line.from.as_ref().map(|from| format!("[{from}] "));
        let text = line.text.trim_end().replace(['\n', '\r'], " ⏎ ");
        format!(
            "{}  {}{text}",
            line.time.to_rfc3339(),
            from.unwrap_or_default()
        )
    });
    let around: Vec<String> = around.collect();
    let fault = incident.lines.iter().flat_map(|record| record.lines());
    let all: Vec<&str> = around.iter().map(String::as_str).chain(fault).collect();
    if all.is_empty() {
        return (Vec::new(), Vec::new());
    }
    words.lines(&all.join("\n"), around.len())
}
