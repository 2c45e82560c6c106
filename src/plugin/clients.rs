//! Clients of the servers that an instance, or a command, speaks to: models, code hosts, webhooks. Each is
//! made from a service's settings, and reads its secrets at each use. Platforms are `platforms.rs`.

use crate::config::aws;
use crate::config::fixer;
use crate::config::triage::{Speaks, TriageModel};
use crate::config::{self, credentials};
use crate::deliver::forge::github::Github;
use crate::deliver::forge::{self, Forge};
use crate::llm;
use crate::model::Settings;
use crate::model::delivery::ForgeKind;
use crate::model::service::{Api, FixerModel, TokenSource};
use crate::net::Http;
use crate::pipeline::asking::Talkers;
use crate::pipeline::courier::Forges;
use crate::pipeline::notifying::Urls;
use crate::pipeline::work::Credentials;
use crate::source::Mirrors;

/// Tokens that Ollama is asked to hold in mind.
const OLLAMA_CONTEXT: u32 = 65_536;

/// A client of the small model's server.
///
/// # Errors
/// When its address cannot be one.
pub fn model(model: &TriageModel, http: &Http) -> Result<Box<dyn llm::Model>, llm::Error> {
    let key = model.key.clone();
    // The client asks for its own server's key only.
    let keys: llm::Keys = Box::new(move |_| key.as_ref().and_then(credentials::read));
    let http = http.clone();
    match model.speaks {
        Speaks::Ollama => {
            llm::Ollama::new(http, &model.url, &model.model, keys).map(|model| Box::new(model) as _)
        }
        Speaks::OpenAi => {
            llm::OpenAi::new(http, &model.url, &model.model, keys).map(|model| Box::new(model) as _)
        }
    }
}

/// Clients of the models that investigate.
pub fn talkers(http: Http) -> Talkers {
    Box::new(move |model| talker(model, http.clone()))
}

fn talker(model: &FixerModel, http: Http) -> Result<Box<dyn llm::Talker>, llm::Error> {
    let key = model.key.clone();
    let keys: llm::Keys = Box::new(move |_| key.as_ref().and_then(credentials::read));
    let (url, name) = (&model.url, &model.model);
    // Others that speak the protocol need not know these fields.
    let is_claude = name.contains("claude");
    match model.api {
        Api::Anthropic => {
            let header = match &model.key {
                Some(TokenSource::Variable(name)) if name == fixer::BEARER_VARIABLE => {
                    llm::KeyHeader::Bearer
                }
                Some(TokenSource::Variable(_) | TokenSource::File(_) | TokenSource::Command(_))
                | None => llm::KeyHeader::ApiKey,
            };
            let settings = llm::AnthropicSettings {
                key: header,
                thinking: is_claude,
                effort: is_claude,
                ..llm::AnthropicSettings::default()
            };
            llm::Anthropic::new(http, url, name, settings, keys).map(|made| Box::new(made) as _)
        }
        Api::Bedrock => {
            let region = model.region.clone().unwrap_or_default();
            let own = fixer::default_url(Api::Bedrock, Some(&region));
            let settings = llm::BedrockSettings {
                url: Some(url.clone()).filter(|url| Some(url) != own.as_ref()),
                ..llm::BedrockSettings::of_region(&region)
            };
            let provider = once_cell::sync::OnceCell::new();
            let keys = Box::new(move || provider.get_or_try_init(aws::provider)?());
            llm::Bedrock::new(http, name, settings, keys).map(|made| Box::new(made) as _)
        }
        Api::OpenAi => {
            llm::OpenAiTalk::new(http, url, name, None, keys).map(|made| Box::new(made) as _)
        }
        Api::Ollama => llm::OllamaTalk::new(http, url, name, OLLAMA_CONTEXT, keys)
            .map(|made| Box::new(made) as _),
    }
}

/// Reads secrets of the registry from where it says that they stand, at each use: those of inputs, and
/// the addresses of webhooks.
pub fn secrets() -> Urls {
    Box::new(credentials::read)
}

/// Clients of code hosts. Tokens go to the host of a service's own repository, or of the API that its
/// settings name, and nowhere else.
pub fn forges(http: Http, mirrors: Mirrors) -> Forges {
    Box::new(move |settings| forge(settings, http.clone(), &mirrors))
}

fn forge(
    settings: &Settings,
    http: Http,
    mirrors: &Mirrors,
) -> Result<Box<dyn Forge>, forge::Error> {
    let source = settings.token.clone();
    let token: forge::Reader = Box::new(move || source.as_ref().and_then(credentials::read));
    match forge::kind_of(settings)? {
        ForgeKind::Github => github(settings, http).map(|made| Box::new(made) as _),
        ForgeKind::Gitlab => {
            forge::Gitlab::new(http, settings, token).map(|made| Box::new(made) as _)
        }
        ForgeKind::Gitea => {
            forge::Gitea::new(http, settings, token).map(|made| Box::new(made) as _)
        }
        ForgeKind::Git => {
            forge::PlainGit::new(mirrors.clone(), settings, token).map(|made| Box::new(made) as _)
        }
    }
}

fn github(settings: &Settings, http: Http) -> Result<Github, forge::Error> {
    let auth = credentials::github_auth(settings).ok_or_else(|| {
        let what = "there is no token for the code host: set Forge_Token_Env, Forge_Token_File or \
                    Forge_Token_Command, or the keys Forge_App_…";
        forge::Error::new(forge::ErrorKind::Settings, what.to_owned())
    })?;
    Github::new(http, settings, auth)
}

/// Tokens for repositories: the one that is set, else one that the GitHub App makes itself.
pub fn repository_tokens(http: Http) -> Credentials {
    Box::new(move |settings, host| {
        let own = config::credentials::Credentials::of(settings);
        if let Some(token) = own.for_host(host) {
            return Some(token);
        }
        settings.forge.app.as_ref()?;
        let is_its_own = settings.repo.as_deref().is_some_and(|repo| {
            let rest = repo.split_once("://").map(|(_, rest)| rest);
            let named = rest.and_then(|rest| rest.split('/').next());
            named.is_some_and(|named| named.eq_ignore_ascii_case(host))
        });
        if !is_its_own {
            return None;
        }
        github(settings, http.clone()).ok()?.token().ok()
    })
}
