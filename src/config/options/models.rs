//! The keys that name a model, and how far text may go to it.

use super::Reader;
use crate::config::address::{self, Reach};
use crate::config::fixer;
use crate::config::triage::{self, Speaks, Triage, TriageModel};
use crate::config::value::{self, Wrong};
use crate::model::service::{Api, Budget, Fixer, FixerModel, Prices, TokenSource};
use crate::registry::Complaint;
use crate::registry::service::Egress;

impl Reader<'_> {
    pub(super) fn triage(&mut self) -> Triage {
        let base = Triage::default();
        let entries = self.read("Triage_Batch_Lines", |text| value::number(text, 1, 500));
        Triage {
            entries: entries.map_or(base.entries, |n| usize::try_from(n).unwrap_or(base.entries)),
            wait: self
                .read("Triage_Batch_Seconds", triage::seconds)
                .unwrap_or(base.wait),
            model: self.triage_model(),
        }
    }

    fn triage_model(&mut self) -> Option<TriageModel> {
        let speaks = self.read("Triage", speaks).flatten();
        let url = self.read("Triage_Url", address::url);
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

    /// How far text may go, with a word about each model that it does not reach.
    pub(super) fn egress(
        &mut self,
        triage: Option<&TriageModel>,
        fixer: Option<&FixerModel>,
    ) -> Egress {
        let asked = [
            ("Triage", triage.map(|model| address::reach(&model.url))),
            ("Fixer", fixer.map(|model| address::reach(&model.url))),
        ];
        let set = self.read("Egress", address::egress);
        let near = asked
            .iter()
            .any(|(_, reach)| *reach == Some(Reach::Loopback));
        let egress = set.unwrap_or(if near { Egress::Local } else { Egress::None });
        for (key, reach) in asked {
            let Some(reach) = reach.filter(|reach| !address::allows(egress, *reach)) else {
                continue;
            };
            let url = format!("{key}_Url");
            let entry = match self.entry("Egress") {
                Some(entry) => Some(entry),
                None => self.entry(&url).or_else(|| self.entry(key)),
            };
            let place = entry.map(|entry| entry.place.clone()).unwrap_or_default();
            let (what, remedy) = match (set, reach) {
                (None, _) => (
                    format!(
                        "the model of `{key}` is not on this host and `Egress` is not set, so it is \
                         asked only of services whose `egress` allows it"
                    ),
                    "write Egress local for a private network, or Egress cloud",
                ),
                (Some(_), Reach::Loopback | Reach::Own | Reach::Elsewhere) => (
                    format!(
                        "`Egress` does not reach as far as `{url}`, so the model is asked only of \
                         services whose `egress` allows it"
                    ),
                    "raise Egress, or name a model that is nearer",
                ),
            };
            self.complaints
                .push(Complaint::warning(place, what, remedy));
        }
        egress
    }

    /// Who makes proposals, with the model for it; whether text may go there is not decided here.
    pub(super) fn fixer(&mut self) -> (Fixer, Option<FixerModel>) {
        let word = self.read("Fixer", fixer_word).unwrap_or_default();
        let url = self.read("Fixer_Url", address::url);
        let name = self.read("Fixer_Model", triage::model);
        let key = self.secret("Fixer_Key_Env", "Fixer_Key_File");
        let region = self.read("Fixer_Region", fixer::region);
        let prices = self.read("Fixer_Prices", fixer::prices);
        let named = url.is_some() || name.is_some() || key.is_some();
        let (who, api) = match word {
            Chosen::Auto if named => (Fixer::Auto, Api::Anthropic),
            Chosen::Auto => return (Fixer::Auto, None),
            Chosen::Revert => return (Fixer::Revert, None),
            Chosen::Off => return (Fixer::Off, None),
            Chosen::Model(api) => (Fixer::Model, api),
        };
        let Some(url) = url.or_else(|| fixer::default_url(api, region.as_deref())) else {
            let (missing, example) = match api {
                Api::Bedrock => ("Fixer_Region", "Fixer_Region eu-central-1"),
                Api::Anthropic | Api::OpenAi | Api::Ollama => {
                    ("Fixer_Url", "Fixer_Url https://HOST/v1")
                }
            };
            self.fixer_lacks(api, missing, example);
            return (who, None);
        };
        let name = match (name, api) {
            (Some(name), _) => name,
            (None, Api::Anthropic) => fixer::MODEL.to_owned(),
            (None, Api::Bedrock | Api::OpenAi | Api::Ollama) => {
                self.fixer_lacks(
                    api,
                    "Fixer_Model",
                    "Fixer_Model NAME, as the server calls it",
                );
                return (who, None);
            }
        };
        let own_key = || TokenSource::Variable(fixer::KEY_VARIABLE.to_owned());
        let key = match api {
            Api::Anthropic => key.or_else(|| (url == fixer::ANTHROPIC).then(own_key)),
            Api::Bedrock | Api::OpenAi | Api::Ollama => key,
        };
        let near = address::reach(&url) != Reach::Elsewhere;
        let own = near.then(Prices::default);
        let Some(prices) = prices.or(own).or_else(|| fixer::known_prices(&name)) else {
            self.fixer_lacks(
                api,
                "Fixer_Prices",
                "Fixer_Prices 4 20 5 0.2: US dollars for a million tokens of input, output, cache \
                 write, cache read; 0 0 where nothing is paid",
            );
            return (who, None);
        };
        let model = FixerModel {
            api,
            url,
            region,
            model: name,
            key,
            prices,
            may_be_sent: false,
        };
        (who, Some(model))
    }

    fn fixer_lacks(&mut self, api: Api, key: &str, remedy: &str) {
        let entry = self.entry("Fixer").or_else(|| self.entry("Fixer_Model"));
        let place = entry.map(|entry| entry.place.clone()).unwrap_or_default();
        let what = format!("`Fixer {}` without `{key}`", api.word());
        self.complaints
            .push(Complaint::fault(place, what, format!("write {remedy}")));
    }

    pub(super) fn budget(&mut self) -> Budget {
        let base = Budget::default();
        Budget {
            per_day: self
                .read("Budget_Per_Day", fixer::dollars)
                .unwrap_or(base.per_day),
            on_ephemeral: self
                .read("Spend_On_Ephemeral", value::on_off)
                .unwrap_or(base.on_ephemeral),
        }
    }
}

#[derive(Clone, Copy, Default)]
enum Chosen {
    #[default]
    Auto,
    Revert,
    Off,
    Model(Api),
}

fn fixer_word(text: &str) -> Result<Chosen, Wrong> {
    let words = [
        ("auto", Chosen::Auto),
        ("revert", Chosen::Revert),
        ("off", Chosen::Off),
        ("anthropic", Chosen::Model(Api::Anthropic)),
        ("bedrock", Chosen::Model(Api::Bedrock)),
        ("openai", Chosen::Model(Api::OpenAi)),
        ("ollama", Chosen::Model(Api::Ollama)),
    ];
    value::word(text, &words)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;
    use crate::config::entry::given;
    use crate::model::service::Usd;
    use std::path::Path;

    fn read(entries: &[(&str, &str)]) -> Result<Options, String> {
        let entries: Vec<_> = entries
            .iter()
            .map(|(key, value)| given(key, value, Path::new("/")))
            .collect();
        crate::config::from_entries(&entries)
            .map_err(|all| all.iter().map(|one| format!("{one}\n")).collect())
    }

    #[test]
    fn auto_is_a_model_only_where_one_is_named() {
        assert_eq!(read(&[]).unwrap().fixer_model, None);
        let options = read(&[("Fixer_Key_Env", "KEY"), ("Egress", "cloud")]).unwrap();
        let model = options.fixer_model.clone().unwrap();
        assert_eq!(options.fixer, Fixer::Auto);
        assert_eq!(
            (model.api, model.model.as_str()),
            (Api::Anthropic, fixer::MODEL)
        );
        assert_eq!(model.url, fixer::ANTHROPIC);
        assert_eq!(model.prices.output, Usd::dollars(20));
        assert!(options.unregistered("x").model.unwrap().may_be_sent);
        let options = read(&[("Fixer", "anthropic")]).unwrap();
        assert!(options.warnings[0].what.contains("`Egress` is not set"));
        assert!(!options.unregistered("x").model.unwrap().may_be_sent);
        let options = read(&[("Fixer", "revert"), ("Fixer_Model", "x")]).unwrap();
        assert_eq!(options.fixer_model, None);
    }

    #[test]
    fn what_a_protocol_needs_is_asked_for() {
        for (entries, missing) in [
            (
                &[("Fixer", "openai")][..],
                "`Fixer openai` without `Fixer_Url`",
            ),
            (
                &[("Fixer", "bedrock")],
                "`Fixer bedrock` without `Fixer_Region`",
            ),
            (
                &[("Fixer", "ollama")],
                "`Fixer ollama` without `Fixer_Model`",
            ),
            (
                &[
                    ("Fixer", "openai"),
                    ("Fixer_Url", "https://a.example/v1"),
                    ("Fixer_Model", "m"),
                ],
                "`Fixer openai` without `Fixer_Prices`",
            ),
        ] {
            let fault = read(entries).unwrap_err();
            assert!(fault.contains(missing), "{fault}");
        }
        let near = [
            ("Fixer", "openai"),
            ("Fixer_Url", "http://127.0.0.1:8080"),
            ("Fixer_Model", "m"),
        ];
        let model = read(&near).unwrap().fixer_model.unwrap();
        assert!(model.prices.are_none() && model.key.is_none());
        let bedrock = [
            ("Fixer", "bedrock"),
            ("Fixer_Region", "eu-central-1"),
            ("Fixer_Model", "eu.anthropic.claude-opus-5-5-v1:0"),
        ];
        let model = read(&bedrock).unwrap().fixer_model.unwrap();
        assert_eq!(
            model.url,
            "https://bedrock-runtime.eu-central-1.amazonaws.com"
        );
    }
}
