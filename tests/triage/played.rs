//! A server that plays a model: it speaks OpenAI's protocol on loopback and gives recorded or
//! made-up answers. It judges nothing.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the server does with a question.
pub enum Reply {
    Says(String),
    /// A status with a body.
    Status(u16, &'static str),
    /// Nothing, until the asker gives up.
    Hangs,
}

/// A question: the user's part of the prompt.
pub struct Question {
    pub user: String,
}

impl Question {
    /// Its entries, a line each.
    pub fn entries(&self) -> Vec<&str> {
        let list = self.user.split("Entries:\n").nth(1).unwrap_or_default();
        let lines = list.lines();
        lines
            .take_while(|line| line.starts_with(|c: char| c.is_ascii_digit()))
            .collect()
    }
}

type Answers = dyn Fn(&Question) -> Reply + Send + Sync;

pub struct Played {
    pub url: String,
    asked: Arc<Mutex<Vec<Question>>>,
}

impl Played {
    pub fn new(answers: impl Fn(&Question) -> Reply + Send + Sync + 'static) -> Played {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Question>>>::default();
        let (seen, answers): (_, Arc<Answers>) = (Arc::clone(&asked), Arc::new(answers));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answers) = (Arc::clone(&seen), Arc::clone(&answers));
                std::thread::spawn(move || serve(stream, &seen, &*answers));
            }
        });
        Played { url, asked }
    }

    /// Everything that it was shown so far.
    pub fn shown(&self) -> String {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .map(|question| question.user.as_str())
            .collect()
    }

    pub fn questions(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Question>>, answers: &Answers) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).unwrap_or(0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if let Some(number) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    if first.starts_with("GET") {
        return send(stream, 200, "{}");
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let body: Value = serde_json::from_slice(&body).unwrap();
    let user = body["messages"][1]["content"].as_str().unwrap().to_owned();
    let question = Question { user };
    let reply = answers(&question);
    seen.lock().unwrap().push(question);
    match reply {
        Reply::Says(text) => {
            let answer = json!({
                "model": "played",
                "choices": [{"message": {"content": text}, "finish_reason": "stop"}],
                "usage": {"completion_tokens": text.len() / 4},
            });
            send(stream, 200, &answer.to_string());
        }
        Reply::Status(status, body) => send(stream, status, body),
        Reply::Hangs => std::thread::sleep(Duration::from_secs(600)),
    }
}

fn send(mut stream: TcpStream, status: u16, body: &str) {
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    // The other side may have gone.
    let _ = stream.write_all(answer.as_bytes());
}
