//! The keys that name a model, and how far text may go to it.

use super::Reader;
use crate::config::triage::{self, Reach, Speaks, Triage, TriageModel};
use crate::config::value::{self, Wrong};
use crate::registry::Complaint;
use crate::registry::service::Egress;

impl Reader<'_> {
    pub(super) fn triage(&mut self) -> Triage {
        let base = Triage::default();
        let entries = self.read("Triage_Batch_Lines", |text| value::number(text, 1, 500));
        let model = self.triage_model();
        Triage {
            entries: entries.map_or(base.entries, |n| usize::try_from(n).unwrap_or(base.entries)),
            wait: self
                .read("Triage_Batch_Seconds", triage::seconds)
                .unwrap_or(base.wait),
            egress: self.egress(model.as_ref()),
            model,
        }
    }

    fn triage_model(&mut self) -> Option<TriageModel> {
        let speaks = self.read("Triage", speaks).flatten();
        let url = self.read("Triage_Url", triage::url);
        let model = self.read("Triage_Model", triage::model);
        let key = self.secret("Triage_Key_Env", "Triage_Key_File");
        let speaks = speaks?;
        if speaks == Speaks::OpenAi && self.entry("Triage_Url").is_none() {
            let place = self.entry("Triage").map(|entry| entry.place.clone());
            self.complaints.push(Complaint::fault(
                place.unwrap_or_default(),
                "`Triage openai` without `Triage_Url`",
                "write the server's address, such as Triage_Url http://127.0.0.1:8080",
            ));
        }
        Some(TriageModel {
            speaks,
            url: url.unwrap_or_else(|| triage::OLLAMA.to_owned()),
            model: model.unwrap_or_else(|| triage::MODEL.to_owned()),
            key,
        })
    }

    fn egress(&mut self, model: Option<&TriageModel>) -> Egress {
        let set = self.read("Egress", triage::egress);
        let reach = model.map(|model| triage::reach(&model.url));
        match (set, reach) {
            (None, Some(Reach::Loopback)) => Egress::Local,
            (None, None) => Egress::None,
            (None, Some(Reach::Own | Reach::Elsewhere)) if self.entry("Egress").is_none() => {
                let entry = self.entry("Triage_Url").or_else(|| self.entry("Triage"));
                self.complaints.push(Complaint::warning(
                    entry.map(|entry| entry.place.clone()).unwrap_or_default(),
                    "the model is not on this host and `Egress` is not set, so it is asked only of \
                     services whose `egress` allows it",
                    "write Egress local for a private network, or Egress cloud",
                ));
                Egress::None
            }
            (None, Some(Reach::Own | Reach::Elsewhere)) => Egress::None,
            (Some(egress), Some(reach)) if !triage::allows(egress, reach) => {
                let entry = self.entry("Egress");
                self.complaints.push(Complaint::warning(
                    entry.map(|entry| entry.place.clone()).unwrap_or_default(),
                    "`Egress` does not reach as far as `Triage_Url`, so the model is asked only of \
                     services whose `egress` allows it",
                    "raise Egress, or name a model that is nearer",
                ));
                egress
            }
            (Some(egress), _) => egress,
        }
    }
}

/// `None`: nobody is spoken to.
fn speaks(text: &str) -> Result<Option<Speaks>, Wrong> {
    let words = [
        ("rules", None),
        ("ollama", Some(Speaks::Ollama)),
        ("openai", Some(Speaks::OpenAi)),
    ];
    value::word(text, &words)
}
