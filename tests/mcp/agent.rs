//! An agent: the built program over pipes, spoken to line by line as a client of the protocol does.

use crate::place::Place;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long an answer may take before a test gives up; no test waits for it to pass.
const PATIENCE: Duration = Duration::from_secs(60);

pub const REVISIONS: [&str; 3] = ["2025-06-18", "2025-03-26", "2024-11-05"];

pub struct Agent {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<String>,
    errors: Option<JoinHandle<String>>,
    next: i64,
}

/// What is left when it has ended.
pub struct Ended {
    pub status: Option<i32>,
    pub out: Vec<String>,
    pub err: String,
}

impl Agent {
    /// Starts the server; nothing is said yet.
    pub fn start(place: &Place, arguments: &[&str]) -> Agent {
        let mut child = place
            .autofix()
            .args(["mcp", "--state", "state"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let mut err = child.stderr.take().unwrap();
        let (send, from) = channel();
        thread::spawn(move || {
            for line in out.lines() {
                let Ok(line) = line else { return };
                if send.send(line).is_err() {
                    return;
                }
            }
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _ = err.read_to_string(&mut text);
            text
        });
        Agent {
            to: child.stdin.take(),
            child,
            from,
            errors: Some(errors),
            next: 1,
        }
    }

    /// Starts it and shakes hands.
    pub fn meet(place: &Place, arguments: &[&str], revision: &str) -> Agent {
        let mut agent = Agent::start(place, arguments);
        agent.initialize(revision, "test-agent");
        agent
    }

    pub fn initialize(&mut self, revision: &str, name: &str) -> Value {
        let answer = self.ask(
            "initialize",
            json!({
                "protocolVersion": revision,
                "capabilities": {},
                "clientInfo": {"name": name, "version": "1"},
            }),
        );
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        answer
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        // A server that has ended does not read any more; the answer that is missing then tells.
        let to = self.to.as_mut().unwrap();
        let _ = to.write_all(bytes).and_then(|()| to.flush());
    }

    pub fn send(&mut self, line: &str) {
        self.raw(format!("{line}\n").as_bytes());
    }

    pub fn line(&mut self) -> String {
        let line = self.from.recv_timeout(PATIENCE);
        line.unwrap_or_else(|e| panic!("no answer: {e}"))
    }

    pub fn read(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    }

    /// Asks, and gives the whole answer.
    pub fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.next;
        self.next += 1;
        let asked = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send(&asked.to_string());
        let answer = self.read();
        assert_eq!(answer["jsonrpc"], "2.0", "{answer}");
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    /// Calls a tool; gives whether it was refused, and what it said.
    pub fn call(&mut self, tool: &str, arguments: Value) -> (bool, Value) {
        let params = json!({"name": tool, "arguments": arguments});
        let answer = self.ask("tools/call", params);
        let result = &answer["result"];
        let text = result["content"][0]["text"].as_str();
        let text = text.unwrap_or_else(|| panic!("{answer}"));
        let said: Value = serde_json::from_str(text).unwrap();
        (result["isError"].as_bool().unwrap(), said)
    }

    /// Calls a tool that must be refused, and gives the check.
    pub fn refused(&mut self, tool: &str, arguments: Value) -> String {
        let (refused, said) = self.call(tool, arguments);
        assert!(refused, "{said}");
        said["check"].as_str().unwrap().to_owned()
    }

    /// The code of an error.
    pub fn code(&mut self, line: &str) -> i64 {
        self.send(line);
        let answer = self.read();
        answer["error"]["code"]
            .as_i64()
            .unwrap_or_else(|| panic!("{answer}"))
    }

    pub fn tools(&mut self) -> Vec<Value> {
        let answer = self.ask("tools/list", json!({"cursor": "ignored"}));
        assert_eq!(answer["result"].get("nextCursor"), None);
        answer["result"]["tools"].as_array().unwrap().clone()
    }

    /// Ends the input, and waits for the end.
    pub fn end(mut self) -> Ended {
        drop(self.to.take());
        let status = self.child.wait().unwrap().code();
        Ended {
            status,
            out: self.from.iter().collect(),
            err: self.errors.take().unwrap().join().unwrap(),
        }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn names(tools: &[Value]) -> Vec<&str> {
    let name = |tool: &'_ Value| tool["name"].as_str().map(str::len);
    assert!(tools.iter().all(|tool| name(tool).is_some()));
    tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect()
}

pub fn tool<'a>(tools: &'a [Value], name: &str) -> &'a Value {
    let found = tools.iter().find(|tool| tool["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} among {:?}", names(tools)))
}
