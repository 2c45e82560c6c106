//! A small shop with one fault, a talker that follows a script and holds each turn against what an
//! API would accept, and a ledger that counts.

use crate::sample::{File, Sample, at, python};
use autofix::investigate::inquiry::{
    self, Denied, Entry, Estimate, Halted, Inquiry, Ledger, Limits, Outcome, Remedies,
};
use autofix::investigate::tools::LogLine;
use autofix::llm::{Call, Endpoint, Error, Message, Part, Reply, Said, Stop, Talker, Turn, Usage};
use autofix::model::service::Usd;
use autofix::model::{Settings, Trace};
use autofix::redact::{self, Redactor};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Stands in the repository and in the log, and may be sent nowhere.
pub const PASSWORD: &str = "kq8Wz3vTn5Rb";
pub const MAIL: &str = "jane.miller@acme-mail.example";
/// Stands beside the repository.
pub const OUTSIDE: &str = "canary-of-the-host-41c7";

pub const SECRETS: File<'_> = (
    "shop/settings.py",
    Some("PASSWORD = \"kq8Wz3vTn5Rb\"\nOWNER = \"jane.miller@acme-mail.example\"\n"),
);

pub const TURNS: u32 = 12;

/// What is investigated.
pub struct World<'a> {
    pub sample: &'a Sample,
    pub commit: &'a str,
    pub settings: Settings,
    pub trace: Trace,
    pub lines: Vec<LogLine>,
    pub limits: Limits,
}

impl<'a> World<'a> {
    pub fn new(sample: &'a Sample, commit: &'a str) -> World<'a> {
        std::fs::write(sample.dir.path().join("outside.txt"), OUTSIDE).unwrap();
        let line = |id: &str, text: String| LogLine {
            id: id.to_owned(),
            time: None,
            text,
        };
        World {
            sample,
            commit,
            settings: Settings::default(),
            trace: python("division by zero", &[("shop/cart.py", 2, "total")]),
            lines: vec![
                line("L1", "ZeroDivisionError: division by zero".to_owned()),
                line("L2", format!("user={MAIL} password={PASSWORD}")),
            ],
            limits: Limits {
                turns: TURNS,
                max_tokens: 1_000,
                call: Duration::from_secs(60),
                until: Instant::now() + Duration::from_secs(600),
            },
        }
    }

    /// Holds the conversation.
    pub fn run(
        &self,
        talker: &dyn Talker,
        past: &[Entry],
        ledger: &mut dyn Ledger,
    ) -> Result<Outcome, Halted> {
        self.run_with(talker, past, ledger, None)
    }

    /// The same with what may be asked for.
    pub fn run_with(
        &self,
        talker: &dyn Talker,
        past: &[Entry],
        ledger: &mut dyn Ledger,
        remedies: Option<&mut dyn Remedies>,
    ) -> Result<Outcome, Halted> {
        let repo = self.sample.open();
        let mut scope = Redactor::new(&redact::Settings::default()).unwrap().scope();
        let text: Vec<&str> = self.lines.iter().map(|line| line.text.as_str()).collect();
        let dossier = scope.text(&text.join("\n"));
        let inquiry = Inquiry {
            repo: &repo,
            commit: at(&repo, self.commit),
            settings: &self.settings,
            trace: Some(&self.trace),
            lines: &self.lines,
            dossier,
            scope,
            remedies: remedies.map(|one| one as &mut dyn Remedies),
            limits: self.limits,
        };
        inquiry::run(inquiry, talker, past, ledger)
    }
}

/// Says what a script gives for the turns so far.
pub struct Script<F> {
    say: F,
    /// How often it was asked, and whatever was wrong with how.
    pub heard: Mutex<Heard>,
}

#[derive(Default)]
pub struct Heard {
    pub turns: usize,
    pub faults: Vec<String>,
    /// All that was ever sent.
    pub texts: BTreeSet<String>,
    /// System prompt and tools of each turn.
    pub prefixes: BTreeSet<String>,
}

impl<F: Fn(&Turn<'_>) -> Reply + Send + Sync> Script<F> {
    pub fn new(say: F) -> Script<F> {
        Script {
            say,
            heard: Mutex::default(),
        }
    }

    /// Fails unless each turn was one that an API accepts, and let no secret out.
    pub fn clean(&self, of: &str) {
        let heard = self.heard.lock().unwrap();
        assert_eq!(heard.faults, Vec::<String>::new(), "{of}");
        assert!(heard.prefixes.len() <= 1, "{of}: the prefix changed");
        for text in &heard.texts {
            for secret in [PASSWORD, MAIL, OUTSIDE, "root:x:0:0"] {
                assert!(!text.contains(secret), "{of}: {secret} was sent: {text}");
            }
        }
    }
}

impl<F: Fn(&Turn<'_>) -> Reply + Send + Sync> Talker for Script<F> {
    fn turn(&self, turn: &Turn<'_>) -> Result<Reply, Error> {
        {
            let mut heard = self.heard.lock().unwrap();
            heard.turns += 1;
            heard.prefixes.insert(prefix(turn));
            if let Err(fault) = in_order(turn.messages) {
                heard.faults.push(fault);
            }
            let texts = parts(turn.messages).map(|part| match part {
                Part::Text(text) | Part::Result { content: text, .. } => text.as_str().to_owned(),
            });
            heard.texts.extend(texts);
        }
        Ok((self.say)(turn))
    }

    fn endpoint(&self) -> Endpoint {
        Endpoint {
            api: "anthropic".into(),
            host: "127.0.0.1:1".into(),
            region: None,
            model: "played".into(),
        }
    }
}

/// System prompt and tools as one text.
pub fn prefix(turn: &Turn<'_>) -> String {
    format!("{}\n{:?}", turn.system.as_str(), turn.tools)
}

/// Everything of ours.
pub fn parts(messages: &[Message]) -> impl Iterator<Item = &Part> {
    messages.iter().flat_map(|message| match message {
        Message::Ours(parts) => parts.as_slice(),
        Message::Theirs(_) => &[],
    })
}

/// The ids of the calls in what the model said.
fn ids(said: &Said) -> Vec<String> {
    let blocks = said.0.as_array().into_iter().flatten();
    blocks
        .filter(|block| block["type"] == "tool_use")
        .map(|block| block["id"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Sides alternate, ours is the first, and each call has its one result in what follows at once.
pub fn in_order(messages: &[Message]) -> Result<(), String> {
    let mut open: BTreeSet<String> = BTreeSet::new();
    let mut ours = false;
    for (at, message) in messages.iter().enumerate() {
        match message {
            Message::Ours(_) if ours => return Err(format!("{at}: ours twice in a row")),
            Message::Ours(parts) => {
                ours = true;
                let mut blank = true;
                for part in parts {
                    match part {
                        Part::Text(text) => blank &= text.as_str().trim().is_empty(),
                        Part::Result { call, .. } => {
                            blank = false;
                            if !open.remove(call) {
                                return Err(format!("{at}: a result of no call: {call:?}"));
                            }
                        }
                    }
                }
                if blank {
                    return Err(format!("{at}: nothing is said"));
                }
                if !open.is_empty() {
                    return Err(format!("{at}: calls without a result: {open:?}"));
                }
            }
            Message::Theirs(_) if at == 0 => return Err("the model speaks first".into()),
            Message::Theirs(said) => {
                ours = false;
                for id in ids(said) {
                    if !open.insert(id.clone()) {
                        return Err(format!("{at}: two calls are {id:?}"));
                    }
                }
            }
        }
    }
    match open.is_empty() {
        true => Ok(()),
        false => Err(format!("calls without a result at the end: {open:?}")),
    }
}

/// How many replies the model gave in this conversation.
pub fn replies(turn: &Turn<'_>) -> usize {
    let theirs = |message: &&Message| matches!(message, Message::Theirs(_));
    turn.messages.iter().filter(theirs).count()
}

/// A reply with these calls, as Anthropic's API writes it.
pub fn reply(text: &str, calls: &[(String, String, Value)], stop: Stop) -> Reply {
    let mut blocks: Vec<Value> = Vec::new();
    if !text.is_empty() {
        blocks.push(json!({"type": "text", "text": text}));
    }
    blocks.extend(calls.iter().map(
        |(id, name, input)| json!({"type": "tool_use", "id": id, "name": name, "input": input}),
    ));
    let call = |(id, name, input): &(String, String, Value)| Call {
        id: id.clone(),
        name: name.clone(),
        input: input.clone(),
    };
    Reply {
        said: Said(Value::Array(blocks)),
        text: text.to_owned(),
        calls: calls.iter().map(call).collect(),
        stop,
        usage: Usage {
            input: 500,
            output: 50,
            ..Usage::default()
        },
        model: "played".into(),
        request: None,
        seconds: 0.0,
    }
}

/// Calls with ids of their own.
pub fn calls(turn: &Turn<'_>, calls: &[(&str, Value)]) -> Reply {
    let turn = turn.messages.len();
    let calls: Vec<(String, String, Value)> = calls
        .iter()
        .enumerate()
        .map(|(at, (name, input))| (format!("t{turn}_{at}"), (*name).to_owned(), input.clone()))
        .collect();
    reply("", &calls, Stop::Tools)
}

/// Books a token as a micro-dollar, keeps everything, and stands for no disorder.
#[derive(Debug)]
pub struct Counting {
    pub limit: u64,
    pub spent: u64,
    open: Option<u64>,
    pub entries: Vec<Entry>,
}

impl Counting {
    pub fn new(limit: u64) -> Counting {
        Counting::after(limit, &[])
    }

    /// Goes on where these entries end.
    pub fn after(limit: u64, past: &[Entry]) -> Counting {
        let spent = past.iter().map(|entry| match entry {
            Entry::Theirs { usd, .. } | Entry::Failed { usd, .. } => usd.0,
            Entry::Opened { .. }
            | Entry::Ours { .. }
            | Entry::Judged { .. }
            | Entry::Closed { .. } => 0,
        });
        Counting {
            limit,
            spent: spent.fold(0, u64::saturating_add),
            open: None,
            entries: past.to_vec(),
        }
    }

    fn closed(&self) -> bool {
        matches!(self.entries.last(), Some(Entry::Closed { .. }))
    }
}

fn most(call: Estimate) -> u64 {
    call.prompt.saturating_add(call.output)
}

impl Ledger for Counting {
    fn book(&mut self, call: Estimate) -> Result<(), Denied> {
        assert!(self.open.is_none(), "booked twice");
        assert!(!self.closed(), "a call after the end");
        let most = most(call);
        if self.spent.saturating_add(most) > self.limit {
            return Err(Denied::OverBudget("there is no money left".into()));
        }
        self.open = Some(most);
        Ok(())
    }

    fn settle(
        &mut self,
        used: Option<Usage>,
        entries: &mut dyn FnMut(Usd) -> Vec<Entry>,
    ) -> Result<(), Halted> {
        let most = self.open.take().expect("settled without a booking");
        let cost = used.map_or(most, |used| {
            let all = [used.input, used.output, used.cache_read, used.cache_write];
            all.iter().fold(0u64, |sum, one| sum.saturating_add(*one))
        });
        self.spent = self.spent.saturating_add(cost);
        self.entries.extend(entries(Usd(cost)));
        Ok(())
    }

    fn keep(&mut self, entries: Vec<Entry>) -> Result<(), Halted> {
        assert!(!self.closed(), "kept after the end: {entries:?}");
        self.entries.extend(entries);
        Ok(())
    }

    fn has_room_after(&self, call: Estimate) -> bool {
        self.spent.saturating_add(most(call).saturating_mul(2)) <= self.limit
    }
}
