//! Stands between a client and supervisord: keeps what was called, and spoils an answer where it is told
//! to. A call is always forwarded before its answer is spoilt.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

/// What is done with an answer.
#[derive(Clone, Debug)]
pub enum Spoil {
    /// The connection is closed without one.
    Cut,
    /// Half of it comes.
    Half,
    /// This comes in its place, as a whole answer of status 200.
    Body(Vec<u8>),
}

type Plan = Box<dyn FnMut(&str) -> Option<Spoil> + Send>;

pub struct Proxy {
    pub socket: PathBuf,
    calls: Arc<Mutex<Vec<String>>>,
    plan: Arc<Mutex<Plan>>,
}

impl Proxy {
    /// Listens beside the socket that it stands for.
    pub fn before(upstream: &Path) -> Proxy {
        let socket = upstream.with_file_name("p");
        let listener = UnixListener::bind(&socket).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let nothing: Plan = Box::new(|_| None);
        let plan = Arc::new(Mutex::new(nothing));
        let (kept, planned, upstream) = (calls.clone(), plan.clone(), upstream.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (kept, planned, upstream) = (kept.clone(), planned.clone(), upstream.clone());
                std::thread::spawn(move || serve(stream, &upstream, &kept, &planned));
            }
        });
        Proxy {
            socket,
            calls,
            plan,
        }
    }

    pub fn api(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// From now on: what is done with the answer to a call.
    pub fn spoil(&self, plan: impl FnMut(&str) -> Option<Spoil> + Send + 'static) {
        *self.plan.lock().unwrap() = Box::new(plan);
    }

    /// The calls that changed something, as `plan` writes them; they are forgotten then.
    pub fn changes(&self) -> Vec<String> {
        let all = std::mem::take(&mut *self.calls.lock().unwrap());
        let changes = |call: &String| {
            ["startProcess", "stopProcess"]
                .iter()
                .any(|name| call.starts_with(&format!("supervisor.{name}")))
        };
        all.into_iter().filter(changes).collect()
    }
}

fn serve(
    mut stream: UnixStream,
    upstream: &Path,
    calls: &Mutex<Vec<String>>,
    plan: &Mutex<Plan>,
) -> Option<()> {
    let (head, body) = message(&mut stream)?;
    let call = call(&String::from_utf8_lossy(&body));
    calls.lock().unwrap().push(call.clone());
    let mut server = UnixStream::connect(upstream).ok()?;
    server.write_all(&head).ok()?;
    server.write_all(&body).ok()?;
    let (head, body) = message(&mut server)?;
    let spoilt = (plan.lock().unwrap())(&call);
    match spoilt {
        None => {
            stream.write_all(&head).ok()?;
            stream.write_all(&body).ok()?;
        }
        Some(Spoil::Cut) => {}
        Some(Spoil::Half) => {
            stream.write_all(&head).ok()?;
            stream.write_all(&body[..body.len() / 2]).ok()?;
        }
        Some(Spoil::Body(other)) => {
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
                other.len()
            );
            stream.write_all(head.as_bytes()).ok()?;
            stream.write_all(&other).ok()?;
        }
    }
    Some(())
}

/// Head and body of a request or an answer.
pub fn message(stream: &mut UnixStream) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut part = [0; 4096];
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        match stream.read(&mut part).ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&part[..read]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"))
        .and_then(|text| text.trim().parse().ok())
        .unwrap_or(0);
    while bytes.len() < end + length {
        match stream.read(&mut part).ok()? {
            0 => return None,
            read => bytes.extend_from_slice(&part[..read]),
        }
    }
    let body = bytes.split_off(end);
    Some((bytes, body))
}

/// `supervisor.stopProcess("web:web", true)`, out of a call's XML.
fn call(text: &str) -> String {
    let method = between(text, "<methodName>", "</methodName>").unwrap_or_default();
    let mut arguments = Vec::new();
    for value in text.split("<param>").skip(1) {
        if let Some(text) = between(value, "<string>", "</string>") {
            arguments.push(format!("{text:?}"));
        } else if let Some(text) = between(value, "<boolean>", "</boolean>") {
            arguments.push((text == "1").to_string());
        } else if let Some(text) = between(value, "<int>", "</int>") {
            arguments.push(text.to_owned());
        }
    }
    format!("{method}({})", arguments.join(", "))
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(from)?;
    rest.split_once(to).map(|(inner, _)| inner)
}
