//! HTTP for every hand that speaks to the network: one agent over rustls, with a timeout on
//! everything and a cap on what is read. It knows no forge, model or git, reads no environment
//! (proxy and certificates are handed down) and never follows a redirect by itself.

pub mod aws;
mod encoded;
mod error;
mod flow;
mod guard;
mod headers;
mod secret;
mod unix;
mod whole;

pub use encoded::encoded;
pub use error::{Error, ErrorKind};
pub use headers::Headers;
pub use secret::Secret;
pub use whole::Whole;

use std::io::Read;
use std::time::{Duration, Instant};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::DefaultConnector;

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a server may think before the first byte of its answer.
const RESPONSE: Duration = Duration::from_secs(60);
/// How long a body may stand still between two bytes.
const STALL: Duration = Duration::from_secs(60);

/// What a door hands down about the network.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `http://host:port` of a proxy; loopback addresses never go through it.
    pub proxy: Option<String>,
    /// PEM certificates that are trusted beside Mozilla's list.
    pub extra_roots: Option<Vec<u8>>,
}

/// A blocking HTTP client; clones share its connections.
#[derive(Clone, Debug)]
pub struct Http {
    direct: ureq::Agent,
    proxied: Option<ureq::Agent>,
}

/// One request.
#[derive(Debug)]
pub struct Request<'a> {
    pub method: Method,
    pub url: &'a str,
    pub headers: Vec<(&'static str, String)>,
    pub body: &'a [u8],
    /// When everything, the body included, has to be read.
    pub deadline: Instant,
}

/// How long a server may say nothing.
#[derive(Clone, Copy, Debug)]
struct Silence {
    /// Before its answer begins.
    response: Duration,
    /// Between two bytes of it.
    read: Duration,
}

/// The verbs in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// An answer whose body is still to be read.
pub struct Response {
    pub status: u16,
    pub content_type: String,
    /// Where a redirect points; nobody follows it here.
    pub location: Option<String>,
    /// `Retry-After`, where it is a number of seconds; dates would need a clock that agrees.
    pub retry_after: Option<Duration>,
    pub headers: Headers,
    body: ureq::BodyReader<'static>,
}

impl Http {
    /// # Errors
    /// When the proxy or the certificates cannot be understood.
    pub fn new(settings: &Settings) -> Result<Http, Error> {
        let tls = tls(settings.extra_roots.as_deref())?;
        let proxied = match &settings.proxy {
            None => None,
            Some(address) => {
                let proxy = ureq::Proxy::new(address)
                    .map_err(|e| Error::new(ErrorKind::Settings, format!("proxy {e}")))?;
                Some(agent(tls.clone(), Some(proxy)))
            }
        };
        Ok(Http {
            direct: agent(tls, None),
            proxied,
        })
    }

    /// Sends one request; the status is the caller's to judge. GET carries no body, and DELETE only
    /// one that is not empty.
    ///
    /// # Errors
    /// When no answer comes, in time or at all.
    pub fn send(&self, request: &Request<'_>) -> Result<Response, Error> {
        self.send_within(
            request,
            Silence {
                response: RESPONSE,
                read: STALL,
            },
        )
    }

    fn send_within(&self, request: &Request<'_>, silence: Silence) -> Result<Response, Error> {
        let left = request.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::new(ErrorKind::Timeout, "no time left".into()));
        }
        let agent = match &self.proxied {
            Some(agent) if !is_loopback(request.url) => agent,
            _ => &self.direct,
        };
        let answer = match request.method {
            Method::Get => prepared(agent.get(request.url), request, left, silence).call(),
            Method::Post => {
                prepared(agent.post(request.url), request, left, silence).send(request.body)
            }
            Method::Put => {
                prepared(agent.put(request.url), request, left, silence).send(request.body)
            }
            Method::Patch => {
                prepared(agent.patch(request.url), request, left, silence).send(request.body)
            }
            Method::Delete if request.body.is_empty() => {
                prepared(agent.delete(request.url), request, left, silence).call()
            }
            Method::Delete => {
                let call = agent.delete(request.url).force_send_body();
                prepared(call, request, left, silence).send(request.body)
            }
        };
        let answer = answer.map_err(Error::from)?;
        let headers = Headers::of(answer.headers());
        let header = |name: &str| headers.get(name).map(str::to_owned);
        Ok(Response {
            status: answer.status().as_u16(),
            content_type: header("content-type").unwrap_or_default(),
            location: header("location"),
            retry_after: header("retry-after")
                .and_then(|seconds| seconds.trim().parse().ok())
                .map(Duration::from_secs),
            headers,
            body: answer
                .into_body()
                .into_with_config()
                .limit(u64::MAX)
                .reader(),
        })
    }
}

impl Response {
    /// Reads the whole body, which must not be longer than `cap` bytes.
    ///
    /// # Errors
    /// When it is longer, breaks off or comes too slowly.
    pub fn bytes(self, cap: u64) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        let mut body = self.body.take(cap.saturating_add(1));
        body.read_to_end(&mut bytes).map_err(Error::from)?;
        if bytes.len() as u64 > cap {
            let what = format!("an answer longer than {cap} bytes");
            return Err(Error::new(ErrorKind::TooLarge, what));
        }
        Ok(bytes)
    }

    /// The body as it comes; the request's deadline holds for every read. No cap: count.
    pub fn into_reader(self) -> impl Read + Send + 'static {
        self.body
    }
}

/// A request with its headers and time limits.
fn prepared<B>(
    mut call: ureq::RequestBuilder<B>,
    request: &Request<'_>,
    left: Duration,
    silence: Silence,
) -> ureq::RequestBuilder<B> {
    for (name, value) in &request.headers {
        call = call.header(*name, value);
    }
    call.config()
        .timeout_global(Some(left))
        .timeout_recv_response(Some(silence.response))
        .timeout_per_read(Some(silence.read))
        .build()
}

/// Whether an address names this machine itself.
pub fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let name = match host.strip_prefix('[') {
        Some(six) => six.split(']').next().unwrap_or(six),
        None => host.split(':').next().unwrap_or(host),
    };
    if name.eq_ignore_ascii_case("localhost") {
        return true;
    }
    name.parse::<std::net::IpAddr>()
        .is_ok_and(|address| address.is_loopback())
}

fn agent_config(tls: TlsConfig, proxy: Option<ureq::Proxy>) -> ureq::config::Config {
    ureq::Agent::config_builder()
        .tls_config(tls)
        .proxy(proxy)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_connect(Some(CONNECT))
        .user_agent(concat!("autofix/", env!("CARGO_PKG_VERSION")))
        .build()
}

fn agent(tls: TlsConfig, proxy: Option<ureq::Proxy>) -> ureq::Agent {
    let proxied = proxy.is_some();
    let config = agent_config(tls, proxy);
    // The proxy was named by whoever set it, and may stand on this machine under any name.
    if proxied {
        return config.new_agent();
    }
    let resolver = guard::Guard(DefaultResolver::default());
    ureq::Agent::with_parts(config, DefaultConnector::default(), resolver)
}

fn tls(extra: Option<&[u8]>) -> Result<TlsConfig, Error> {
    let Some(pem) = extra else {
        return Ok(TlsConfig::builder().root_certs(RootCerts::WebPki).build());
    };
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => certificates.push(certificate),
            Ok(_) => {}
            Err(e) => {
                return Err(Error::new(
                    ErrorKind::Settings,
                    format!("certificates: {e}"),
                ));
            }
        }
    }
    if certificates.is_empty() {
        let what = "no certificate in the file of trusted certificates".into();
        return Err(Error::new(ErrorKind::Settings, what));
    }
    let roots = RootCerts::new_with_certs(&certificates);
    Ok(TlsConfig::builder().root_certs(roots).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_from_names_that_look_like_it() {
        for url in [
            "http://127.0.0.1:80/x",
            "http://[::1]:8/",
            "http://localhost/a@b",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://127.0.0.1.evil.example/",
            "http://localhost@evil.example/",
            "http://10.0.0.1/",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
