//! The part of a report that a model's investigation fills: its words, and what was checked of them.

use super::{ENTRIES, Page, first};
use crate::deliver::markdown::{code, sentence};
use crate::investigate::ByModel;

impl Page {
    /// What a model found: its words, and what was checked of them.
    pub(super) fn by_model(&mut self, by: Option<&ByModel>) {
        let Some(by) = by else { return };
        self.heading("What a model found");
        self.line(format_args!(
            "{} at {}, {} tokens, ${:.4}.\n",
            code(&by.model),
            code(&by.api),
            by.tokens,
            by.usd
        ));
        if by.proposed {
            let names: Vec<&str> = by.passed.iter().map(|(gate, _)| gate.as_str()).collect();
            self.line(format_args!(
                "Its proposal passed every check ({}). Its words are its own:\n",
                names.join(", ")
            ));
        } else {
            let why = by.why_none.as_deref().unwrap_or_default();
            self.line(format_args!("No patch of it: {}\n", sentence(why)));
        }
        for (gate, why) in &by.stopped {
            self.line(format_args!("- stopped by {gate}: {}", sentence(why)));
        }
        let confidence = by.confidence.map(|share| format!("{share:.2}, as it says"));
        for (name, text) in [
            ("cause", by.cause.as_str()),
            ("confidence", confidence.as_deref().unwrap_or_default()),
            ("risk", by.risk.as_str()),
            ("how to verify", by.verify.as_str()),
        ] {
            if !text.is_empty() {
                self.line(format_args!("- {name}: {}", sentence(text)));
            }
        }
        for (name, texts) in [
            ("evidence", &by.evidence),
            ("not sure", &by.unsure),
            ("regression test", &by.tests),
            ("not checked", &by.notes),
        ] {
            for text in first(texts, ENTRIES, name, &mut self.cuts) {
                self.line(format_args!("- {name}: {}", sentence(text)));
            }
        }
    }
}
