//! Which fault a text tells of, by error codes and by the texts that systems and libraries have
//! for their errors. Not here: exception types (`kinds`), names of neighbours (`neighbour`).

use crate::trace::Literals;
use regex::{Regex, bytes};
use std::sync::LazyLock;

/// What is wrong around the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// A name that is not resolved.
    Dns,
    /// A neighbour that refuses, resets or cannot be routed to.
    Connection,
    /// A neighbour that does not answer in time.
    Timeout,
    /// No space, or no quota of it, on a disk.
    DiskFull,
    /// A file system that takes no writes.
    ReadOnly,
    /// A certificate that ran out or is not trusted.
    Certificate,
    /// A neighbour that takes no more requests for now.
    Quota,
    /// A file or an API that the program may not use.
    Permission,
    /// No more open files.
    Files,
    /// No more memory on the host.
    Memory,
    /// A port that another process has.
    Port,
}

impl Class {
    pub const ALL: [Class; 11] = [
        Class::Dns,
        Class::Connection,
        Class::Timeout,
        Class::DiskFull,
        Class::ReadOnly,
        Class::Certificate,
        Class::Quota,
        Class::Permission,
        Class::Files,
        Class::Memory,
        Class::Port,
    ];

    /// The word that labels begin with. A neighbour that is down refuses some and lets others
    /// wait: both are one outage.
    pub const fn family(self) -> &'static str {
        match self {
            Class::Dns => "dns",
            Class::Connection | Class::Timeout => "unreachable",
            Class::DiskFull => "disk_full",
            Class::ReadOnly => "read_only",
            Class::Certificate => "certificate",
            Class::Quota => "quota",
            Class::Permission => "permission",
            Class::Files => "open_files",
            Class::Memory => "memory",
            Class::Port => "port",
        }
    }

    /// The first class of a label's family.
    pub fn from_label(label: &str) -> Option<Class> {
        let family = label.split(':').next()?;
        Class::ALL.into_iter().find(|one| one.family() == family)
    }

    /// What is wrong, in words.
    pub fn says(self, neighbour: Option<&str>) -> String {
        let host = neighbour.unwrap_or("a neighbour");
        let place = neighbour.map_or(String::new(), |at| format!(" ({at})"));
        match self {
            Class::Dns => format!("the name of {host} is not resolved"),
            Class::Connection => format!("no connection to {host}"),
            Class::Timeout => format!("no answer in time from {host}"),
            Class::DiskFull => format!("no space left on the disk{place}"),
            Class::ReadOnly => format!("the file system is read-only{place}"),
            Class::Certificate => format!("the certificate of {host} is not valid or not trusted"),
            Class::Quota => format!("{host} takes no more requests: its quota is used up"),
            Class::Permission => format!("no permission{place}"),
            Class::Files => "too many open files".to_owned(),
            Class::Memory => "the host gives no more memory".to_owned(),
            Class::Port => format!("the port is in use already{place}"),
        }
    }

    /// Whether the class alone tells the outage: one disk fills up under every path that is
    /// written to.
    pub const fn is_one(self) -> bool {
        match self {
            Class::DiskFull | Class::Files | Class::Memory => true,
            Class::Dns
            | Class::Connection
            | Class::Timeout
            | Class::ReadOnly
            | Class::Certificate
            | Class::Quota
            | Class::Permission
            | Class::Port => false,
        }
    }

    /// Whether one line is enough: nothing that is tried again heals it.
    pub const fn is_lasting(self) -> bool {
        match self {
            Class::DiskFull
            | Class::ReadOnly
            | Class::Certificate
            | Class::Files
            | Class::Memory
            | Class::Port => true,
            Class::Dns | Class::Connection | Class::Timeout | Class::Quota | Class::Permission => {
                false
            }
        }
    }
}

/// Literals of which every line that is looked at has one; lower case.
const LITERALS: &[&str] = &[
    "refused",
    "unreachable",
    "no route to",
    "timed out",
    "timed-out",
    "timeout",
    "time-out",
    "reset by peer",
    "econnre",
    "econnab",
    "ehostu",
    "enetun",
    "etimed",
    "enotfound",
    "eai_",
    "no such host",
    "service not known",
    "ame resolution",
    "ot resolve",
    "be resolved",
    "to resolve",
    "getaddrinfo",
    "unknown mysql",
    "no space left",
    "enospc",
    "edquot",
    "disk is full",
    "disk full",
    "quota",
    "read-only file",
    "filesystem read-only",
    "erofs",
    "certificate",
    "x509:",
    "throttl",
    "rate exceeded",
    "too many ",
    "limitexceed",
    "throughputexc",
    "slowdown",
    "resourceexh",
    "resource_exh",
    "permission denied",
    "eacces",
    "accessdenied",
    "s denied",
    "not authorized to p",
    "emfile",
    "enfile",
    "allocate memory",
    "enomem",
    "native thread",
    "already in use",
    "address in use",
    "eaddrinuse",
    "deadline exceeded",
    "gone away",
    "closed the connection",
    "lost connection",
    "no live upstream",
    "upstream connect",
    "cert_",
    "_cert",
    "= unavailable",
    "certification path",
    "connection slots",
    "not connect to",
    "n't connect to",
    "failed to connect",
    "no server available",
    "is down, reason",
    "is not available",
    "nxdomain",
    "translate host",
    "host not found",
    "database system is",
    "connect call failed",
    "file watchers",
    "does not have ",
    "reached for",
];

static PREFILTER: LazyLock<Option<Literals>> = LazyLock::new(|| Literals::new(LITERALS, true));

/// Whether a line is worth a closer look. One pass over the text.
pub fn may_hold(text: &str) -> bool {
    PREFILTER.as_ref().is_some_and(|set| set.any_in(text))
}

/// An error text that is a whole part of a message.
struct Said {
    class: Class,
    pattern: bytes::Regex,
}

/// A pattern of ASCII over bytes: it takes a tenth of the time to make, and the first line of a
/// neighbour that fails waits for it in the fast lane.
fn ascii(pattern: &str) -> Option<bytes::Regex> {
    let mut builder = bytes::RegexBuilder::new(pattern);
    builder.unicode(false).build().ok()
}

/// Each is matched against a whole part of a message, in lower case.
const PARTS: &[(Class, &str)] = &[
    (
        Class::Dns,
        r"(?:getaddrinfo(?: failed)?|name or service not known|temporary failure in name resolution|nodename nor servname provided.*|no such host(?: is known)?|no address associated with (?:host)?name|name does not resolve|hostname lookup failed|server misbehaving|non-existing domain|:?nxdomain|host not found(?: in upstream)?.*|(?:curl \S+ )?could not resolve (?:host|proxy).*|couldn't resolve host.*|could not translate host name.*|unknown mysql server host.*|failed to lookup address information|failed to resolve(?: (?:host|address|hostname|'|name)?.*)?|(?:dns|name) (?:resolution|lookup) (?:failed|failure|error).*|\S+ could not be resolved|eai_again|enotfound|unable to resolve host.*)",
    ),
    (
        Class::Connection,
        r"(?:(?:tcp |the )?connection (?:was )?(?:refused|reset|aborted)(?: by (?:the )?(?:peer|server|remote (?:host|peer|end)))?|connect(?:ion)? to \S+ (?:was )?refused|no route to host|(?:network|host)(?: is)? unreachable|host is down|no connection could be made because the target machine actively refused it|(?:the )?server closed the connection unexpectedly|an existing connection was forcibly closed by the remote host|mysql server has gone away|lost connection to mysql server.*|no live upstreams.*|socket hang up|remote end closed connection without response|failed to connect to all addresses|no upstream connections available(?: to .*)?|the database system is (?:starting up|shutting down|in recovery mode)|(?:(?:backend|proxy)(?: \S+)? )?has no server available|server \S+ is down|(?:could not|couldn't|can't|failed to|unable to|cannot) connect to (?:server|mysql server|redis|postgres|the server|host|\S+:\d+|\S+ port \d+).*|upstream connect error or disconnect/reset before headers.*|:?econn(?:refused|reset|aborted)|:?e(?:host|net)unreach|tcp connect error|connect call failed|bootstrap broker \S+ disconnected.*|\d+/\d+ brokers are down|broker may not be available|lost connection to (?:the )?server.*|(?:terminating connection due to administrator command)|unavailable desc)",
    ),
    (
        Class::Timeout,
        r"(?:(?:upstream |the )?(?:(?:connection|connect|connecting|read|write|recv|send|request|operation|i/o|dial|tls handshake|read operation|handshake operation|query|socket|gateway|server selection|http request|host|response)[ -]?)?(?:attempt )?(?:timed[ -]?out|time-?out)(?: (?:after|expired|exceeded|was reached|error|awaiting|while|waiting|\(|reached|of).{0,80})?|timeout of \d+ ?ms exceeded|(?:context )?deadline exceeded.*|timeout expired|connection is not available.*|:?etimedout|esockettimedout|client\.timeout(?: or context cancellation)? exceeded|deadlineexceeded desc|net/http: request canceled.*|a connection attempt failed because the connected party did not properly respond.*|the request was canceled due to the configured httpclient\.timeout.*|operation timed out after .*)",
    ),
    (
        Class::DiskFull,
        r"(?:.{0,40}no space left on (?:the )?device|(?:disk )?quota exceeded on disk|disk quota exceeded|there is not enough space on the disk|(?:the )?(?:database or )?disk(?: is)? full|enospc|edquot)",
    ),
    (
        Class::ReadOnly,
        r"(?:read-only file ?system|remounting filesystem read-only|erofs|file system is read-only)",
    ),
    (
        Class::Certificate,
        r"(?:(?:the |peer |server |remote |ssl |tls |server's )*certificate (?:has expired(?: or is not yet valid.*| (?:on|at) .*)?|expired|is not yet valid.*|verify failed.*|verification (?:failed|error).*|is not trusted.*|signed by unknown authority.*|is valid for .*|is not valid for .*|has been revoked|relies on legacy common name.*)|self[- ]signed certificate.*|unable to (?:get local issuer|verify the first|get issuer) certificate.*|pkix path (?:building|validation) failed|unable to find valid certification path to requested target|path does not chain with any of the trust anchors|validity check failed|hostname/ip does not match certificate's altnames|ssl certificate problem|cert_has_expired.*|depth_zero_self_signed_cert.*|self_signed_cert_in_chain.*|unable_to_verify_leaf_signature.*|err_tls_cert_altname_invalid.*|invalid peer certificate|the remote certificate (?:is|was) (?:invalid|rejected).*|cannot validate certificate for .*|tls_alert_certificate_expired|certificate_expired|unknown_ca|hostname mismatch, certificate is not valid for .*)",
    ),
    (
        Class::Quota,
        r"(?:rate exceeded|(?:daily|weekly|monthly|hourly|api) (?:quota|limit)(?: of .{1,60}?)? (?:was |has been |is )?(?:exceeded|reached|exhausted|used up).*|(?:\d{3} )?too many requests(?: for url)?|(?:\d{3} )?quota exceeded for (?:quota|metric|limit|service|.{0,60} api).{0,200}|too many clients already|remaining connection slots are reserved.*|too many connections(?: for .*)?|(?:the )?request rate is (?:too )?large.*|please reduce your request rate.*|throttlingexception|toomanyrequestsexception|provisionedthroughputexceededexception|requestlimitexceeded|slowdown|requestthrottled|resource_?exhausted|insufficient_quota|(?:user)?ratelimitexceeded|rate_limit_exceeded|quotaexceeded|resourceexhausted desc|toomanyrequests|status code 429|error code 429|you exceeded your current quota.*|api rate limit exceeded.*|rate limit reached for .*)",
    ),
    (
        Class::Permission,
        r"(?:permission denied|eacces|accessdenied(?:exception)?|access to the path .* is denied|.{0,200} is not authorized to perform.*|.{0,200} does not have \S+ access to .*|authorizationfailed|authorizationpermissionmismatch|unauthorizedoperation)",
    ),
    (
        Class::Files,
        r"(?:too many open files(?: in system)?|system limit for number of file watchers reached|emfile|enfile)",
    ),
    (
        Class::Memory,
        r"(?:cannot allocate memory|unable to create (?:new )?native thread.*|enomem|not enough memory resources are available.*)",
    ),
    (
        Class::Port,
        r"(?:address (?:is )?already in use.*|address in use|eaddrinuse|(?:web server failed to start\. )?port \d+ (?:is|was) already in use.*|only one usage of each socket address.*|:?eaddrinuse)",
    ),
];

static SAID: LazyLock<Vec<Said>> = LazyLock::new(|| {
    let compile = |(class, pattern): &(Class, &str)| {
        let whole = format!("^(?:{pattern})$");
        let pattern = ascii(&whole)?;
        Some(Said {
            class: *class,
            pattern,
        })
    };
    PARTS.iter().filter_map(compile).collect()
});

/// Signs that a runtime wrote the text, not a person: an error number, its name behind the call
/// that failed, the shape of Go's and Rust's errors, a code of a cloud's API.
static CERTAIN: LazyLock<Option<bytes::Regex>> = LazyLock::new(|| {
    let pattern = format!(
        r"(?x)\[(?:Errno|WinError)\ -?\d+\] | \bos\ error\ \d+ | \bOs\ \{{\ code:\ \d+ | \(-?\d{{1,5}}:\ [A-Z]
        | \b(?:{CALLS})\ E[A-Z_]{{3,}}\b | \bE[A-Z]{{4,}}:\ | :\ E[A-Z]{{4,}}\b | -\ :e[a-z]{{4,}}
        | \b(?:dial|read|write|listen|lookup)\ (?:tcp|udp|unix)[46]?\ | \blookup\ \S+(?:\ on\ \S+)?:
        | \b(?:open|write|mkdir|read|rename|create|stat|fork/exec|close|sync|truncate)\ /\S+:
        | SQLSTATE\[ | \ error\ occurred\ \([A-Za-z]+\)\ when\ calling | \brpc\ error:\ code\ =
        | Status\ Code:\ \d{{3}};\  | \bx509:\  | \[SSL: | \bError\ -?\d+\ connecting\ to | connection\ to\ server\ (?:at|on)\ 
        | connect\(2\)\ for | not\ authorized\ to\ perform:\ [a-z0-9-]+:[A-Z]"
    );
    ascii(&pattern)
});

/// What the text tells of, and whether that is certain. Of several the first that it says
/// counts, but a code that names the cause comes after what was tried: so the last part does.
pub(super) fn of_text(text: &str) -> Option<(Class, bool)> {
    let text = &text[..text.floor_char_boundary(super::LONGEST)];
    let class = parts(text).rev().find_map(of_part)?;
    let certain = CERTAIN
        .as_ref()
        .is_some_and(|sign| sign.is_match(text.as_bytes()));
    Some((class, certain))
}

fn of_part(part: &str) -> Option<Class> {
    if part.len() < 5 {
        return None;
    }
    let coded = || {
        let code = CODE.as_ref()?.captures(part)?;
        of_errno(code.name("code").or(code.name("alone"))?.as_str())
    };
    // Lower-casing the part costs less than patterns for both cases, above all their making.
    let said = || {
        let lower = part.to_ascii_lowercase();
        SAID.iter()
            .find(|said| said.pattern.is_match(lower.as_bytes()))
    };
    coded().or_else(|| said().map(|said| said.class))
}

/// The name of an error number: behind the call that failed, or alone.
static CODE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = format!(
        r"^(?:(?:{CALLS}) (?P<code>E[A-Z_]{{3,}})(?:$| .*)|(?P<alone>E[A-Z_]{{3,}})(?:$| [a-z].*))$"
    );
    Regex::new(&pattern).ok()
});

const CALLS: &str = "connect|read|write|open|listen|bind|accept|getaddrinfo|query[A-Z]\\w*|mkdir|unlink|\
    rename|copyfile|scandir|stat|access|spawn|send|recv|fsync|ftruncate|creat|fork|socket";

fn of_errno(name: &str) -> Option<Class> {
    Some(match name {
        "ECONNREFUSED" | "ECONNRESET" | "ECONNABORTED" | "EHOSTUNREACH" | "ENETUNREACH"
        | "EHOSTDOWN" | "ENETDOWN" => Class::Connection,
        "ETIMEDOUT" | "ESOCKETTIMEDOUT" | "ETIMEOUT" => Class::Timeout,
        "ENOTFOUND" | "EAI_AGAIN" | "EAI_NONAME" => Class::Dns,
        "ENOSPC" | "EDQUOT" => Class::DiskFull,
        "EROFS" => Class::ReadOnly,
        "EACCES" => Class::Permission,
        "EMFILE" | "ENFILE" => Class::Files,
        "ENOMEM" => Class::Memory,
        "EADDRINUSE" => Class::Port,
        _ => return None,
    })
}

/// The parts of a message between what sets them apart.
fn parts(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    let pieces: Vec<&str> = SPLIT
        .as_ref()
        .map(|split| split.split(text).collect())
        .unwrap_or_default();
    let trimmed = pieces.into_iter().map(bare);
    let filled: Vec<&str> = trimmed.filter(|part| !part.is_empty()).collect();
    filled.into_iter()
}

/// Without the number that nginx gives a connection, and the mark at the end.
fn bare(part: &str) -> &str {
    let part = part.trim().trim_end_matches(['.', '!']);
    let rest = part.strip_prefix('*');
    rest.map_or(part, |rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_digit())
            .trim_start()
    })
}

static SPLIT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#":\s|:$|::|\s-\s|\s--\s|\s=>\s|\swhile\s|\swhen\s|\sfor\s(?:http|url|")|\.\s|[()\[\]{}"<>;,|\n\\=]|(?:^|\s)'|'(?:$|[\s,])"#).ok()
});
