//! Who investigates, and what that may cost: the keys `Fixer…`, `Budget_Per_Day` and
//! `Spend_On_Ephemeral`.

use crate::config::value::Wrong;
use crate::model::service::{Api, Prices, Usd};

/// Anthropic's own address.
pub const ANTHROPIC: &str = "https://api.anthropic.com";
/// The model that investigates when nothing else is said.
pub const MODEL: &str = "claude-opus-5-5";
/// Where the key is looked for when nothing else is said, as Anthropic's own clients do.
pub const KEY_VARIABLE: &str = "ANTHROPIC_API_KEY";
/// A key from this variable is sent as a bearer token, which is what gateways want.
pub const BEARER_VARIABLE: &str = "ANTHROPIC_AUTH_TOKEN";

/// Dollars for a million tokens: input, output, cache write (5 minutes), cache read. From
/// Anthropic's price list of September 2026; `Fixer_Prices` goes before it.
const KNOWN: &[(&str, [u64; 4])] = &[
    ("claude-opus-5-5", [4_000, 20_000, 5_000, 200]),
    ("claude-opus-5", [5_000, 25_000, 6_250, 500]),
];

/// `None`: a model whose prices nobody knows here.
pub fn known_prices(model: &str) -> Option<Prices> {
    // Bedrock writes a provider before the name and a version after it.
    let name = model.rsplit("anthropic.").next().unwrap_or(model);
    let (_, [input, output, cache_write, cache_read]) =
        KNOWN.iter().find(|(known, _)| name.starts_with(known))?;
    let of = |thousandths: &u64| Usd(thousandths * 1_000);
    Some(Prices {
        input: of(input),
        output: of(output),
        cache_write: of(cache_write),
        cache_read: of(cache_read),
    })
}

/// `4 20`, or `4 20 5 0.2` with what a cache costs.
pub fn prices(text: &str) -> Result<Prices, Wrong> {
    let amounts: Option<Vec<Usd>> = text.split_whitespace().map(Usd::parse).collect();
    let made = match amounts.as_deref() {
        Some(&[input, output]) => Some(Prices {
            input,
            output,
            cache_write: input,
            cache_read: input,
        }),
        Some(&[input, output, cache_write, cache_read]) => Some(Prices {
            input,
            output,
            cache_write,
            cache_read,
        }),
        Some(_) | None => None,
    };
    made.ok_or_else(|| {
        (
            "these are no prices".to_owned(),
            "write US dollars for a million tokens: input output, or input output cache-write \
             cache-read, such as 4 20 5 0.2"
                .to_owned(),
        )
    })
}

pub fn dollars(text: &str) -> Result<Usd, Wrong> {
    let text = text.trim().trim_start_matches('$');
    Usd::parse(text).ok_or_else(|| {
        (
            "this is no amount of money".to_owned(),
            "write US dollars, such as 10 or 2.50".to_owned(),
        )
    })
}

/// Of Bedrock: it becomes part of a host's name.
pub fn region(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (4..=32).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    Err((
        "this is no region".to_owned(),
        "write one such as eu-central-1".to_owned(),
    ))
}

/// Where an API is when no address is given; `None`: nowhere in general.
pub fn default_url(api: Api, region: Option<&str>) -> Option<String> {
    match (api, region) {
        (Api::Anthropic, _) => Some(ANTHROPIC.to_owned()),
        (Api::Ollama, _) => Some(crate::config::triage::OLLAMA.to_owned()),
        (Api::Bedrock, Some(region)) => {
            Some(format!("https://bedrock-runtime.{region}.amazonaws.com"))
        }
        (Api::Bedrock, None) | (Api::OpenAi, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_known_or_written() {
        let opus = known_prices("eu.anthropic.claude-opus-5-5-v1:0").unwrap();
        assert_eq!(opus, prices("4 20 5 0.2").unwrap());
        assert_eq!(
            known_prices("claude-opus-5").unwrap().input,
            Usd::dollars(5)
        );
        assert_eq!(known_prices("qwen2.5:3b"), None);
        assert_eq!(prices("1 2").unwrap().cache_write, Usd::dollars(1));
        for bad in ["", "4", "4 20 5", "a b", "-1 2"] {
            assert!(prices(bad).is_err(), "{bad}");
        }
        assert_eq!(dollars("$2.50").unwrap(), Usd(2_500_000));
    }

    #[test]
    fn a_region_is_no_host() {
        assert!(region("eu-central-1").is_ok());
        for bad in ["", "eu.central", "evil.example/", "EU"] {
            assert!(region(bad).is_err(), "{bad}");
        }
    }
}
