//! Cases that orders are made of.

use crate::sample::{Sample, at};
use autofix::deliver::Case;
use autofix::deliver::order::{Earlier, Material};
use autofix::investigate::{ByModel, Excerpt, Findings, Onward, Suspect};
use autofix::model::delivery::{FileChange, ForgeKind};
use autofix::model::{
    Block, CommitId, ContextLine, Frame, Incident, IncidentId, Kind, Language, Location, Raised,
    Settings, Status, Timestamp, Trace,
};
use autofix::patch::verify::{How, Ran, Run, Verdict, Verified};
use autofix::patch::{AcceptedPatch, Rules, accept, files};
use autofix::redact::Redactor;
use autofix::source::diff::Edit;
use autofix::source::locate::Located;

pub const SUSPECT: &str = "89abcdef0123456789abcdef0123456789abcdef";
pub const REPOSITORY: &str = "https://bot:hunter2@git.example/acme/shop.git";
pub const LINKS: &str = "https://git.example/acme/shop/";

/// A change of one file, and the file whole.
pub struct Change {
    pub patch: AcceptedPatch,
    pub files: Vec<FileChange>,
}

/// A change in a repository of its own; its commits have the same ids at every run.
pub fn change(path: &str) -> Change {
    let sample = Sample::new();
    let old = "def discount(code):\n    return V[code]\n";
    let base = sample.commit(9.0, "first", &[(path, Some(old))]);
    let repo = sample.open();
    let edit = Edit {
        path: path.to_owned(),
        content: Some(old.replace("V[code]", "V.get(code)").into_bytes()),
        new_mode: 0o100_644,
    };
    let patch = accept(&repo, at(&repo, &base), &[edit], &Rules::default()).unwrap();
    let files = files::files(&repo, &patch).unwrap();
    Change { patch, files }
}

/// All that an order is made of.
pub struct World {
    pub incident: Incident,
    pub findings: Findings,
    pub settings: Settings,
    pub files: Vec<FileChange>,
    pub base: String,
    pub kind: ForgeKind,
    pub round: u32,
    pub earlier: Vec<Earlier>,
    pub codeowners: Option<String>,
    pub redactor: Redactor,
}

impl World {
    /// A fault whose suspect was taken back.
    pub fn revert(change: &Change) -> World {
        let base = change.patch.base().to_owned();
        World {
            incident: incident(&base),
            findings: Findings {
                patch: Some(change.patch.clone()),
                onward: Some(Onward::AtHead),
                why: "took back 89abcdef0123: its change covers line 31".to_owned(),
                ..findings()
            },
            settings: Settings {
                service: "orders".to_owned(),
                ..Settings::default()
            },
            files: change.files.clone(),
            base,
            kind: ForgeKind::Github,
            round: 0,
            earlier: Vec::new(),
            codeowners: None,
            redactor: Redactor::new(&autofix::redact::Settings::default()).unwrap(),
        }
    }

    /// A model's fix that the service's tests prove.
    pub fn proven(change: &Change) -> World {
        let mut world = World::revert(change);
        world.findings.by_model = Some(ByModel {
            api: "anthropic".to_owned(),
            model: "claude-sonnet".to_owned(),
            proposed: true,
            cause: "`discount` takes a code that is not in `V`, e.g. an old one.".to_owned(),
            confidence: Some(0.85),
            evidence: vec!["log line L1: KeyError: 'SUMMER25'".to_owned()],
            risk: "An unknown code now gives no discount.".to_owned(),
            verify: "Order with an unknown code.".to_owned(),
            unsure: vec!["whether the caller expects a number".to_owned()],
            tests: Vec::new(),
            passed: vec![("evidence".to_owned(), "1 line".to_owned())],
            ..ByModel::default()
        });
        let run = |passed| Run {
            passed,
            status: Some(i32::from(!passed)),
            seconds: 1.25,
            output: "1 failed".to_owned(),
            ended: How::Exited,
        };
        world.findings.verified = Some(Verified::Ran(Box::new(Ran {
            before: run(true),
            without_fix: Some(run(false)),
            with_fix: run(true),
            verdict: Verdict::Proven,
            notes: Vec::new(),
        })));
        world
    }

    pub fn case(&self) -> Case<'_> {
        Case {
            incident: &self.incident,
            findings: &self.findings,
            repository: Some(REPOSITORY),
            commit: Some(&self.base),
        }
    }

    pub fn material(&self) -> Material<'_> {
        Material {
            case: self.case(),
            settings: &self.settings,
            round: self.round,
            redactor: &self.redactor,
            files: self.files.clone(),
            base_commit: &self.base,
            kind: self.kind,
            codeowners: self.codeowners.as_deref(),
            earlier: &self.earlier,
        }
    }
}

fn incident(commit: &str) -> Incident {
    let frame = Frame {
        file: Some("/app/orders/vouchers.py".to_owned()),
        line: Some(31),
        function: Some("discount".to_owned()),
    };
    let raised = Raised {
        kind: Some("KeyError".to_owned()),
        message: Some("'SUMMER25'".to_owned()),
    };
    let second = |at: i64| Timestamp::from_parts(1_772_366_400 + at, 0);
    Incident {
        id: IncidentId(7),
        service: "orders".to_owned(),
        fingerprint: "v1:00112233445566778899aabbccddeeff".to_owned(),
        kind: Kind::Crash,
        title: "KeyError: 'SUMMER25'".to_owned(),
        trace: Some(Trace {
            language: Language::Python,
            blocks: vec![Block {
                raised,
                frames: 0..1,
            }],
            root: 0,
            outermost: 0,
            frames: vec![frame],
        }),
        lines: vec![
            "Traceback (most recent call last):\n  File \"/app/orders/vouchers.py\", line 31\n    \
             return V[code]\nKeyError: 'SUMMER25'"
                .to_owned(),
        ],
        context: vec![ContextLine {
            time: second(-1),
            text: "INFO order A-1 of jane@acme.example".to_owned(),
            from: None,
        }],
        stream: "app.log stdout".to_owned(),
        first_seen: second(0),
        last_seen: second(60),
        count: 4,
        commit: CommitId::parse(commit),
        status: Status::Proposed,
        reason: "a Python exception that nobody caught".to_owned(),
        watch: None,
        location: None,
        proposal: None,
        previous: None,
        parent: None,
    }
}

fn findings() -> Findings {
    let file = "orders/vouchers.py".to_owned();
    Findings {
        located: vec![Located {
            rank: 1,
            file: file.clone(),
            line: Some(31),
            function: Some("discount".to_owned()),
            confidence: 0.95,
            why: "the path without /app".to_owned(),
            frame: 0,
            own: true,
            mapped: 0.95,
            tied: 1,
        }],
        location: Some(Location {
            file: file.clone(),
            line: Some(31),
            function: Some("discount".to_owned()),
            confidence: 0.95,
        }),
        excerpts: vec![Excerpt {
            file: file.clone(),
            first_line: 31,
            lines: vec!["    return V[code]".to_owned()],
            marked: Some(31),
        }],
        suspects: vec![Suspect {
            commit: SUSPECT.to_owned(),
            author: Some("Jonas Lindqvist".to_owned()),
            date: Timestamp::from_parts(1_772_000_000, 0),
            summary: "Let vouchers end".to_owned(),
            files: vec![file],
            why: "its change covers line 31".to_owned(),
            score: 0.9,
        }],
        ..Findings::default()
    }
}
