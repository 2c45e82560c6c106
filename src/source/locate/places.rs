//! All that speaks for a place in the repository, of one question, in one order: frames, texts
//! and names of the message, callers, files that suspect commits changed. Frames that are sure
//! come first; nothing else reaches their confidence, so that no diff arises from it.

use super::asked::Asked;
use super::sweep::{Allowance, order, sweep};
use super::{Files, Located, THRESHOLD, function, locate, role};
use crate::model::{Settings, Trace};
use serde::Serialize;
use std::collections::HashSet;
use std::time::Instant;

/// Most bytes of text that are searched for one question.
const BYTES: usize = 256 << 20;
/// Most places beside the frames.
const LIMIT: usize = 30;
/// The highest confidence that anything but a frame gives: below [`THRESHOLD`].
const MOST: f64 = 0.49;
/// Below this a place is not worth a line.
const WORTH: f64 = 0.08;

/// What is known of a fault.
#[derive(Clone, Copy, Debug, Default)]
pub struct Question<'a> {
    pub trace: Option<&'a Trace>,
    /// What was said apart from the trace: a watch's or an error's own message.
    pub message: Option<&'a str>,
    /// Log lines of the incident.
    pub lines: &'a [String],
    /// Files that suspect commits changed.
    pub changed: &'a [Changed],
}

/// A file that a suspect commit changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    pub file: String,
    /// The commit's score, 0 to 1.
    pub score: f64,
    pub why: String,
}

/// What speaks for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A frame of the trace.
    Frame,
    /// The statement that printed the message or the line.
    Text,
    /// A name that the message speaks of.
    Name,
    /// Calls the function that failed.
    Caller,
    /// A suspect commit changed the file.
    Change,
}

/// A place to look at. Serialises to the line that `locate --json` prints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Place {
    /// 1 is the best.
    pub rank: usize,
    pub file: String,
    pub line: Option<u32>,
    pub function: Option<String>,
    /// 0 to 1. From [`THRESHOLD`] on a frame stands behind it.
    pub confidence: f64,
    pub why: String,
    /// The strongest first.
    #[serde(skip)]
    pub evidence: Vec<Evidence>,
}

/// The places of one question.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// Best first.
    pub places: Vec<Place>,
    /// What limits cut.
    pub notes: Vec<String>,
}

/// Everything in the repository that the question speaks of, best first. Reads files until the
/// deadline, and says when that cut the search short.
pub fn places(
    question: &Question<'_>,
    files: &dyn Files,
    settings: &Settings,
    deadline: Instant,
) -> Places {
    let located = question
        .trace
        .map(|trace| locate(trace, files, settings))
        .unwrap_or_default();
    beside(question, &located, files, settings, deadline)
}

/// The same where the frames are located already.
pub fn beside(
    question: &Question<'_>,
    located: &[Located],
    files: &dyn Files,
    settings: &Settings,
    deadline: Instant,
) -> Places {
    let mut found: Vec<Place> = located.iter().map(of_frame).collect();
    let mut allowance = Allowance {
        bytes: BYTES,
        deadline,
        cut: None,
    };
    let near: HashSet<&str> = located
        .iter()
        .map(|one| one.file.as_str())
        .chain(question.changed.iter().map(|one| one.file.as_str()))
        .collect();
    let order = order(
        files,
        question.trace.map(|trace| trace.language),
        settings,
        &near,
    );
    let mut asked = Asked::of(question);
    asked.callers_of(located);
    search(&mut asked, files, &order, &mut allowance, &mut found);
    if question.trace.is_none() && allowance.cut.is_none() {
        // Whoever calls the function that printed it is known only now.
        let mut callers = Asked::default();
        callers.callers_of_place(found.first());
        search(&mut callers, files, &order, &mut allowance, &mut found);
    }
    for one in question.changed {
        add(&mut found, change(one));
    }
    Places {
        places: ranked(found, located.len()),
        notes: allowance.cut.into_iter().collect(),
    }
}

fn search(
    asked: &mut Asked,
    files: &dyn Files,
    order: &[&str],
    allowance: &mut Allowance,
    found: &mut Vec<Place>,
) {
    let words = asked.words();
    sweep(files, order, &words, allowance, &mut |hit| asked.look(hit));
    asked.by_file_name(order);
    // What stands in many places says little about any of them.
    let mut new = asked.places();
    new.retain(|one| one.confidence >= WORTH);
    new.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    for one in new {
        add(found, one);
    }
}

fn of_frame(one: &Located) -> Place {
    Place {
        rank: one.rank,
        file: one.file.clone(),
        line: one.line,
        function: one.function.clone(),
        confidence: one.confidence,
        why: one.why.clone(),
        evidence: vec![Evidence::Frame],
    }
}

fn change(one: &Changed) -> Place {
    let score = if one.score.is_finite() {
        one.score.clamp(0.0, 1.0)
    } else {
        0.0
    };
    let weight = if role::is_test(&one.file) { 0.1 } else { 0.35 };
    Place {
        rank: 0,
        file: one.file.clone(),
        line: None,
        function: None,
        confidence: weight * score,
        why: format!("a suspect commit changed it: {}", one.why),
        evidence: vec![Evidence::Change],
    }
}

/// Adds a place, or its reason to the same place that is there.
fn add(found: &mut Vec<Place>, new: Place) {
    let same = found
        .iter_mut()
        .find(|one| one.file == new.file && is_same(one, &new));
    let Some(one) = same else {
        found.push(new);
        return;
    };
    if one.confidence < THRESHOLD {
        let both = 1.0 - (1.0 - one.confidence) * (1.0 - new.confidence);
        one.confidence = both.min(MOST).max(one.confidence);
    }
    if !one.why.contains(&new.why) && one.evidence.len() < 6 {
        let at = match (one.line, new.line) {
            (Some(a), Some(b)) if a != b => format!(" (line {b})"),
            _ => String::new(),
        };
        one.why = format!("{}; {}{at}", one.why, new.why);
    }
    one.line = one.line.or(new.line);
    one.function = one.function.take().or(new.function);
    one.evidence.extend(new.evidence);
}

fn is_same(one: &Place, new: &Place) -> bool {
    let (Some(a), Some(b)) = (one.line, new.line) else {
        return true;
    };
    let name = |place: &Place| place.function.as_deref().and_then(function::bare_name);
    let within = a.abs_diff(b) <= 60 && name(one).is_some() && name(one) == name(new);
    a == b || within
}

/// Frames that are sure keep their order and come first; the rest by confidence.
fn ranked(found: Vec<Place>, frames: usize) -> Vec<Place> {
    let (mut all, mut rest): (Vec<Place>, Vec<Place>) = found
        .into_iter()
        .partition(|one| one.confidence >= THRESHOLD);
    rest.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let frame = |one: &Place| one.evidence.contains(&Evidence::Frame);
    let mut others = 0;
    rest.retain(|one| {
        others += usize::from(!frame(one));
        frame(one) || (others <= LIMIT && one.confidence >= WORTH)
    });
    all.extend(rest);
    all.truncate(frames + LIMIT);
    for (at, one) in all.iter_mut().enumerate() {
        one.rank = at + 1;
        one.confidence = (one.confidence * 100.0).round() / 100.0;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::locate::location;
    use crate::trace;
    use std::borrow::Cow;
    use std::cell::Cell;
    use std::time::Duration;

    /// Files in memory, with a count of the texts that were read.
    struct Texts(Vec<String>, Vec<&'static str>, Cell<usize>);

    impl Texts {
        fn new(files: &[(&str, &'static str)]) -> Texts {
            let paths = files.iter().map(|(path, _)| (*path).to_owned()).collect();
            let texts = files.iter().map(|(_, text)| *text).collect();
            Texts(paths, texts, Cell::new(0))
        }
    }

    impl Files for Texts {
        fn paths(&self) -> &[String] {
            &self.0
        }
        fn text(&self, path: &str) -> Option<Cow<'_, str>> {
            self.2.set(self.2.get() + 1);
            let at = self.0.iter().position(|one| one == path)?;
            Some(Cow::Borrowed(self.1[at]))
        }
    }

    const SHOP: &[(&str, &str)] = &[
        (
            "shop/vouchers.py",
            "class Gone(Exception):\n    pass\n\n\nclass Voucher:\n    rate = 0\n\n    def redeem(self, \
             order):\n        if self.ended:\n            raise Gone(f\"voucher {self.code} ended on \
             {self.end:%Y}\")\n",
        ),
        (
            "shop/checkout.py",
            "import logging\n\n\ndef pay(order):\n    logging.error(\"payment of order %s was declined: \
             %s\", order.id, order.state)\n    order.voucher.redeem(order)\n",
        ),
        (
            "shop/settings.py",
            "RATES = {\n    \"SUMMER25\": 0.25,\n}\n",
        ),
        (
            "tests/test_checkout.py",
            "def test_pay():\n    assert said == \"payment of order 7 was declined: late\"\n",
        ),
    ];

    fn ask(question: &Question<'_>) -> Vec<Place> {
        let files = Texts::new(SHOP);
        let until = Instant::now() + Duration::from_secs(60);
        let found = places(question, &files, &Settings::default(), until);
        assert_eq!(found.notes, Vec::<String>::new());
        for pair in found.places.windows(2) {
            assert!(pair[0].confidence >= pair[1].confidence, "{found:#?}");
        }
        found.places
    }

    fn of_line(line: &str) -> Vec<Place> {
        ask(&Question {
            lines: &[line.to_owned()],
            ..Question::default()
        })
    }

    #[test]
    fn a_line_leads_to_the_statement_that_printed_it_and_its_callers() {
        let found =
            of_line("2026-03-01 12:00:01 ERROR payment of order A-17 was declined: no funds");
        let best = &found[0];
        assert_eq!(
            (best.file.as_str(), best.line),
            ("shop/checkout.py", Some(5))
        );
        assert_eq!(best.function.as_deref(), Some("pay"));
        assert!(
            best.confidence < THRESHOLD && best.confidence > 0.3,
            "{best:?}"
        );
        let found = of_line("voucher SUMMER25 ended on 2025");
        assert_eq!(found[0].file, "shop/vouchers.py");
        let caller = found
            .iter()
            .find(|one| one.evidence[0] == Evidence::Caller)
            .unwrap();
        assert_eq!(
            (caller.file.as_str(), caller.line),
            ("shop/checkout.py", Some(6))
        );
    }

    #[test]
    fn a_name_leads_to_its_definition_and_a_key_to_its_text() {
        let found = of_line("AttributeError: 'Voucher' object has no attribute 'percentage'");
        assert_eq!(
            (found[0].file.as_str(), found[0].line),
            ("shop/vouchers.py", Some(5))
        );
        let found = ask(&Question {
            message: Some("KeyError: 'SUMMER25'"),
            ..Question::default()
        });
        assert_eq!(
            (found[0].file.as_str(), found[0].line),
            ("shop/settings.py", Some(2))
        );
        assert!(found[0].why.contains("SUMMER25"), "{found:?}");
        assert_eq!(of_line("everything is fine"), []);
    }

    #[test]
    fn frames_come_first_and_nothing_else_is_a_location() {
        let trace = trace::parse(
            "Traceback (most recent call last):\n  File \"/app/shop/checkout.py\", line 6, in \
             pay\n    order.voucher.redeem(order)\n  File \"/app/shop/vouchers.py\", line 10, in \
             redeem\n    raise Gone(x)\nshop.vouchers.Gone: voucher SUMMER25 ended on 2025\n",
        )
        .unwrap();
        let changed = [Changed {
            file: "shop/settings.py".to_owned(),
            score: 0.9,
            why: "abc let vouchers end".to_owned(),
        }];
        let found = ask(&Question {
            trace: Some(&trace),
            changed: &changed,
            ..Question::default()
        });
        let files: Vec<&str> = found.iter().map(|one| one.file.as_str()).collect();
        assert_eq!(files[..2], ["shop/vouchers.py", "shop/checkout.py"]);
        assert!(found[0].evidence.contains(&Evidence::Text), "{found:#?}");
        let other = found
            .iter()
            .find(|one| one.file == "shop/settings.py")
            .unwrap();
        assert!(other.confidence < THRESHOLD && other.why.contains("abc let vouchers end"));
        let located = locate(&trace, &Texts::new(SHOP), &Settings::default());
        assert_eq!(location(&located).unwrap().file, "shop/vouchers.py");
    }

    #[test]
    fn a_search_ends_in_time_and_says_so() {
        let files = Texts::new(SHOP);
        let lines = ["payment of order A-17 was declined: no funds".to_owned()];
        let question = Question {
            lines: &lines,
            ..Question::default()
        };
        let found = places(&question, &files, &Settings::default(), Instant::now());
        assert_eq!((found.places.len(), files.2.get()), (0, 0));
        assert!(found.notes[0].contains("0 of 4 files"), "{:?}", found.notes);
    }

    #[test]
    fn what_stands_everywhere_says_nothing() {
        let many: Vec<(String, &'static str)> = (0..40)
            .map(|n| (format!("p/f{n}.py"), "voucher_rate = 1\n"))
            .collect();
        let many: Vec<(&str, &'static str)> = many
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let lines = ["no such column: voucher_rate".to_owned()];
        let question = Question {
            lines: &lines,
            ..Question::default()
        };
        let until = Instant::now() + Duration::from_secs(60);
        let found = places(&question, &Texts::new(&many), &Settings::default(), until);
        assert_eq!(found.places, []);
    }
}
