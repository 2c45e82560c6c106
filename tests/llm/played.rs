//! A server on loopback that does as it is told, well or badly. It knows no API.

use crate::anthropic_server;
use autofix::llm::{Ask, Keys, Ollama, OpenAi};
use autofix::net::{self, Http, Secret};
use autofix::redact::{Redacted, Redactor, Settings};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

/// What the server does with a request.
#[derive(Clone)]
pub enum Plays {
    /// A whole answer.
    Json(u16, Value),
    /// These bytes after a status line, with these headers; then the end.
    Raw(u16, &'static str, String),
    /// The same, of bytes and without their length.
    Bytes(u16, &'static str, Vec<u8>),
    /// Nothing, with the connection open.
    Hangs,
    /// The same answer, a byte each so often.
    Drips(Value, Duration),
    /// The head of an answer and half of its body, then the end.
    Breaks(Value),
    /// An answer without an end.
    Endless,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Heard {
    /// `POST /api/chat`
    pub what: String,
    pub head: String,
    pub body: Value,
    /// As it came.
    pub raw: Vec<u8>,
}

#[derive(Clone)]
pub struct Server {
    pub url: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// When the other side of a connection was found gone.
    left: Arc<Mutex<Vec<Instant>>>,
}

impl Server {
    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    pub fn was_left(&self) -> bool {
        let until = Instant::now() + Duration::from_secs(5);
        while Instant::now() < until {
            if !self.left.lock().unwrap().is_empty() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }
}

/// Plays the same to everyone.
pub fn plays(what: Plays) -> Server {
    serve(move |_| what.clone())
}

pub fn serve(plays: impl Fn(&Heard) -> Plays + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Server {
        url: format!("http://{}", listener.local_addr().unwrap()),
        heard: Arc::default(),
        left: Arc::default(),
    };
    let (ours, plays) = (server.clone(), Arc::new(plays));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let (server, plays) = (ours.clone(), plays.clone());
            std::thread::spawn(move || {
                let Some(heard) = hear(&stream) else { return };
                server.heard.lock().unwrap().push(heard.clone());
                if answer(&stream, plays(&heard)).is_err() {
                    server.left.lock().unwrap().push(Instant::now());
                }
            });
        }
    });
    server
}

fn hear(stream: &TcpStream) -> Option<Heard> {
    let (head, body) = anthropic_server::wire::heard(stream)?;
    let what = head.rsplit_once(" HTTP/").map_or("", |(what, _)| what);
    Some(Heard {
        what: what.to_owned(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
        raw: body,
        head,
    })
}

fn answer(mut out: &TcpStream, plays: Plays) -> std::io::Result<()> {
    let head = |status: u16, length: usize| {
        format!(
            "HTTP/1.1 {status} Played\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    match plays {
        Plays::Json(status, body) => {
            let body = body.to_string();
            write!(out, "{}{body}", head(status, body.len()))
        }
        Plays::Raw(status, headers, body) => {
            let length = body.len();
            write!(
                out,
                "HTTP/1.1 {status} Played\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
            )
        }
        Plays::Bytes(status, headers, body) => {
            write!(
                out,
                "HTTP/1.1 {status} Played\r\n{headers}Connection: close\r\n\r\n"
            )?;
            out.write_all(&body)
        }
        Plays::Hangs => match out.read(&mut [0])? {
            0 => Err(std::io::ErrorKind::ConnectionAborted.into()),
            _ => Ok(()),
        },
        Plays::Drips(body, every) => {
            let body = body.to_string();
            write!(out, "{}", head(200, body.len()))?;
            for byte in body.bytes() {
                std::thread::sleep(every);
                out.write_all(&[byte])?;
            }
            Ok(())
        }
        Plays::Breaks(body) => {
            let body = body.to_string();
            let half = &body[..body.len() / 2];
            write!(out, "{}{half}", head(200, body.len()))
        }
        Plays::Endless => {
            write!(out, "HTTP/1.1 200 Played\r\nConnection: close\r\n\r\n[\"")?;
            loop {
                out.write_all(&[b'x'; 4096])?;
            }
        }
    }
}

pub fn http() -> Http {
    Http::new(&net::Settings::default()).unwrap()
}

pub fn no_key() -> Keys {
    Box::new(|_| None)
}

pub fn key(text: &'static str) -> Keys {
    Box::new(move |_| Some(Secret::new(text.to_owned())))
}

pub fn ollama(server: &Server) -> Ollama {
    Ollama::new(http(), &server.url, "small:1b", no_key()).unwrap()
}

pub fn openai(server: &Server) -> OpenAi {
    OpenAi::new(http(), &server.url, "small:1b", no_key()).unwrap()
}

pub static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    json!({
        "type": "object",
        "properties": {"verdict": {"enum": ["ignore", "investigate"]}},
        "required": ["verdict"],
        "additionalProperties": false,
    })
});

/// About 800 tokens.
pub static LINES: LazyLock<String> = LazyLock::new(|| {
    "2026-03-01 12:00:00 ERROR db: connection refused by 10.0.0.3:5432\n".repeat(20)
});

/// Leaks, as tests may.
pub fn question(user: &str) -> Ask<'static> {
    let mut scope = Redactor::new(&Settings::default()).unwrap().scope();
    Ask {
        system: Box::leak(Box::new(Redacted::own(
            "Judge log lines. Answer in JSON: {\"verdict\": \"ignore\" or \"investigate\"}.",
        ))),
        user: Box::leak(Box::new(scope.text(user))),
        schema: &SCHEMA,
        max_tokens: 100,
        context_tokens: 2000,
        deadline: Duration::from_secs(10),
    }
}
