//! supervisord's XML-RPC interface: a call's text, and the values of an answer. Text of programs in an
//! answer is hostile; everything is bounded by the length of the answer.

use crate::net::{self, Http, Method, Request, Secret};
use crate::recover::error::{Error, ErrorKind, shown};
use crate::recover::{ANSWER_LIMIT, Token};
use base64::Engine;
use roxmltree::{Document, Node};
use std::collections::BTreeMap;
use std::time::Instant;

/// How deep values may lie in each other.
const DEPTH: usize = 8;

/// The interface, and who speaks to it.
pub(super) struct Rpc {
    pub http: Http,
    pub url: String,
    /// `user:password`, where it asks for one.
    pub token: Token,
}

/// A value of a call or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Truth(bool),
    List(Vec<Value>),
    Fields(BTreeMap<String, Value>),
}

impl Value {
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.field(field)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn number(&self, field: &str) -> Option<i64> {
        match self.field(field)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    fn field(&self, field: &str) -> Option<&Value> {
        match self {
            Value::Fields(fields) => fields.get(field),
            _ => None,
        }
    }
}

/// What came back: a value, or a fault with supervisord's number for it.
pub(super) enum Answer {
    Value(Value),
    Fault(i64, String),
    /// supervisord failed in it, as it does over text that is no UTF-8.
    Broken,
}

/// supervisord's own numbers.
pub(super) const SHUTTING_DOWN: i64 = 6;
pub(super) const BAD_NAME: i64 = 10;
pub(super) const ALREADY_STARTED: i64 = 60;
pub(super) const NOT_RUNNING: i64 = 70;

impl Rpc {
    /// Calls a method and takes its value.
    pub fn call(&self, method: &str, arguments: &[Value], until: Instant) -> Result<Value, Error> {
        match self.ask(method, arguments, until)? {
            Answer::Value(value) => Ok(value),
            Answer::Fault(code, said) => Err(fault(method, code, &said)),
            Answer::Broken => Err(broken(method)),
        }
    }

    /// The end of a text, by its length in bytes. Where that begins within a character supervisord fails,
    /// and the next character is at most three bytes on.
    pub fn tail(
        &self,
        method: &str,
        length: i64,
        arguments: impl Fn(i64) -> Vec<Value>,
        until: Instant,
    ) -> Result<Answer, Error> {
        for less in 0..4 {
            match self.ask(method, &arguments(length - less), until)? {
                Answer::Broken => {}
                answer @ (Answer::Value(_) | Answer::Fault(..)) => return Ok(answer),
            }
        }
        Ok(Answer::Broken)
    }

    pub fn ask(&self, method: &str, arguments: &[Value], until: Instant) -> Result<Answer, Error> {
        let body = written(method, arguments);
        let mut headers = vec![("content-type", "text/xml".to_owned())];
        if let Some(token) = (self.token)() {
            // Over one without a colon supervisord itself fails.
            if !token.expose().contains(':') {
                let what =
                    "what token_env or token_file of [service.recover] name is no user:password";
                return Err(Error::new(ErrorKind::Settings, what));
            }
            headers.push(("authorization", basic(&token)));
        }
        let unreachable = |fault: net::Error| {
            let what = format!("supervisord does not answer {method}: {fault}");
            Error::new(ErrorKind::Unreachable, what)
        };
        let answer = self.http.send(&Request {
            method: Method::Post,
            url: &self.url,
            headers,
            body: body.as_bytes(),
            deadline: until,
        });
        let answer = answer.map_err(unreachable)?;
        let status = answer.status;
        let bytes = answer.bytes(ANSWER_LIMIT).map_err(unreachable)?;
        match status {
            200 => {}
            401 | 403 => {
                let what = "supervisord does not take the user and password; set token_env or token_file \
                            of [service.recover] to what holds user:password";
                return Err(Error::new(ErrorKind::Refused, what));
            }
            404 | 405 => {
                let what = format!("there is no supervisord at {}", self.url);
                return Err(Error::new(ErrorKind::Missing, what));
            }
            500 => return Ok(Answer::Broken),
            status => {
                let what = format!("supervisord answers {method} with status {status}");
                return Err(Error::new(ErrorKind::Unreachable, what));
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        read(&text).ok_or_else(|| {
            let what = format!("supervisord's answer to {method} is not whole");
            Error::new(ErrorKind::Unreachable, what)
        })
    }
}

pub(super) fn fault(method: &str, code: i64, said: &str) -> Error {
    let kind = match code {
        BAD_NAME => ErrorKind::Missing,
        SHUTTING_DOWN => ErrorKind::Unreachable,
        _ => ErrorKind::Refused,
    };
    Error::new(
        kind,
        format!("supervisord refuses {method}: {} ({code})", shown(said)),
    )
}

/// Nothing is known of what a call did in which supervisord failed.
pub(super) fn broken(method: &str) -> Error {
    let what = format!("supervisord failed in {method} (status 500)");
    Error::new(ErrorKind::Unreachable, what)
}

fn basic(token: &Secret) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(token.expose());
    format!("Basic {encoded}")
}

fn written(method: &str, arguments: &[Value]) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\"?><methodCall><methodName>{}</methodName><params>",
        escaped(method)
    );
    for argument in arguments {
        text.push_str("<param>");
        write(&mut text, argument);
        text.push_str("</param>");
    }
    text.push_str("</params></methodCall>");
    text
}

fn write(text: &mut String, value: &Value) {
    let inside = match value {
        Value::Text(value) => format!("<string>{}</string>", escaped(value)),
        Value::Number(number) => format!("<int>{number}</int>"),
        Value::Truth(truth) => format!("<boolean>{}</boolean>", u8::from(*truth)),
        Value::List(values) => {
            let mut inside = String::from("<array><data>");
            values.iter().for_each(|value| write(&mut inside, value));
            inside + "</data></array>"
        }
        Value::Fields(fields) => {
            let mut inside = String::from("<struct>");
            for (name, value) in fields {
                inside.push_str(&format!("<member><name>{}</name>", escaped(name)));
                write(&mut inside, value);
                inside.push_str("</member>");
            }
            inside + "</struct>"
        }
    };
    text.push_str(&format!("<value>{inside}</value>"));
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// `None`: not the whole of an answer.
fn read(text: &str) -> Option<Answer> {
    // Programs print what no XML may hold; the interface passes it on as it is.
    let clean: String = text
        .chars()
        // A parser of XML takes this for the end of a line, and what a program printed would begin one.
        .map(|c| if c == '\r' { '\u{fffd}' } else { c })
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        .filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}'))
        .collect();
    let document = Document::parse(&clean).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "methodResponse" {
        return None;
    }
    let first = child(root)?;
    match first.tag_name().name() {
        "params" => Some(Answer::Value(value(child(child(first)?)?, 0)?)),
        "fault" => {
            let fault = value(child(first)?, 0)?;
            let said = fault.text("faultString").unwrap_or_default().to_owned();
            Some(Answer::Fault(fault.number("faultCode")?, said))
        }
        _ => None,
    }
}

fn child<'a, 'd>(node: Node<'a, 'd>) -> Option<Node<'a, 'd>> {
    node.children().find(Node::is_element)
}

fn value(node: Node<'_, '_>, depth: usize) -> Option<Value> {
    if node.tag_name().name() != "value" || depth > DEPTH {
        return None;
    }
    let Some(inside) = child(node) else {
        return Some(Value::Text(text(node)));
    };
    Some(match inside.tag_name().name() {
        "string" => Value::Text(text(inside)),
        "int" | "i4" | "i8" => Value::Number(text(inside).trim().parse().ok()?),
        "boolean" => Value::Truth(text(inside).trim() == "1"),
        "array" => {
            let data = child(inside)?;
            let values = data.children().filter(Node::is_element);
            Value::List(
                values
                    .map(|one| value(one, depth + 1))
                    .collect::<Option<_>>()?,
            )
        }
        "struct" => {
            let mut fields = BTreeMap::new();
            for member in inside.children().filter(Node::is_element) {
                let mut parts = member.children().filter(Node::is_element);
                let name = text(parts.next()?);
                fields.insert(name, value(parts.next()?, depth + 1)?);
            }
            Value::Fields(fields)
        }
        // Times and doubles are of no use here.
        _ => Value::Text(text(inside)),
    })
}

fn text(node: Node<'_, '_>) -> String {
    node.text().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_escapes_what_it_carries_and_reads_back() {
        let call = written("a.b", &[Value::Text("<x>&".to_owned()), Value::Truth(true)]);
        assert!(call.contains("<string>&lt;x&gt;&amp;</string>"));
        assert!(call.contains("<boolean>1</boolean>"));
    }

    #[test]
    fn answers_faults_and_garbage_are_told_apart() {
        let whole = "<?xml version='1.0'?><methodResponse><params><param><value><array><data><value>\
            <struct><member><name>name</name><value><string>web</string></value></member><member>\
            <name>pid</name><value><int>12</int></value></member></struct></value></data></array></value>\
            </param></params></methodResponse>";
        let Some(Answer::Value(Value::List(all))) = read(whole) else {
            panic!("no list");
        };
        assert_eq!(all[0].text("name"), Some("web"));
        assert_eq!(all[0].number("pid"), Some(12));
        let fault = "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>10\
            </int></value></member><member><name>faultString</name><value><string>BAD_NAME</string>\
            </value></member></struct></value></fault></methodResponse>";
        assert!(matches!(read(fault), Some(Answer::Fault(10, _))));
        // Each beginning of an answer is none.
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_none(), "{end}");
        }
        // What a program printed begins no line.
        let printed = "<methodResponse><params><param><value><string>a\rb\r\nc</string></value></param>\
            </params></methodResponse>";
        let Some(Answer::Value(Value::Text(text))) = read(printed) else {
            panic!("no text");
        };
        assert_eq!(text.lines().count(), 2, "{text:?}");
        let deep = "<value><array><data>".repeat(2_000);
        assert!(read(&format!("<methodResponse><params><param>{deep}")).is_none());
    }
}
