//! Whether the model that investigates can be asked: its key is there, and a server of one's own has the
//! model. Nothing is shown to it and nothing is paid.

use crate::config::triage::{Speaks, TriageModel};
use crate::config::{Complaint, Options, Place, aws, credentials, environment};
use crate::model::service::{Api, FixerModel};
use crate::net::Http;
use crate::plugin;
use std::time::Duration;

/// Time for a server's answer.
const WITHIN: Duration = Duration::from_secs(10);

/// `None`: no model is set.
pub(super) fn check(settings: &Options, offline: bool) -> Option<Result<String, Complaint>> {
    let model = settings.fixer_model.as_ref()?;
    let name = format!("Fixer: {} at {}", model.model, model.url);
    Some(match model.api {
        Api::Anthropic => {
            key(model).map(|()| format!("{name}: its key is there; it was not asked"))
        }
        Api::Bedrock => match aws::provider() {
            Ok(_) => Ok(format!(
                "{name}: keys of a role are there; it was not asked"
            )),
            Err(fault) => Err(warning(format!("{name}: {fault}"), "")),
        },
        Api::OpenAi | Api::Ollama => match key(model) {
            Err(complaint) => Err(complaint),
            Ok(()) if offline => return None,
            Ok(()) => look(model, &name),
        },
    })
}

fn warning(what: String, remedy: &str) -> Complaint {
    Complaint::warning(Place::default(), what, remedy)
}

/// It may be set where Fluent Bit runs, so that its absence here is no fault.
fn key(model: &FixerModel) -> Result<(), Complaint> {
    match &model.key {
        Some(source) if credentials::read(source).is_none() => Err(warning(
            format!(
                "Fixer: the key of {} at {} is not there for this command",
                model.model, model.url
            ),
            "set the variable or the file that Fixer_Key_Env or Fixer_Key_File names where autofix runs",
        )),
        None if model.api == Api::Anthropic => Err(warning(
            format!(
                "Fixer: no key is named for {} at {}",
                model.model, model.url
            ),
            "name one with Fixer_Key_Env or Fixer_Key_File, where the server wants one",
        )),
        Some(_) | None => Ok(()),
    }
}

/// These servers say for nothing whether they have a model.
fn look(model: &FixerModel, name: &str) -> Result<String, Complaint> {
    let failed = |fault: &dyn std::fmt::Display| warning(format!("Fixer: {fault}"), "");
    let http = Http::new(&environment::network()).map_err(|fault| failed(&fault))?;
    let asked = TriageModel {
        speaks: match model.api {
            Api::Ollama => Speaks::Ollama,
            Api::Anthropic | Api::Bedrock | Api::OpenAi => Speaks::OpenAi,
        },
        url: model.url.clone(),
        model: model.model.clone(),
        key: model.key.clone(),
    };
    let looked = plugin::model(&asked, &http).and_then(|asked| asked.look(WITHIN));
    match looked {
        Ok(_) => Ok(format!("{name}: there")),
        Err(fault) => Err(failed(&fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::service::{Prices, TokenSource};

    fn options(key: Option<TokenSource>) -> Options {
        Options {
            fixer_model: Some(FixerModel {
                api: Api::Anthropic,
                url: "https://a.example".into(),
                region: None,
                model: "m".into(),
                key,
                prices: Prices::default(),
                may_be_sent: true,
            }),
            ..Options::default()
        }
    }

    #[test]
    fn a_key_is_looked_for_and_not_shown() {
        assert!(check(&Options::default(), false).is_none());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        let gone = check(&options(Some(TokenSource::File(file.clone()))), false);
        assert!(gone.unwrap().unwrap_err().what.contains("is not there"));
        std::fs::write(&file, "s3cret").unwrap();
        let said = check(&options(Some(TokenSource::File(file))), false);
        let said = said.unwrap().unwrap();
        assert!(said.contains("its key is there") && !said.contains("s3cret"));
        let none = check(&options(None), false).unwrap().unwrap_err();
        assert!(none.what.contains("no key is named"));
    }
}
