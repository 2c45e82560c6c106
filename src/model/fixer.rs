//! Who makes a proposal, what that may cost, and how far text may go for it.

use crate::model::service::TokenSource;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Who makes the proposal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fixer {
    /// The configured model; where there is none, or it found no patch, the suspect change is
    /// taken back.
    #[default]
    Auto,
    Revert,
    /// The configured model alone.
    Model,
    /// Incidents are recorded and stay open.
    Off,
}

/// How a model that investigates is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    Anthropic,
    Bedrock,
    OpenAi,
    Ollama,
}

impl Api {
    pub const fn word(self) -> &'static str {
        match self {
            Api::Anthropic => "anthropic",
            Api::Bedrock => "bedrock",
            Api::OpenAi => "openai",
            Api::Ollama => "ollama",
        }
    }
}

/// The model that investigates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixerModel {
    pub api: Api,
    /// Without a slash at its end.
    pub url: String,
    /// Of Bedrock.
    pub region: Option<String>,
    pub model: String,
    pub key: Option<TokenSource>,
    pub prices: Prices,
    /// Whether the service's text may go there, by `Egress` and the service's own `egress`.
    pub may_be_sent: bool,
}

/// Money, in millionths of a US dollar.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Usd(pub u64);

impl Usd {
    pub const fn dollars(whole: u64) -> Usd {
        Usd(whole.saturating_mul(1_000_000))
    }

    /// From text such as `10` or `0.25`; `None` where it is no amount.
    pub fn parse(text: &str) -> Option<Usd> {
        let (whole, part) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || whole.len() > 9 || part.len() > 6 || !digits(whole) || !digits(part)
        {
            return None;
        }
        let part = format!("{part:0<6}");
        Some(Usd(
            whole.parse::<u64>().ok()? * 1_000_000 + part.parse::<u64>().ok()?
        ))
    }

    pub const fn plus(self, other: Usd) -> Usd {
        Usd(self.0.saturating_add(other.0))
    }

    pub const fn minus(self, other: Usd) -> Usd {
        Usd(self.0.saturating_sub(other.0))
    }

    /// In dollars, for what takes a number.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Usd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "${}.{:04}", self.0 / 1_000_000, self.0 % 1_000_000 / 100)
    }
}

/// What a million tokens cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    pub input: Usd,
    pub output: Usd,
    pub cache_write: Usd,
    pub cache_read: Usd,
}

impl Prices {
    /// Whether nothing is ever paid.
    pub fn are_none(self) -> bool {
        self == Prices::default()
    }

    /// Rounded up, so that many small calls are not free.
    pub fn cost(self, input: u64, output: u64, cache_write: u64, cache_read: u64) -> Usd {
        let all = [
            (self.input, input),
            (self.output, output),
            (self.cache_write, cache_write),
            (self.cache_read, cache_read),
        ];
        let sum: u128 = all
            .iter()
            .map(|(price, tokens)| u128::from(price.0) * u128::from(*tokens))
            .sum();
        Usd(u64::try_from(sum.div_ceil(1_000_000)).unwrap_or(u64::MAX))
    }

    /// The most that a call can cost: its whole prompt at the dearest input price.
    pub fn most(self, prompt: u64, output: u64) -> Usd {
        let dearest = self.input.max(self.cache_write).max(self.cache_read);
        let all = Prices {
            input: dearest,
            ..self
        };
        all.cost(prompt, output, 0, 0)
    }
}

/// What may be spent on models that are paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// For all services of one owner, in a day of UTC.
    pub per_day: Usd,
    /// Paid calls though the state is on a disk that does not last.
    pub on_ephemeral: bool,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget {
            per_day: Usd::dollars(10),
            on_ephemeral: false,
        }
    }
}

impl Budget {
    /// How far the day goes for a service that spent something that day: the last fifth is kept
    /// for those that spent nothing.
    pub const fn shared_per_day(self) -> Usd {
        Usd(self.per_day.0 / 5 * 4)
    }

    /// What one incident may use, over all its tries.
    pub const fn per_incident(self) -> Usd {
        Usd(self.per_day.0 / 5)
    }
}

/// How far redacted text may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Egress {
    None,
    Local,
    Cloud,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        assert_eq!(Usd::parse(" 10 "), Some(Usd::dollars(10)));
        assert_eq!(Usd::parse("0.25"), Some(Usd(250_000)));
        assert_eq!(Usd::parse("4."), Some(Usd::dollars(4)));
        for bad in ["", ".", "-1", "1e9", "1,5", "0.1234567", "9999999999"] {
            assert_eq!(Usd::parse(bad), None, "{bad}");
        }
        assert_eq!(Usd(1_234_567).to_string(), "$1.2345");
    }

    #[test]
    fn a_call_never_costs_more_than_was_booked() {
        let prices = Prices {
            input: Usd::dollars(4),
            output: Usd::dollars(20),
            cache_write: Usd::dollars(5),
            cache_read: Usd(200_000),
        };
        assert_eq!(prices.cost(1_000_000, 0, 0, 0), Usd::dollars(4));
        assert_eq!(prices.cost(1, 0, 0, 0), Usd(4));
        assert_eq!(prices.cost(0, 0, 0, 1), Usd(1));
        for split in [0, 10, 900] {
            let real = prices.cost(100, 50, split, 900 - split);
            assert!(real <= prices.most(1_000, 50), "{split}");
        }
        let budget = Budget::default();
        assert_eq!(budget.shared_per_day(), Usd::dollars(8));
        assert_eq!(budget.per_incident(), Usd::dollars(2));
    }
}
