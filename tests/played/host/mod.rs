//! The wire of a played code host: HTTP/1.1 on loopback, one request a connection, JSON in and
//! out; and the faults that a test asks for. What it answers is each host's own matter.

#![allow(dead_code)] // Each test uses a part of it.

pub mod repo;

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request, as a host's rules look at it.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// Decoded parts of the path after the API's own.
    pub parts: Vec<String>,
    pub query: Vec<(String, String)>,
    pub head: String,
    pub body: Value,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn asked(&self, name: &str) -> Option<&str> {
        let mut found = self.query.iter().filter(|(key, _)| key == name);
        found.next().map(|(_, value)| value.as_str())
    }

    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

impl Reply {
    pub fn new(status: u16, body: Value) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body,
        }
    }

    pub fn says(status: u16, message: &str) -> Reply {
        Reply::new(status, json!({ "message": message }))
    }

    /// Plain text; the body is sent as it is.
    pub fn plain(status: u16, text: &str) -> Reply {
        Reply::new(status, json!(text)).with("Content-Type", "text/plain")
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Reply {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is carried out, and the answer does not come.
    Lost,
    /// It is not carried out, and no answer comes.
    Dropped,
    /// It is carried out, and its answer breaks off in the middle.
    Cut,
    /// It is not carried out, and nothing comes while the other side waits.
    Hangs,
    /// It is not carried out, and this is answered.
    Says(Reply),
}

struct Awaited {
    method: &'static str,
    ending: &'static str,
    /// So many requests of its kind go well before it.
    after: usize,
    fault: Fault,
}

type Faults = Vec<Awaited>;

/// A running host.
pub struct Host {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    faults: Arc<Mutex<Faults>>,
}

impl Host {
    /// `prefix`: the API's path, such as `/api/v4/`.
    pub fn serve(
        prefix: &'static str,
        answers: impl Fn(&Call) -> Reply + Send + Sync + 'static,
    ) -> Host {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = Host {
            address: format!("http://{}", listener.local_addr().unwrap()),
            calls: Arc::default(),
            faults: Arc::default(),
        };
        let (calls, faults, answers) = (host.calls.clone(), host.faults.clone(), Arc::new(answers));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (calls, faults, answers) = (calls.clone(), faults.clone(), answers.clone());
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                    let Some(call) = read(&stream, prefix) else {
                        return;
                    };
                    calls.lock().unwrap().push(call.clone());
                    let fault = take(&faults, &call);
                    let reply = match fault {
                        Some(Fault::Dropped) => return,
                        Some(Fault::Says(reply)) => reply,
                        Some(Fault::Lost) => {
                            answers(&call);
                            return;
                        }
                        Some(Fault::Hangs) => {
                            // Until the other side gives up.
                            let _ = (&stream).read(&mut [0]);
                            return;
                        }
                        Some(Fault::Cut) => {
                            let whole = written(&answers(&call));
                            let _ = (&stream).write_all(&whole[..whole.len() - 20]);
                            return;
                        }
                        None => answers(&call),
                    };
                    let _ = (&stream).write_all(&written(&reply));
                });
            }
        });
        host
    }

    /// The next request with this method whose path ends so meets this fault.
    pub fn next(&self, method: &'static str, ending: &'static str, fault: Fault) {
        self.wait(method, ending, 0, fault);
    }

    /// The one after the next with this method meets this fault.
    pub fn after_one(&self, method: &'static str, fault: Fault) {
        self.wait(method, "", 1, fault);
    }

    fn wait(&self, method: &'static str, ending: &'static str, after: usize, fault: Fault) {
        let awaited = Awaited {
            method,
            ending,
            after,
            fault,
        };
        self.faults.lock().unwrap().push(awaited);
    }

    /// So many of the next requests meet this fault.
    pub fn next_times(
        &self,
        times: usize,
        method: &'static str,
        ending: &'static str,
        fault: &Fault,
    ) {
        for _ in 0..times {
            self.next(method, ending, fault.clone());
        }
    }

    /// No further request meets a fault.
    pub fn mend(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// The requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

fn take(faults: &Mutex<Faults>, call: &Call) -> Option<Fault> {
    let path = call.parts.join("/");
    let mut faults = faults.lock().unwrap();
    let at = faults
        .iter()
        .position(|one| one.method == call.method && path.ends_with(one.ending))?;
    if faults[at].after > 0 {
        faults[at].after -= 1;
        return None;
    }
    Some(faults.remove(at).fault)
}

fn read(stream: &TcpStream, prefix: &str) -> Option<Call> {
    let mut line = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut one = String::new();
        match line.read_line(&mut one) {
            Ok(0) | Err(_) => return None,
            Ok(_) if one == "\r\n" => break,
            Ok(_) => head.push_str(&one),
        }
    }
    let mut first = head.split_whitespace();
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut call = Call {
        method,
        parts: path.strip_prefix(prefix)?.split('/').map(decode).collect(),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (decode(key), decode(value)))
            .collect(),
        head,
        body: Value::Null,
    };
    let length = call.header("content-length").unwrap_or("0");
    let mut body = vec![0; length.parse().ok()?];
    line.read_exact(&mut body).ok()?;
    call.body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    Some(call)
}

fn written(reply: &Reply) -> Vec<u8> {
    let plain = reply
        .headers
        .iter()
        .any(|(name, _)| *name == "Content-Type");
    let body = match (&reply.body, reply.status) {
        (_, 304) => String::new(),
        (Value::String(text), _) if plain => text.clone(),
        (body, _) => body.to_string(),
    };
    let mut out = format!("HTTP/1.1 {} X\r\n", reply.status);
    if !plain {
        out.push_str("Content-Type: application/json\r\n");
    }
    out.push_str(&format!(
        "Content-Length: {}\r\nConnection: close\r\n",
        body.len()
    ));
    for (name, value) in &reply.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    out.push_str(&body);
    out.into_bytes()
}

fn decode(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        let code = tail.get(..2).filter(|_| *first == b'%');
        let code = code.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(bytes).unwrap()
}
