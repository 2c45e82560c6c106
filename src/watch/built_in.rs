//! The watches that are always there. Not here: rules that make an incident of a single line.

use super::language::{Match, Operand, Test};
use super::parse::Watch;
use super::{Owner, Scope};
use crate::record::HTTP_STATUS;
use std::time::Duration;

/// Label of the watch on answers of the server-error class.
pub const HTTP_5XX: &str = "http_5xx";

/// Every built-in watch.
pub fn built_in() -> Vec<Watch> {
    vec![http_5xx()]
}

/// Ten answers with a status of 500 to 599 within a minute, for each service.
fn http_5xx() -> Watch {
    Watch {
        label: HTTP_5XX.to_owned(),
        matches: Match::Field {
            path: HTTP_STATUS.to_owned(),
            tests: vec![
                Test::AtLeast(Operand::Int(500)),
                Test::Below(Operand::Int(600)),
            ],
        },
        window: Duration::from_secs(60),
        threshold: 10,
        group_by: Vec::new(),
        scope: Scope::Everywhere,
        owner: Owner::BuiltIn,
        expires: None,
        summary: "HTTP answers with a status of 500 to 599".to_owned(),
    }
}
