//! The wire of the played Machines API: HTTP/1.1 on loopback, one request a connection, and what goes
//! wrong with an answer.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    pub head: String,
    pub bytes: Vec<u8>,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub fn asked(&self, name: &str) -> Option<&str> {
        let (_, query) = self.target.split_once('?')?;
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value)
            .next()
    }

    /// `None`: there is no body, or no JSON in it.
    pub fn body(&self) -> Option<Value> {
        serde_json::from_slice(&self.bytes).ok()
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: &Value) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        }
    }

    pub fn raw(status: u16, body: &[u8]) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.to_vec(),
        }
    }

    pub fn error(status: u16, message: &str) -> Reply {
        Reply::new(status, &serde_json::json!({ "error": message }))
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is carried out, and the connection ends without an answer.
    Lost,
    /// It is carried out, and half of the answer's body comes.
    Cut,
    /// It is not carried out, and no answer ever comes.
    Hang,
    /// It is not carried out, and this is answered. With a good status it is a lie.
    Says(Reply),
}

type Faults = Vec<(&'static str, &'static str, Fault)>;

/// A running server.
pub struct Server {
    /// `http://127.0.0.1:PORT`
    pub address: String,
    calls: Arc<Mutex<Vec<Call>>>,
    faults: Arc<Mutex<Faults>>,
}

impl Server {
    pub fn serve(answers: impl Fn(&Call) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Server {
            address: format!("http://{}", listener.local_addr().unwrap()),
            calls: Arc::default(),
            faults: Arc::default(),
        };
        let (calls, faults, answers) = (
            server.calls.clone(),
            server.faults.clone(),
            Arc::new(answers),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let (calls, faults, answers) = (calls.clone(), faults.clone(), answers.clone());
                std::thread::spawn(move || {
                    let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                    let Some(call) = read(&stream) else {
                        return;
                    };
                    calls.lock().unwrap().push(call.clone());
                    match take(&faults, &call) {
                        None => write(&stream, &answers(&call), false),
                        Some(Fault::Says(reply)) => write(&stream, &reply, false),
                        Some(Fault::Cut) => write(&stream, &answers(&call), true),
                        Some(Fault::Lost) => {
                            answers(&call);
                        }
                        // Until the other side goes.
                        Some(Fault::Hang) => {
                            let _ = (&stream).read(&mut [0]);
                        }
                    }
                });
            }
        });
        server
    }

    /// The next request with this method whose path ends so meets this fault.
    pub fn next(&self, method: &'static str, ending: &'static str, fault: Fault) {
        self.faults.lock().unwrap().push((method, ending, fault));
    }

    /// How many faults no request has met yet.
    pub fn faults_left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    /// The requests so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub fn forget(&self) {
        self.calls.lock().unwrap().clear();
    }
}

fn take(faults: &Mutex<Faults>, call: &Call) -> Option<Fault> {
    let mut faults = faults.lock().unwrap();
    let at = faults
        .iter()
        .position(|(method, ending, _)| *method == call.method && call.path().ends_with(ending))?;
    Some(faults.remove(at).2)
}

fn read(stream: &TcpStream) -> Option<Call> {
    let mut lines = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut one = String::new();
        match lines.read_line(&mut one) {
            Ok(0) | Err(_) => return None,
            Ok(_) if one == "\r\n" => break,
            Ok(_) => head.push_str(&one),
        }
    }
    let mut first = head.split_whitespace();
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let mut call = Call {
        method,
        target,
        head,
        bytes: Vec::new(),
    };
    let length: usize = call.header("content-length").unwrap_or("0").parse().ok()?;
    call.bytes = vec![0; length];
    lines.read_exact(&mut call.bytes).ok()?;
    Some(call)
}

fn write(mut stream: &TcpStream, reply: &Reply, cut: bool) {
    let mut out = format!(
        "HTTP/1.1 {} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    let mut bytes = out.into_bytes();
    let shown = if cut {
        reply.body.len() / 2
    } else {
        reply.body.len()
    };
    bytes.extend_from_slice(&reply.body[..shown]);
    let _ = stream.write_all(&bytes);
}
