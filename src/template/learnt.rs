//! What a miner has learnt, as text that can be kept and handed to another one: one JSON object
//! a template. Such a file may have been written by anybody. Not here: files.

use super::bytes::{self, BLANK, DIGIT, LETTER, WORDY};
use super::cluster::{ANY, ANY_TEXT, Cluster, Part, VALUE_TEXT};
use super::scan::{self, LINE_BYTES, LINE_TOKENS, VALUE};
use crate::model::{Facets, TemplateId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Version of [`Learnt`]. Another one is refused.
pub const VERSION: u32 = 1;
/// Longest line of a seed file, in bytes.
const LONGEST_LINE: usize = 64 << 10;
/// Signatures that are kept of a template.
pub(super) const MOST_FORMS: usize = 64;

/// One template as a line of a seed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learnt {
    /// Version of this form; another one is refused.
    pub v: u32,
    /// The service whose miner learnt it; the miner itself neither writes nor reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    pub id: TemplateId,
    /// The template, with `<*>` for what varies.
    pub template: String,
    /// The template's parts: `<*>` a masked value, `<_>` a place where words vary, else a word
    /// or sign, with a blank before it if one stands there. Left out, they are read out of
    /// `template`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
    /// Signatures of masked lines that were given this id, 16 hexadecimal digits each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forms: Vec<String>,
    /// With which few-valued fields a model of triage said that it is to be ignored; the miner
    /// itself neither writes nor reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Facets>,
}

/// Why a line of a seed file, or a [`Learnt`], was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not the JSON of a [`Learnt`].
    Json(String),
    /// Written by another version.
    Version(u32),
    /// The id already names another template.
    Taken,
    /// Not what a miner writes.
    Form(&'static str),
    /// The miner's limits are reached.
    Full,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Json(why) => write!(f, "no learnt template: {why}"),
            Refused::Version(v) => write!(f, "written by version {v}, this is {VERSION}"),
            Refused::Taken => f.write_str("its id already names another template"),
            Refused::Form(why) => f.write_str(why),
            Refused::Full => f.write_str("there is no room for more templates"),
        }
    }
}

impl std::error::Error for Refused {}

impl Learnt {
    /// Reads a line of a seed file.
    ///
    /// # Errors
    /// [`Refused::Json`] or [`Refused::Form`]; what stands in it is checked by
    /// [`super::Miner::load`].
    pub fn parse(line: &str) -> Result<Learnt, Refused> {
        if line.len() > LONGEST_LINE {
            return Err(Refused::Form("longer than any learnt template"));
        }
        serde_json::from_str(line).map_err(|error| Refused::Json(error.to_string()))
    }

    pub(super) fn of(cluster: &Cluster, forms: &[u64]) -> Learnt {
        Learnt {
            v: VERSION,
            service: None,
            id: cluster.id,
            template: cluster.render(),
            parts: (0..cluster.parts.len())
                .map(|at| part_text(cluster, at))
                .collect(),
            forms: forms.iter().map(|form| format!("{form:016x}")).collect(),
            ignored: Vec::new(),
        }
    }

    /// The template it tells of, and the signatures of its lines.
    pub(super) fn checked(&self) -> Result<(Cluster, Vec<u64>), Refused> {
        if self.v != VERSION {
            return Err(Refused::Version(self.v));
        }
        if self.template.len() > 2 * LINE_BYTES || self.parts.len() > LINE_TOKENS + 2 {
            return Err(Refused::Form("longer than any template"));
        }
        if self.forms.len() > MOST_FORMS {
            return Err(Refused::Form("more forms than a template keeps"));
        }
        let forms = self
            .forms
            .iter()
            .map(|form| form_of(form))
            .collect::<Option<_>>();
        let forms = forms.ok_or(Refused::Form("a form is not 16 hexadecimal digits"))?;
        let cluster = if self.parts.is_empty() {
            let mut tokens = Vec::new();
            scan::tokens(&self.template, &mut tokens);
            Cluster::new(self.id, &self.template, &tokens, None)
        } else {
            self.put_together()?
        };
        Ok((cluster, forms))
    }

    fn put_together(&self) -> Result<Cluster, Refused> {
        let mut text = String::new();
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let body = part.strip_prefix(' ').unwrap_or(part);
            let hash = hash_of(body).ok_or(Refused::Form("a part is neither a word nor a sign"))?;
            if !matches!(hash, VALUE | ANY) {
                text.push_str(body);
            }
            parts.push(Part {
                hash,
                end: u16::try_from(text.len())
                    .map_err(|_| Refused::Form("longer than any template"))?,
                blank: body.len() < part.len(),
                is_word: is_word(body),
            });
        }
        let cluster = Cluster::of_parts(self.id, parts, text);
        if cluster.render() != self.template {
            return Err(Refused::Form("its parts do not make its template"));
        }
        Ok(cluster)
    }
}

fn form_of(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| digits)
}

fn part_text(cluster: &Cluster, at: usize) -> String {
    let Some(part) = cluster.parts.get(at) else {
        return String::new();
    };
    let body = match part.hash {
        VALUE => VALUE_TEXT,
        ANY => ANY_TEXT,
        _ => cluster.part_text(at),
    };
    let blank = if part.blank { " " } else { "" };
    format!("{blank}{body}")
}

fn hash_of(body: &str) -> Option<u64> {
    let first = *body.as_bytes().first()?;
    let word_or_sign = || {
        if is_word(body) {
            return Some(scan::word_hash(body.as_bytes()));
        }
        let sign = bytes::all_of(body.as_bytes()) & (LETTER | DIGIT | BLANK) == 0;
        sign.then(|| scan::mark_hash(first))
    };
    match body {
        VALUE_TEXT => Some(VALUE),
        ANY_TEXT => Some(ANY),
        _ => word_or_sign(),
    }
}

fn is_word(body: &str) -> bool {
    let wordy = body.bytes().all(|byte| bytes::of(byte) & WORDY != 0);
    wordy && bytes::all_of(body.as_bytes()) & (LETTER | DIGIT) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Limits, Miner, Novelty};

    const LINES: [&str; 6] = [
        "session opened for user root by (uid=0)",
        "session opened for user test by (uid=0)",
        "took 5 ms: done....",
        "msg=\"could not dial\" x -- y",
        "",
        "ümläut 日本 /a/b [1, 2] <*>",
    ];

    fn taught() -> (Miner, Vec<TemplateId>) {
        let mut miner = Miner::new(Limits::default());
        let ids = LINES.iter().map(|line| miner.read(line).id).collect();
        (miner, ids)
    }

    #[test]
    fn loaded_templates_are_known_by_their_ids_in_any_order() {
        let (miner, ids) = taught();
        let text: Vec<String> = miner
            .export()
            .map(|learnt| serde_json::to_string(&learnt).unwrap())
            .collect();
        assert_eq!(text.len(), 5);
        for turn in 0..text.len() {
            for keep in [true, false] {
                let mut other = Miner::new(Limits::default());
                for at in 0..text.len() {
                    let mut learnt = Learnt::parse(&text[(at + turn) % text.len()]).unwrap();
                    if !keep {
                        learnt.forms.clear();
                    }
                    other.load(&learnt).unwrap();
                }
                for (line, id) in LINES.iter().zip(&ids) {
                    let seen = other.read(line);
                    assert_eq!((seen.id, seen.novelty), (*id, Novelty::Known), "{line}");
                }
                assert_eq!(
                    other.read("session opened for user new by (uid=0)").id,
                    ids[0]
                );
            }
        }
    }

    #[test]
    fn a_template_written_by_hand_needs_no_parts() {
        let mut miner = Miner::new(Limits::default());
        let line = r#"{"v":1,"service":"shop","id":"00000000abcd","template":"took <*> for <*>"}"#;
        miner.load(&Learnt::parse(line).unwrap()).unwrap();
        let seen = miner.read("took 5 for 12");
        assert_eq!(seen.id.to_string(), "00000000abcd");
        assert_eq!(seen.novelty, Novelty::Known);
    }

    #[test]
    fn hostile_seeds_are_refused_with_a_reason() {
        let (miner, _) = taught();
        let good = miner.export().next().unwrap();
        let refused = |change: &dyn Fn(&mut Learnt)| {
            let mut bad = good.clone();
            change(&mut bad);
            let why = Miner::new(Limits::default()).load(&bad).unwrap_err();
            assert!(!why.to_string().is_empty());
            why
        };
        assert_eq!(refused(&|l| l.v = 2), Refused::Version(2));
        refused(&|l| l.parts = vec!["two words".into()]);
        refused(&|l| l.parts = vec!["\u{1b}[31m".into()]);
        refused(&|l| l.parts = vec!["other".into()]);
        refused(&|l| l.parts = vec![String::new()]);
        refused(&|l| l.parts = vec!["a".into(); 1000]);
        refused(&|l| l.template = "x ".repeat(5000));
        refused(&|l| l.forms = vec!["xyz".into()]);
        refused(&|l| l.forms = vec!["0".repeat(16); 65]);
        for text in ["", "{}", "[]", "{\"v\":1}", &"[".repeat(100_000)] {
            assert!(Learnt::parse(text).is_err());
        }
        let mut taken = good.clone();
        taken.parts = vec!["other".into()];
        taken.template = "other".into();
        let mut miner = miner;
        assert_eq!(miner.load(&taken), Err(Refused::Taken));
        let mut small = Miner::new(Limits {
            memory: 1 << 20,
            clusters: 2,
        });
        let all = miner
            .export()
            .filter(|learnt| small.load(learnt) == Err(Refused::Full));
        assert_eq!(all.count(), 3);
    }
}
