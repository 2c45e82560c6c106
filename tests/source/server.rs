//! A small HTTP server on loopback: git's own http-backend behind it, or a misbehaving fake.

use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// `x-access-token:s3cret`, as `Authorization` carries it.
pub const AUTHORIZATION: &str = "Basic eC1hY2Nlc3MtdG9rZW46czNjcmV0";
pub const TOKEN: &str = "s3cret";

/// What the server does with a request.
pub enum Plays {
    /// git http-backend over this folder; with a wanted `Authorization`, if any.
    Git {
        root: PathBuf,
        authorization: Option<&'static str>,
    },
    /// These bytes, whatever is asked.
    Bytes(Vec<u8>),
    /// A good header, then zeros without end.
    Endless,
    /// Nothing at all, the connection left open.
    Silence,
}

pub struct Server {
    pub address: String,
    pub requests: Arc<AtomicUsize>,
    /// Every request's head.
    pub heads: Arc<Mutex<Vec<String>>>,
    /// The certificate, where the server speaks TLS.
    pub certificate: Option<Vec<u8>>,
}

trait Line: Read + Write {}
impl<T: Read + Write> Line for T {}

pub fn serve(plays: Plays, tls: bool) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (config, certificate) = if tls { certified() } else { (None, None) };
    let server = Server {
        address: format!(
            "{}://{}:{port}",
            if tls { "https" } else { "http" },
            if tls { "localhost" } else { "127.0.0.1" }
        ),
        requests: Arc::default(),
        heads: Arc::default(),
        certificate,
    };
    let (requests, heads) = (server.requests.clone(), server.heads.clone());
    let plays = Arc::new(plays);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            let (plays, heads, config) = (plays.clone(), heads.clone(), config.clone());
            requests.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(20)));
                match config {
                    None => answer(stream, &plays, &heads),
                    Some(config) => {
                        let tls = rustls::ServerConnection::new(config).unwrap();
                        answer(rustls::StreamOwned::new(tls, stream), &plays, &heads);
                    }
                }
            });
        }
    });
    server
}

type Config = Option<Arc<rustls::ServerConfig>>;

fn certified() -> (Config, Option<Vec<u8>>) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (Some(Arc::new(config)), Some(cert.pem().into_bytes()))
}

fn answer(line: impl Line, plays: &Plays, heads: &Mutex<Vec<String>>) {
    let mut line = BufReader::new(line);
    let mut head = String::new();
    loop {
        let mut one = String::new();
        match line.read_line(&mut one) {
            Ok(0) | Err(_) => return,
            Ok(_) if one == "\r\n" => break,
            Ok(_) => head.push_str(&one),
        }
    }
    heads.lock().unwrap().push(head.clone());
    let mut body = vec![
        0;
        field(&head, "content-length")
            .and_then(|n| n.parse().ok())
            .unwrap_or(0)
    ];
    if line.read_exact(&mut body).is_err() {
        return;
    }
    let out = line.get_mut();
    let _ = match plays {
        Plays::Git { authorization: Some(wanted), .. }
            if field(&head, "authorization").as_deref() != Some(wanted) =>
        {
            out.write_all(b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Plays::Git { root, .. } => out.write_all(&backend(root, &head, &body)),
        Plays::Bytes(bytes) => out.write_all(bytes),
        Plays::Endless => endless(out),
        Plays::Silence => {
            std::thread::sleep(Duration::from_secs(20));
            Ok(())
        }
    };
    let _ = out.flush();
}

fn endless(out: &mut impl Write) -> std::io::Result<()> {
    out.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nConnection: close\r\n\r\n001e# service=git-upload-pack\n0000")?;
    loop {
        let reference = format!("{} refs/heads/{}\n", "a".repeat(40), "b".repeat(60_000));
        write!(out, "{:04x}{reference}", reference.len() + 4)?;
    }
}

fn field(head: &str, name: &str) -> Option<String> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name)
            .then(|| value.trim().to_owned())
    })
}

/// Runs git's CGI program and turns its answer into HTTP.
fn backend(root: &Path, head: &str, body: &[u8]) -> Vec<u8> {
    let mut first = head.split_whitespace();
    let (method, target) = (first.next().unwrap_or(""), first.next().unwrap_or("/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_COUNT", "1")
        .env("GIT_CONFIG_KEY_0", "safe.directory")
        .env("GIT_CONFIG_VALUE_0", "*")
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env(
            "CONTENT_TYPE",
            field(head, "content-type").unwrap_or_default(),
        )
        .env("CONTENT_LENGTH", body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(body).unwrap();
    let out = child.wait_with_output().unwrap().stdout;
    let end = out.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(0);
    let headers = String::from_utf8_lossy(&out[..end]).into_owned();
    let status = field(&headers, "status").unwrap_or_else(|| "200 OK".to_owned());
    let content = &out[(end + 4).min(out.len())..];
    let mut answer = format!(
        "HTTP/1.1 {status}\r\n{headers}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        content.len()
    )
    .into_bytes();
    answer.extend_from_slice(content);
    answer
}
