//! A site with services, a registry, and a Fluent Bit that tails their logs and has our output with
//! a played model. Says how it is built and what stands in its state; the tests say what must hold.

use crate::anthropic_server::{Answer, results, turns};
use crate::programs::Program;
use crate::running::{Place, Router};
use autofix::app::look;
use autofix::model::Incident;
use serde_json::Value;
use std::fs;
use std::process::{Command, Output};

/// Services in a folder of their own.
pub struct Site {
    pub place: Place,
    registry: String,
    logs: Vec<String>,
}

impl Site {
    pub fn new() -> Site {
        Site {
            place: Place::new(),
            registry: String::new(),
            logs: Vec::new(),
        }
    }

    /// Registers a service that runs this program, with these lines besides, and what it printed
    /// when it crashed.
    pub fn add(&mut self, service: &str, program: &Program, lines: &str) -> String {
        let repo = self.place.path(&format!("{service}-repo"));
        let commit = program.repository(&repo);
        self.registry += &format!(
            "[[service]]\nname = \"{service}\"\nmatch = \"tag:app.{service}\"\n\
             repo = \"{}\"\ncommit = \"{commit}\"\n{lines}\n",
            repo.display()
        );
        self.logs.push(format!("{service}.log"));
        program.crash(&repo)
    }

    /// Puts other words in the registry, as a team does that mends it.
    pub fn replace(&mut self, from: &str, to: &str) {
        assert!(self.registry.contains(from), "{}", self.registry);
        self.registry = self.registry.replace(from, to);
    }

    /// The router's configuration, with a model at `url` and these lines in our block.
    pub fn configure(&self, router: &Router, url: &str, lines: &str) -> String {
        let key = self.place.path("model.key");
        fs::write(&key, "test-key\n").unwrap();
        let services = self.place.path("services.toml");
        fs::write(&services, &self.registry).unwrap();
        let ours = format!(
            "{}\nServices {}\nFixer_Url {url}\nFixer_Model claude-opus-5-5\n\
             Fixer_Prices 4 20 5 0.2\nSpend_On_Ephemeral on\nFixer_Key_File {}\n{lines}",
            self.place.state("state"),
            services.display(),
            key.display(),
        );
        let tails: Vec<&str> = self.logs.iter().map(String::as_str).collect();
        self.place.configure(router, &tails, &[ours.trim_end()])
    }

    /// The one incident of a service, as it stands in the store.
    pub fn incident(&self, service: &str) -> Option<Incident> {
        let all = look::incidents(&self.place.path("state")).unwrap_or_default();
        let mut of = all.into_iter().filter(|one| one.service == service);
        let one = of.next();
        assert!(of.next().is_none(), "more than one of {service}");
        one
    }

    /// `autofix fix` with these arguments.
    pub fn fix(&self, arguments: &[&str]) -> Output {
        self.fixing(arguments).output().unwrap()
    }

    pub fn fixing(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_autofix"));
        command.arg("fix").args(arguments).arg("--state");
        command.arg(self.place.path("state"));
        command.env("HOME", self.place.folder.path());
        command
    }

    pub fn report(&self, one: &Incident) -> Value {
        let path = self
            .place
            .path(&format!("state/incidents/{}/report.json", one.id));
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    }

    /// The calls that were booked, by the store.
    pub fn calls(&self) -> u64 {
        look::status(&self.place.path("state")).unwrap().spent.calls
    }
}

/// A model that uses the tools and then proposes what mends the program.
pub fn mends(program: &Program, request: &Value) -> Answer {
    match turns(request) {
        0 => Answer::calls("a", &program.looks()),
        1 => Answer::calls("b", &program.asks_who()),
        _ => {
            let line = line_of(program, request);
            Answer::calls("c", &[("propose_fix", program.proposal(&line))])
        }
    }
}

/// The service that a request is about, by the dossier at its beginning.
pub fn is_about(request: &Value, words: &str) -> bool {
    request["messages"][0]["content"]
        .to_string()
        .contains(words)
}

/// The id of the log line with the program's cry, as the dossier lists it.
fn line_of(program: &Program, request: &Value) -> String {
    let dossier = request["messages"][0]["content"][0]["text"].as_str();
    let lines = dossier.unwrap_or_default().lines();
    let listed = lines.filter(|line| line.contains(program.cry));
    // Each stands behind the fence's sign for data.
    let mut ids = listed.filter_map(|line| {
        let id = line.split_whitespace().take(2).find(|word| {
            let number = word.strip_prefix('L').map(str::parse::<u32>);
            number.is_some_and(|number| number.is_ok())
        });
        id.map(str::to_owned)
    });
    ids.next().unwrap_or_else(|| "none".to_owned())
}

/// What the tools gave in the request that carries `turn` answers, as the model read it.
pub fn shown(requests: &[Value], turn: usize) -> Vec<String> {
    let request = requests.iter().find(|request| turns(request) == turn);
    let results = request.map(results).unwrap_or_default();
    results
        .into_iter()
        .map(|(_, text, is_error)| {
            assert!(!is_error, "{text}");
            text
        })
        .collect()
}
