//! HTTP over a Unix domain socket, for servers that listen on nothing else. Every request of such a
//! client goes to the one socket, whatever host its URL names.

use super::{Error, Http, agent_config};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use ureq::Timeout;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

impl Http {
    /// A client of the server that listens on a socket. No connection is made yet.
    ///
    /// # Errors
    /// None at present: what is wrong with the socket is told by the first request.
    pub fn unix(socket: &Path) -> Result<Http, Error> {
        let config = agent_config(TlsConfig::default(), None);
        let connector = ToSocket(socket.to_owned());
        Ok(Http {
            direct: ureq::Agent::with_parts(config, connector, DefaultResolver::default()),
            proxied: None,
        })
    }
}

#[derive(Debug)]
struct ToSocket(PathBuf);

impl Connector<()> for ToSocket {
    type Out = Socket;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _: Option<()>,
    ) -> Result<Option<Socket>, ureq::Error> {
        let config = details.config;
        Ok(Some(Socket {
            stream: UnixStream::connect(&self.0)?,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        }))
    }
}

#[derive(Debug)]
struct Socket {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let left = timeout.not_zero().map(|left| *left);
        self.stream.set_write_timeout(left)?;
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream
            .write_all(output)
            .map_err(|e| timed(e, timeout.reason))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let left = timeout.not_zero().map(|left| *left);
        self.stream.set_read_timeout(left)?;
        let input = self.buffers.input_append_buf();
        let read = loop {
            match self.stream.read(input) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(|e| timed(e, timeout.reason))?,
            }
        };
        self.buffers.input_appended(read);
        Ok(read > 0)
    }

    /// A connection is used once: whether the other end has closed it cannot be told for sure.
    fn is_open(&mut self) -> bool {
        false
    }
}

fn timed(e: std::io::Error, reason: Timeout) -> ureq::Error {
    match e.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => ureq::Error::Timeout(reason),
        _ => ureq::Error::Io(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::{Method, Request};
    use std::os::unix::net::UnixListener;
    use std::time::{Duration, Instant};

    fn request(deadline: Instant) -> Request<'static> {
        Request {
            method: Method::Post,
            url: "http://127.0.0.1/RPC2",
            headers: vec![("content-type", "text/xml".to_owned())],
            body: b"<a/>",
            deadline,
        }
    }

    #[test]
    fn an_answer_comes_over_the_socket_and_a_silent_one_ends_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let http = Http::unix(&path).unwrap();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut part = [0; 1024];
            while !asked.ends_with(b"<a/>") {
                let read = stream.read(&mut part).unwrap();
                asked.extend_from_slice(&part[..read]);
            }
            stream
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                .unwrap();
            // The next one is left waiting.
            let kept = listener.accept().unwrap();
            (asked, kept)
        });
        let soon = Instant::now() + Duration::from_secs(20);
        let answer = http.send(&request(soon)).unwrap();
        assert_eq!(answer.bytes(10).unwrap(), b"ok");
        let short = Instant::now() + Duration::from_millis(300);
        let silent = http.send(&request(short)).err().unwrap();
        assert_eq!(silent.kind, crate::net::ErrorKind::Timeout);
        let (asked, _) = server.join().unwrap();
        assert!(asked.starts_with(b"POST /RPC2 HTTP/1.1\r\n"));
        assert!(
            Http::unix(Path::new("/no/such"))
                .unwrap()
                .send(&request(soon))
                .is_err()
        );
    }
}
