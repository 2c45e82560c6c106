//! Git's smart protocol over `net::Http`: one server, no redirects. For libgit2 it reads only;
//! a pack that goes to the server is `push`'s, which makes sure that it only makes a branch.
//! What is fetched and where it is kept is `mirror`'s business.

use crate::net::{self, Http, Method, Request, Response, Secret};
use crate::source::error::{Error, ErrorKind};
use git2::Remote;
use git2::transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport};
use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Longest request; libgit2 asks for commits by id, some 50 bytes each.
const REQUEST_LIMIT: usize = 16 << 20;

/// One fetch: where from, as whom, until when, and what went wrong.
pub(super) struct Session {
    http: Http,
    /// The repository's address without a slash at its end.
    base: String,
    secret: Option<Secret>,
    deadline: Instant,
    /// Bytes that may still come.
    budget: AtomicU64,
    limit: u64,
    failure: Mutex<Option<Error>>,
}

thread_local! {
    /// libgit2 makes transports on the thread that fetches and has no place for a value of
    /// ours: this is how the session gets to its transport.
    static CURRENT: RefCell<Option<Arc<Session>>> = const { RefCell::new(None) };
}

impl Session {
    pub fn new(
        http: Http,
        base: &str,
        secret: Option<Secret>,
        deadline: Instant,
        limit: u64,
    ) -> Arc<Session> {
        Arc::new(Session {
            http,
            base: base.trim_end_matches('/').to_owned(),
            secret,
            deadline,
            budget: AtomicU64::new(limit),
            limit,
            failure: Mutex::new(None),
        })
    }

    /// Runs something that fetches over this session.
    pub fn during<T>(self: &Arc<Session>, fetch: impl FnOnce() -> T) -> T {
        struct Reset;
        impl Drop for Reset {
            fn drop(&mut self) {
                CURRENT.with(|current| current.borrow_mut().take());
            }
        }
        CURRENT.with(|current| *current.borrow_mut() = Some(self.clone()));
        let _reset = Reset;
        fetch()
    }

    /// What went wrong first; libgit2 keeps only words.
    pub fn failure(&self) -> Option<Error> {
        let failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.clone()
    }

    fn fail(&self, kind: ErrorKind, what: String) -> io::Error {
        // libgit2 takes messages as C strings.
        let what = what.replace('\0', "");
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        failure.get_or_insert_with(|| Error::new(kind, what.clone()));
        io::Error::other(what)
    }

    /// What the server says before it reads or takes anything: its references, as they are for
    /// one of its two services.
    pub fn advertised(&self, service: &'static str) -> Result<Vec<u8>, Error> {
        let path = format!("/info/refs?service={service}");
        let wanted = format!("application/x-{service}-advertisement");
        self.whole(Method::Get, &path, &[], &wanted)
    }

    /// Hands commands and a pack to the server; gives its report.
    pub fn receive(&self, request: &[u8]) -> Result<Vec<u8>, Error> {
        if request.len() > REQUEST_LIMIT {
            let what = format!("{}: a change of more than {REQUEST_LIMIT} bytes", self.base);
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        let wanted = "application/x-git-receive-pack-result";
        self.whole(Method::Post, "/git-receive-pack", request, wanted)
    }

    fn whole(
        &self,
        method: Method,
        path: &str,
        body: &[u8],
        wanted: &str,
    ) -> Result<Vec<u8>, Error> {
        let answer = self
            .send(method, path, body, wanted)
            .and_then(|answer| answer.bytes(self.limit).map_err(|e| self.unreachable(&e)));
        answer.map_err(|e| {
            let what = || Error::new(ErrorKind::Network, format!("{}: {e}", self.base));
            self.failure().unwrap_or_else(what)
        })
    }

    fn send(&self, method: Method, path: &str, body: &[u8], wanted: &str) -> io::Result<Response> {
        let url = format!("{}{path}", self.base);
        let mut headers = vec![("accept", wanted.to_owned())];
        if method == Method::Post {
            let kind = format!("application/x-{}-request", path.trim_start_matches("/"));
            headers.push(("content-type", kind));
        }
        if let Some(secret) = &self.secret {
            headers.push(("authorization", basic(secret)));
        }
        let request = Request {
            method,
            url: &url,
            headers,
            body,
            deadline: self.deadline,
        };
        let answer = self.http.send(&request).map_err(|e| self.unreachable(&e))?;
        self.judge(answer, wanted)
    }

    fn unreachable(&self, e: &net::Error) -> io::Error {
        let kind = match e.kind {
            net::ErrorKind::Timeout => ErrorKind::Deadline,
            net::ErrorKind::TooLarge => ErrorKind::TooLarge,
            net::ErrorKind::Settings | net::ErrorKind::Network => ErrorKind::Network,
        };
        self.fail(kind, format!("{}: {e}", self.base))
    }

    /// Only the one right answer goes on to libgit2.
    fn judge(&self, answer: Response, wanted: &str) -> io::Result<Response> {
        let base = &self.base;
        let (kind, what) = match answer.status {
            200 if answer.content_type.starts_with(wanted) => return Ok(answer),
            200 => (
                ErrorKind::Network,
                format!("{base} answers, but does not speak git's smart protocol"),
            ),
            300..=399 => (
                ErrorKind::NoRepository,
                format!(
                    "{base} redirects to {}; name that address in the registry if it is right",
                    printable(answer.location.as_deref().unwrap_or("nowhere"))
                ),
            ),
            401 | 403 if self.secret.is_some() => (
                ErrorKind::Denied,
                format!("{base} refuses the credentials given"),
            ),
            401 | 403 => (
                ErrorKind::Denied,
                format!("{base} wants credentials, and none are configured for its host"),
            ),
            404 | 410 => (
                ErrorKind::NoRepository,
                format!("{base} is not there, or not for these credentials"),
            ),
            status => (
                ErrorKind::Network,
                format!("{base} answers with status {status}"),
            ),
        };
        Err(self.fail(kind, what))
    }
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// What libgit2 calls for every address of our scheme.
pub(super) fn make(remote: &Remote<'_>) -> Result<Transport, git2::Error> {
    let session = CURRENT.with(|current| current.borrow().clone());
    let Some(session) = session else {
        return Err(git2::Error::from_str(
            "no fetch is under way on this thread",
        ));
    };
    Transport::smart(remote, true, Smart { session })
}

struct Smart {
    session: Arc<Session>,
}

impl SmartSubtransport for Smart {
    fn action(
        &self,
        _url: &str,
        action: Service,
    ) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        match action {
            Service::UploadPackLs | Service::UploadPack => Ok(Box::new(Stream {
                session: self.session.clone(),
                lists: action == Service::UploadPackLs,
                request: Vec::new(),
                answer: None,
            })),
            Service::ReceivePackLs | Service::ReceivePack => {
                Err(git2::Error::from_str("this transport only reads"))
            }
        }
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

/// One request and its answer.
struct Stream {
    session: Arc<Session>,
    lists: bool,
    request: Vec<u8>,
    answer: Option<Box<dyn Read + Send>>,
}

impl Stream {
    fn start(&self) -> io::Result<Box<dyn Read + Send>> {
        let answer = if self.lists {
            self.session.send(
                Method::Get,
                "/info/refs?service=git-upload-pack",
                &[],
                "application/x-git-upload-pack-advertisement",
            )?
        } else {
            self.session.send(
                Method::Post,
                "/git-upload-pack",
                &self.request,
                "application/x-git-upload-pack-result",
            )?
        };
        Ok(Box::new(answer.into_reader()))
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let session = self.session.clone();
        if Instant::now() >= session.deadline {
            let what = format!("{}: no time left for fetching", session.base);
            return Err(session.fail(ErrorKind::Deadline, what));
        }
        let answer = match &mut self.answer {
            Some(answer) => answer,
            None => {
                let answer = self.start()?;
                self.answer.insert(answer)
            }
        };
        let count = answer
            .read(into)
            .map_err(|e| session.unreachable(&net::Error::from(e)))?;
        let taken = u64::try_from(count).unwrap_or(u64::MAX);
        let left = session.budget.load(Ordering::Relaxed).checked_sub(taken);
        let Some(left) = left else {
            let what = format!("{} sends more than {} bytes", session.base, session.limit);
            return Err(session.fail(ErrorKind::TooLarge, what));
        };
        session.budget.store(left, Ordering::Relaxed);
        Ok(count)
    }
}

impl Write for Stream {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        if self.request.len() + from.len() > REQUEST_LIMIT {
            return Err(io::Error::other("the request is too long"));
        }
        self.request.extend_from_slice(from);
        Ok(from.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The header for a token, or for `user:password`. Hosts that take a token ignore the name.
fn basic(secret: &Secret) -> String {
    let text = secret.expose().trim();
    let pair = match text.contains(':') {
        true => text.to_owned(),
        false => format!("x-access-token:{text}"),
    };
    format!("Basic {}", base64(pair.as_bytes()))
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut word = 0usize;
        for at in 0..3 {
            word = word << 8 | group.get(at).copied().map_or(0, usize::from);
        }
        for at in 0..4 {
            let digit = DIGITS
                .get(word >> (18 - 6 * at) & 63)
                .copied()
                .unwrap_or(b'=');
            out.push(if at <= group.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_with_every_padding() {
        for (text, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("a:b?~", "YTpiP34="),
        ] {
            assert_eq!(base64(text.as_bytes()), coded);
        }
    }

    #[test]
    fn tokens_get_a_name_and_pairs_keep_theirs() {
        let header = |text: &str| basic(&Secret::new(text.to_owned()));
        assert_eq!(
            header("t\n"),
            format!("Basic {}", base64(b"x-access-token:t"))
        );
        assert_eq!(header("u:p"), format!("Basic {}", base64(b"u:p")));
    }
}
