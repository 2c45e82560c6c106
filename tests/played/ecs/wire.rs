//! The wire of a played ECS: HTTP/1.1 on loopback, one request a connection, and the faults that a test
//! asks for. What is answered to an operation is another's matter.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

/// A request: what is asked, and all that came with it.
#[derive(Clone, Debug)]
pub struct Call {
    /// `ecs` or `logs`, as its target says.
    pub service: &'static str,
    pub operation: String,
    pub head: String,
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Call {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    pub fn text(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// As a plan shows it.
    pub fn line(&self) -> String {
        format!("{} {}", self.operation, self.text)
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
        Reply::raw(status, body.to_string())
    }

    pub fn raw(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    /// As AWS names a fault.
    pub fn fault(status: u16, named: &str, message: &str) -> Reply {
        let body = json!({"__type": format!("com.amazonaws.ecs#{named}"), "message": message});
        Reply::new(status, &body)
    }
}

/// What goes wrong with a request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is carried out, and the answer does not come.
    Lost,
    /// It is carried out, and half of the answer comes.
    Cut,
    /// It is not carried out, and no answer comes while the client waits.
    Silent,
    /// It is not carried out, and this is answered.
    Says(Reply),
}

pub fn read(stream: &TcpStream) -> Option<Call> {
    let mut from = BufReader::new(stream);
    let mut head = String::new();
    loop {
        let mut line = String::new();
        match from.read_line(&mut line) {
            Ok(0) | Err(_) => return None,
            Ok(_) if line == "\r\n" => break,
            Ok(_) => head.push_str(&line),
        }
    }
    let mut call = Call {
        service: "ecs",
        operation: String::new(),
        head,
        body: Value::Null,
        text: String::new(),
    };
    let length: usize = call.header("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    call.text = String::from_utf8(body).ok()?;
    call.body = serde_json::from_str(&call.text).ok()?;
    let target = call.header("x-amz-target")?.to_owned();
    let (version, operation) = target.split_once('.')?;
    call.operation = operation.to_owned();
    call.service = match version {
        "AmazonEC2ContainerServiceV20141113" => "ecs",
        "Logs_20140328" => "logs",
        other => panic!("no service of AWS is called {other}"),
    };
    Some(call)
}

/// `whole`: whether all of the body is sent that is announced.
pub fn write(mut stream: &TcpStream, reply: &Reply, whole: bool) {
    let mut out = format!(
        "HTTP/1.1 {} X\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\nConnection: close\r\n",
        reply.status,
        reply.body.len()
    );
    for (name, value) in &reply.headers {
        out.push_str(&format!("{name}: {value}\r\n"));
    }
    out.push_str("\r\n");
    let _ = stream.write_all(out.as_bytes());
    let sent = match whole {
        true => &reply.body[..],
        false => &reply.body[..reply.body.len() / 2],
    };
    let _ = stream.write_all(sent);
}

/// Until the client gives up.
pub fn wait_for_the_end(mut stream: &TcpStream) {
    let mut rest = [0; 64];
    while matches!(stream.read(&mut rest), Ok(n) if n > 0) {}
}
