//! What came of a model's investigation, as reports show it. Its words are claims until every gate
//! passed, and stay words after.

use crate::investigate::inquiry::NoPatch;
use crate::llm::Endpoint;
use crate::patch::answer::{Answer, Evidence};
use crate::patch::gate::{Gate, Judged};
use serde::Serialize;

/// A model's part in the findings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ByModel {
    /// `anthropic`, `bedrock`, `openai` or `ollama`.
    pub api: String,
    pub model: String,
    /// The patch is the model's: every check passed.
    pub proposed: bool,
    /// In its words; empty where it gave none.
    pub cause: String,
    /// 0 to 1, as it says.
    pub confidence: Option<f64>,
    pub evidence: Vec<String>,
    pub risk: String,
    pub verify: String,
    pub unsure: Vec<String>,
    /// Paths of the regression test in the patch.
    pub tests: Vec<String>,
    /// The checks that passed, with what they saw.
    pub passed: Vec<(String, String)>,
    /// The checks that stopped a proposal, with the reason, in turn.
    pub stopped: Vec<(String, String)>,
    /// What the checks could not look at.
    pub notes: Vec<String>,
    /// What recovery it asked for, and what became of that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<String>,
    /// Why there is no patch of the model.
    pub why_none: Option<String>,
    /// US dollars, for all of it.
    pub usd: f64,
    pub tokens: u64,
}

impl ByModel {
    pub fn of(endpoint: &Endpoint) -> ByModel {
        ByModel {
            api: endpoint.api.clone(),
            model: endpoint.model.clone(),
            ..ByModel::default()
        }
    }

    pub fn proposing(self, answer: &Answer, judged: &Judged) -> ByModel {
        ByModel {
            proposed: true,
            tests: judged.tests.clone(),
            passed: words(&judged.passed),
            notes: judged.notes.clone(),
            ..self.saying(answer)
        }
    }

    pub fn without_patch(self, end: &NoPatch) -> ByModel {
        let mut by = match &end.answer {
            Some(answer) => self.saying(answer),
            None => self,
        };
        if let Some(gave_up) = &end.gave_up {
            by.cause.clone_from(&gave_up.cause);
        }
        by.stopped = end
            .stopped
            .iter()
            .map(|one| (one.gate.word().to_owned(), one.why.clone()))
            .collect();
        by.why_none = Some(end.why.clone());
        by
    }

    fn saying(self, answer: &Answer) -> ByModel {
        ByModel {
            cause: answer.cause.clone(),
            confidence: Some(answer.confidence),
            evidence: answer.evidence.iter().map(cited).collect(),
            risk: answer.risk.clone(),
            verify: answer.verify.clone(),
            unsure: answer.unsure.clone(),
            ..self
        }
    }
}

fn cited(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Log { id, quote } => format!("log line {id}: {quote}"),
        Evidence::Source { file, line, quote } => format!("{file}:{line}: {quote}"),
    }
}

fn words(passed: &[(Gate, String)]) -> Vec<(String, String)> {
    passed
        .iter()
        .map(|(gate, said)| (gate.word().to_owned(), said.clone()))
        .collect()
}
