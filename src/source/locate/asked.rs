//! What of a question can be looked for in source: the fixed text of its messages, the names in
//! them, callers of the function that failed. Reads lines that hold one of the words, and weighs
//! what it finds by how rare it is.

use super::places::{Evidence, Place, Question};
use super::sweep::Hit;
use super::uses::{ALL, Does, is_comment, what_it_does};
use super::{Located, function, literals, names, role};
use crate::template::Miner;
use std::collections::HashSet;

/// Most texts of one question, and the longest part of one that is looked at.
const TEXTS: usize = 24;
const TEXT_LIMIT: usize = 1_000;
/// Most words that are searched for.
const WORDS: usize = 120;
/// Hits of one kind that are kept; the rest are counted.
const KEPT: usize = 24;
/// Most places for one text.
const BEST: usize = 5;

/// A message or line.
#[derive(Clone, Debug)]
struct Text {
    text: String,
    what: &'static str,
    letters: usize,
    hits: Vec<TextHit>,
}

#[derive(Clone, Debug)]
struct TextHit {
    at: At,
    letters: usize,
    weight: f64,
}

#[derive(Clone, Debug)]
struct At {
    file: String,
    line: u32,
    function: Option<String>,
}

#[derive(Clone, Debug)]
struct Name {
    name: String,
    /// The exception's type, a name in the message, or the function that failed.
    role: Role,
    hits: [(usize, Vec<At>); 5],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Thrown,
    Said,
    Failed,
}

/// What is looked for, and what was found of it so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    texts: Vec<Text>,
    names: Vec<Name>,
    /// Places that frames name already: no caller is news there.
    known: HashSet<(String, u32)>,
    words: Vec<Word>,
}

#[derive(Clone, Debug)]
struct Word {
    word: String,
    of: Of,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    Texts,
    Name(usize),
}

impl Asked {
    pub fn of(question: &Question<'_>) -> Asked {
        let mut asked = Asked::default();
        let mut forms = HashSet::new();
        if let Some(trace) = question.trace {
            for raised in [Some(trace.root_cause()), trace.raised_as()]
                .into_iter()
                .flatten()
            {
                if let Some(kind) = &raised.kind {
                    asked.name(last_part(kind), Role::Thrown);
                }
                if let Some(message) = &raised.message {
                    asked.text(message, "the exception's message", &mut forms);
                    for one in names::named(message) {
                        asked.name(&one.name, Role::Said);
                    }
                }
            }
        }
        if let Some(message) = question.message {
            asked.text(message, "the message", &mut forms);
            for one in names::named(message) {
                asked.name(&one.name, Role::Said);
            }
        }
        for line in question.lines.iter().take(10 * TEXTS) {
            let new = asked.text(line, "a log line", &mut forms);
            if new && question.trace.is_none() && question.message.is_none() {
                for one in names::named(line) {
                    asked.name(&one.name, Role::Said);
                }
            }
        }
        asked
    }

    /// The callers of the function where it was thrown are of interest beyond those in the trace.
    pub fn callers_of(&mut self, located: &[Located]) {
        self.known.extend(
            located
                .iter()
                .filter_map(|one| Some((one.file.clone(), one.line?))),
        );
        let failed = located.iter().find(|one| one.own);
        let name = failed.and_then(|one| function::bare_name(one.function.as_deref()?));
        if let Some(name) = name {
            self.name(&name, Role::Failed);
        }
    }

    pub fn callers_of_place(&mut self, place: Option<&Place>) {
        let name = place.and_then(|one| function::bare_name(one.function.as_deref()?));
        if let Some(name) = name {
            self.name(&name, Role::Failed);
        }
    }

    fn text(&mut self, text: &str, what: &'static str, forms: &mut HashSet<String>) -> bool {
        let text = cut(text.trim(), TEXT_LIMIT);
        let letters = letters(text);
        if letters < 6 || self.texts.len() == TEXTS {
            return false;
        }
        let form = Miner::masked(text);
        // What varies between lines of one template stands in no literal.
        for word in form.split(|c: char| !c.is_alphanumeric()) {
            let worth = word.len() >= 4 && word.chars().all(char::is_alphabetic);
            let new = worth && !self.words.iter().any(|one| one.word == word);
            if new && self.words.len() < WORDS {
                self.words.push(Word {
                    word: word.to_owned(),
                    of: Of::Texts,
                });
            }
        }
        let new = forms.insert(form);
        if new {
            self.texts.push(Text {
                text: text.to_owned(),
                what,
                letters,
                hits: Vec::new(),
            });
        }
        new
    }

    fn name(&mut self, name: &str, role: Role) {
        let plain = names::says_something(name);
        if !plain || self.names.iter().any(|one| one.name == name) || self.names.len() >= 24 {
            return;
        }
        self.words.push(Word {
            word: name.to_owned(),
            of: Of::Name(self.names.len()),
        });
        self.names.push(Name {
            name: name.to_owned(),
            role,
            hits: Default::default(),
        });
    }

    /// What has to stand in a line for it to be looked at.
    pub fn words(&self) -> Vec<String> {
        self.words.iter().map(|one| one.word.clone()).collect()
    }

    pub fn look(&mut self, hit: &Hit<'_>) {
        let mut of_text = false;
        for word in hit.words {
            match self.words.get(*word).map(|one| one.of) {
                Some(Of::Texts) => of_text = true,
                Some(Of::Name(name)) => {
                    if let Some(name) = self.names.get_mut(name) {
                        look_for_name(name, hit, &self.known);
                    }
                }
                None => {}
            }
        }
        if of_text {
            let said: Vec<Vec<String>> = literals::literals(hit.text)
                .into_iter()
                .map(literals::pieces)
                .filter(|pieces| !pieces.is_empty())
                .collect();
            for text in &mut self.texts {
                look_for_text(text, &said, hit);
            }
        }
    }

    /// A file that is called like a class or module of the message.
    pub fn by_file_name(&mut self, order: &[&str]) {
        for name in self.names.iter_mut().filter(|one| one.role == Role::Said) {
            let wanted = plain(&name.name);
            if wanted.len() < 5 || name.hits[Does::Define as usize].0 > 0 {
                continue;
            }
            let like = order.iter().filter(|path| {
                let file = path.rsplit('/').next().unwrap_or(path);
                let stem = file.split('.').next().unwrap_or(file);
                plain(stem) == wanted
            });
            for path in like.take(KEPT) {
                note(&mut name.hits[Does::Define as usize], || At {
                    file: (*path).to_owned(),
                    line: 0,
                    function: None,
                });
            }
        }
    }

    /// What was found, weighed.
    pub fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        for text in &self.texts {
            text.places(&mut places);
        }
        for name in &self.names {
            for does in ALL {
                name.places(does, &mut places);
            }
        }
        places
    }
}

fn look_for_text(text: &mut Text, said: &[Vec<String>], hit: &Hit<'_>) {
    for pieces in said {
        let Some(letters) = literals::accounts_for(pieces, &text.text) else {
            continue;
        };
        let share = letters as f64 / text.letters.max(1) as f64;
        if letters < 6 || (letters < 12 && share < 0.5) {
            continue;
        }
        let long = (letters as f64 / 30.0).min(1.0);
        let mut weight = (0.28 + 0.22 * long) * (0.6 + 0.4 * share.min(1.0));
        if is_comment(hit.text) {
            weight *= 0.3;
        } else if !speaks(hit) {
            weight *= 0.85;
        }
        if role::is_test(hit.file) {
            weight *= 0.4;
        }
        text.hits.push(TextHit {
            at: at(hit),
            letters,
            weight,
        });
    }
    if text.hits.len() > 8 * KEPT {
        text.best_first();
        text.hits.truncate(4 * KEPT);
    }
}

impl Text {
    fn best_first(&mut self) {
        self.hits.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    }

    fn places(&self, into: &mut Vec<Place>) {
        let mut text = self.clone();
        text.best_first();
        let Some(best) = text.hits.first().map(|one| one.weight) else {
            return;
        };
        let alike = text
            .hits
            .iter()
            .take_while(|one| one.weight >= 0.95 * best)
            .count();
        for one in text.hits.iter().take(BEST) {
            let most = text.letters.max(1);
            let share = (100 * one.letters / most).min(100);
            let others = match alike {
                0 | 1 => String::new(),
                alike => format!(", as in {alike} places"),
            };
            let rare = (alike as f64).sqrt();
            into.push(place(
                &one.at,
                one.weight / rare,
                format!("prints {share}% of {}{others}", self.what),
                Evidence::Text,
            ));
        }
    }
}

fn look_for_name(name: &mut Name, hit: &Hit<'_>, known: &HashSet<(String, u32)>) {
    if !function::has_word(hit.text, &name.name) || is_comment(hit.text) {
        return;
    }
    let does = what_it_does(hit.text, &name.name);
    let wanted = match name.role {
        Role::Thrown => matches!(does, Does::Throw | Does::Define),
        Role::Said => does != Does::Call,
        Role::Failed => does == Does::Call && !known.contains(&(hit.file.to_owned(), hit.line)),
    };
    // A call is a use of a name that is only spoken of.
    let does = match (name.role, does) {
        (Role::Said, Does::Call) => Does::Use,
        (_, does) => does,
    };
    if (wanted || name.role == Role::Said) && !role::is_test(hit.file) {
        note(&mut name.hits[does as usize], || at(hit));
    }
}

fn note(hits: &mut (usize, Vec<At>), at: impl FnOnce() -> At) {
    hits.0 += 1;
    if hits.1.len() < KEPT {
        hits.1.push(at());
    }
}

impl Name {
    fn places(&self, does: Does, into: &mut Vec<Place>) {
        let (count, kept) = &self.hits[does as usize];
        let name = &self.name;
        let (weight, why) = match (does, self.role) {
            (Does::Throw, Role::Thrown) => (0.4, format!("throws {name}")),
            (Does::Throw, _) => (0.3, format!("throws {name}, which the message names")),
            (Does::Define, Role::Thrown) => (0.2, format!("defines {name}")),
            (Does::Define, _) => (0.38, format!("defines {name}, which the message names")),
            (Does::Quote, _) => (0.3, format!("holds the text {name} of the message")),
            (Does::Use, _) => (0.26, format!("uses {name}, which the message names")),
            (Does::Call, _) => (0.18, format!("calls {name}, which failed")),
        };
        if *count == 0 {
            return;
        }
        let others = match count {
            1 => String::new(),
            count => format!(", as do {count} places"),
        };
        let rare = (*count as f64).sqrt();
        let evidence = match self.role {
            Role::Failed => Evidence::Caller,
            Role::Thrown | Role::Said => Evidence::Name,
        };
        for at in kept {
            let why = if at.line == 0 {
                format!("is called like {name}, which the message names")
            } else {
                format!("{why}{others}")
            };
            into.push(place(at, weight / rare, why, evidence));
        }
    }
}

fn at(hit: &Hit<'_>) -> At {
    let around = function::enclosing(hit.lines, hit.line);
    At {
        file: hit.file.to_owned(),
        line: hit.line,
        function: around.and_then(|around| function::name_of(&around.header)),
    }
}

fn place(at: &At, confidence: f64, why: String, evidence: Evidence) -> Place {
    Place {
        rank: 0,
        file: at.file.clone(),
        line: (at.line > 0).then_some(at.line),
        function: at.function.clone(),
        confidence,
        why,
        evidence: vec![evidence],
    }
}

/// Whether the statement prints, logs or throws: the words stand in the line or just above.
fn speaks(hit: &Hit<'_>) -> bool {
    const WORDS: &[&str] = &[
        "log", "Log", "LOG", "raise", "throw", "rror", "arn", "print", "panic", "fail", "Fail",
        "abort", "die", "xception", "info", "debug", "fatal", "write", "bail", "expect", "console",
        "require", "assert", "puts", "msg", "message",
    ];
    let last = hit.line as usize;
    let near = hit
        .lines
        .get(last.saturating_sub(3)..last)
        .unwrap_or_default();
    near.iter()
        .any(|line| WORDS.iter().any(|word| line.contains(word)))
}

fn last_part(kind: &str) -> &str {
    kind.rsplit(['.', ':', '\\', '/', '$'])
        .next()
        .unwrap_or(kind)
}

/// Letters and digits in lower case, for names that differ in their style only.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

fn cut(text: &str, limit: usize) -> &str {
    let mut end = text.len().min(limit);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
