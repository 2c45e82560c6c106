//! Cases for tests of this room.

use crate::investigate::{Excerpt, Findings, Suspect};
use crate::model::{
    Block, CommitId, ContextLine, Frame, Incident, IncidentId, Kind, Language, Location, Raised,
    Status, Timestamp, Trace,
};
use crate::source::locate::{Evidence, Located, Place};

pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub fn incident() -> Incident {
    let frame = Frame {
        file: Some("/app/orders/vouchers.py".to_owned()),
        line: Some(31),
        function: Some("discount".to_owned()),
    };
    let raised = Raised {
        kind: Some("KeyError".to_owned()),
        message: Some("'SUMMER25'".to_owned()),
    };
    Incident {
        id: IncidentId(7),
        service: "orders".to_owned(),
        fingerprint: "v1:00ff".to_owned(),
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
        lines: vec!["Traceback (most recent call last):".to_owned()],
        context: vec![ContextLine {
            time: Timestamp::from_parts(1_772_366_400, 0),
            text: "INFO order A-1".to_owned(),
            from: None,
        }],
        stream: "app.log stdout".to_owned(),
        first_seen: Timestamp::from_parts(1_772_366_400, 0),
        last_seen: Timestamp::from_parts(1_772_366_460, 0),
        count: 4,
        commit: CommitId::parse(COMMIT),
        status: Status::Reported,
        reason: "a Python exception that nobody caught".to_owned(),
        watch: None,
        location: None,
        proposal: None,
        previous: None,
        parent: None,
    }
}

pub fn findings() -> Findings {
    Findings {
        located: vec![Located {
            rank: 1,
            file: "orders/vouchers.py".to_owned(),
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
            file: "orders/vouchers.py".to_owned(),
            line: Some(31),
            function: Some("discount".to_owned()),
            confidence: 0.95,
        }),
        places: vec![Place {
            rank: 1,
            file: "orders/campaign.py".to_owned(),
            line: Some(4),
            function: None,
            confidence: 0.3,
            why: "holds the text SUMMER25 of the message".to_owned(),
            evidence: vec![Evidence::Name],
        }],
        excerpts: vec![Excerpt {
            file: "orders/vouchers.py".to_owned(),
            first_line: 30,
            lines: vec![
                "def discount(code):".to_owned(),
                "    return V[code]".to_owned(),
            ],
            marked: Some(31),
        }],
        suspects: vec![Suspect {
            commit: COMMIT.to_owned(),
            author: Some("Jonas Lindqvist".to_owned()),
            date: Timestamp::from_parts(1_772_000_000, 0),
            summary: "Let vouchers end".to_owned(),
            files: vec!["orders/vouchers.py".to_owned()],
            why: "its change covers line 31".to_owned(),
            score: 0.9,
        }],
        tried: vec!["took back the whole commit: it does not come off".to_owned()],
        patch: None,
        by_model: None,
        why: "the suspect is a merge".to_owned(),
        notes: vec!["history was read for 2 s only".to_owned()],
    }
}
