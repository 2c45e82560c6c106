//! Which neighbour a text of an error names: a host and its port, a path, an API. What is given
//! back holds letters, digits and a few signs only and is short, so that it may stand in a
//! sentence. Not here: which fault it is.

use super::class::Class;
use super::pattern::Pattern;

/// Longest name that is kept, in bytes.
const LONGEST: usize = 120;
/// Ports from here on are handed out by systems, and differ each time.
const EPHEMERAL: u32 = 32_768;

/// A port of that range that is as fixed as those below it.
const GRPC: u32 = 50_051;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Host,
    Path,
    /// An API, a pool, a device.
    Name,
}

/// A neighbour as a text names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Neighbour {
    pub text: String,
    what: What,
}

/// Where hosts stand, most telling first. Groups: `host`, and `port` or none.
static HOSTS: [Pattern; 20] = [
    Pattern::new(
        r"(?:^|[\s(:])(?P<host>[A-Za-z][\w.-]*)/\d{1,3}(?:\.\d{1,3}){3}:(?P<port>\d{1,5})",
    ),
    Pattern::new(r"\d{1,3}(?:\.\d{1,3}){3}:(?P<port>\d{1,5}) \((?P<host>[A-Za-z][\w.-]*)\)"),
    Pattern::new(
        r#"upstream: "[a-z]+://(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\])(?::(?P<port>\d{1,5}))?"#,
    ),
    Pattern::new(r"ConnectionPool\(host='(?P<host>[\w.-]+)', port=(?P<port>\d{1,5})"),
    Pattern::new(
        r"(?:[^a-z]|^)(?:https?|wss?|amqps?|rediss?|postgres(?:ql)?|mysql|mongodb(?:\+srv)?|ldaps?|tcp|grpc|kafka|nats|ftp|smtp|s3|jdbc:\w+)://(?:[^\s/@]*@)?(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\])(?::(?P<port>\d{1,5}))?",
    ),
    Pattern::new(r#"server (?:at|on) "(?P<host>[\w.-]+)"(?: \([^)]*\))?, port (?P<port>\d{1,5})"#),
    Pattern::new(
        r#"(?:host ?name|upstream|server host|server on|host|hostname|for name|for) ["'](?P<host>[\w-][\w.-]*)["'](?:[,:]? port:? (?P<port>\d{1,5})|:(?P<port2>\d{1,5})| port=(?P<port3>\d{1,5}))?"#,
    ),
    Pattern::new(
        r"(?:Cannot connect to host|TCP connection to|connect(?:ed|ing)? to|connection to|connect\(2\) for|reach|Connect to|Timeout connecting to|tcp connect \() ?(?P<host>[A-Za-z][\w.-]*|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\])(?:(?: port |:)(?P<port>\d{1,5}))",
    ),
    Pattern::new(r"\blookup (?P<host>[\w-][\w.-]*)(?: on [^:\s]+:\d+)?:"),
    Pattern::new(
        r"(?:getaddrinfo|queryA+|querySrv) (?:ENOTFOUND|EAI_AGAIN|ETIMEOUT|ECONNREFUSED) (?P<host>[\w.-]+)(?::(?P<port>\d{1,5}))?",
    ),
    Pattern::new(
        r"(?:could not resolve host|couldn't resolve host|unable to resolve host|failed to resolve|could not resolve proxy|UnknownHostException|getaddrinfo for|addresses? for|resolve host|resolving) ?:? ?'?(?P<host>[A-Za-z][\w.-]*)",
    ),
    Pattern::new(r"->(?P<host>[\w.-]+|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})"),
    Pattern::new(
        r#"host[=:] ?['"]?(?P<host>[\w.-]+)['"]?,? +(?:port[=:] ?['"]?(?P<port>\d{1,5}))?"#,
    ),
    Pattern::new(
        r"(?:^|[\s(/,='\x22<])(?P<host>\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]):(?P<port>\d{1,5})(?:$|[^\w.:/-]|[.:](?:$|[^\w])|/)",
    ),
    Pattern::new(
        r"(?:^|[\s(/,='\x22<])(?P<host>[A-Za-z][\w-]*(?:\.[\w-]+)*|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-fA-F:]+\]|::1):(?P<port>\d{2,5})(?:$|[^\w.:/-]|[.:](?:$|[^\w])|/)",
    ),
    Pattern::new(r"^(?P<host>[a-z0-9][\w-]*(?:\.[\w-]+)+)(?:$|: )"),
    Pattern::new(
        r"(?:backend|[Ss]erver|proxy) '?(?P<host>\w[\w-]*(?:/\w[\w-]*)?)'? (?:has no|is DOWN)",
    ),
    Pattern::new(r"(?:^|[\s(/])(?P<host>\d{1,3}(?:\.\d{1,3}){3})(?:$|[^\d.\w:]|\.$)"),
    Pattern::new(r"\('(?P<host>[\w.-]+)', (?P<port>\d{1,5})\)"),
    Pattern::new(r"is valid for [^,]+, not (?P<host>[\w.-]+)"),
];

/// Where paths stand.
static PATHS: [Pattern; 3] = [
    Pattern::new(r#"['"](?P<name>/[^'"\s]{1,200})['"]"#),
    Pattern::new(r"(?:^|[\s(=:])(?P<name>(?:unix:)?/[\w.@+-]+(?:/[\w.@+-]*)*)"),
    Pattern::new(r#"['"]?(?P<name>[A-Z]:\\[^'"\s:]{1,200})"#),
];

/// Where the names of APIs and pools stand.
static NAMES: [Pattern; 11] = [
    Pattern::new(r"operation error \w+: (?P<name>\w+)"),
    Pattern::new(r"\(Service: (?P<name>[\w ]+);"),
    Pattern::new(r"perform: (?P<name>[a-z0-9-]+:[A-Z]\w+)"),
    Pattern::new(r"when calling the (?P<name>\w+) operation"),
    Pattern::new(r"[Qq]uota exceeded for (?:quota metric )?'?(?P<name>[\w./-]+)"),
    Pattern::new(r"(?P<name>Hikari\w*-\d+|\w+Pool-\d+)"),
    Pattern::new(r"(?P<name>(?:openai|anthropic|stripe)\b)"),
    Pattern::new(r"does not have (?P<name>[a-z]+\.[\w.]+) access"),
    Pattern::new(r"[Rr]ate limit reached for (?P<name>[\w.-]+)"),
    // Of this host, from here on.
    Pattern::new(r"[Pp]ort (?P<name>\d{1,5})"),
    Pattern::new(r"(?:0\.0\.0\.0|\*|::|\[::\]|\s|^|\()(?P<name>:\d{2,5})\b"),
];

/// All of them.
#[cfg(test)]
pub(super) static PATTERNS: [&[Pattern]; 3] = [&HOSTS, &PATHS, &NAMES];

/// The neighbour that a text names, for a fault of this class.
pub(super) fn find(text: &str, class: Class) -> Option<Neighbour> {
    let text = &text[..text.floor_char_boundary(super::LONGEST)];
    match class {
        Class::Dns | Class::Connection => host(text).or_else(|| path(text)),
        Class::Timeout | Class::Certificate => host(text).or_else(|| name(text)),
        Class::Quota => api(text).or_else(|| host(text)),
        Class::DiskFull | Class::ReadOnly => path(text),
        Class::Permission => name(text)
            .filter(|_| !is_path_first(text))
            .or_else(|| path(text))
            .or_else(|| host(text)),
        Class::Port => name(text).or_else(|| host(text)),
        Class::Files | Class::Memory => None,
    }
}

/// A path beats a number behind the word `port` where files are spoken of.
fn is_path_first(text: &str) -> bool {
    !text.contains("perform: ") && !text.contains("when calling the") && path(text).is_some()
}

fn host(text: &str) -> Option<Neighbour> {
    HOSTS.iter().find_map(|pattern| {
        pattern.all(text).find_map(|found| {
            let host = found.name("host")?.trim_end_matches('.');
            let port = ["port", "port2", "port3"]
                .into_iter()
                .find_map(|name| found.name(name));
            let port = port.filter(|port| port.parse().is_ok_and(|port: u32| port <= 65_535));
            if !is_host(host) || is_peer(text, found.start(), host) {
                return None;
            }
            let text = match port {
                Some(port) => format!("{host}:{port}"),
                None => host.to_owned(),
            };
            Some(named(&text, What::Host))
        })
    })
}

/// Words that stand before a colon and a number, or where a host could, and are none.
fn is_host(word: &str) -> bool {
    const NOT: &[&str] = &[
        "line",
        "code",
        "errno",
        "error",
        "status",
        "port",
        "pid",
        "at",
        "in",
        "after",
        "attempt",
        "retry",
        "id",
        "version",
        "tid",
        "exit",
        "size",
        "count",
        "http",
        "https",
        "the",
        "a",
        "server",
        "host",
        "database",
        "upstream",
        "caused",
        "curl.haxx.se",
        "curl.se",
        "reason",
        "timeout",
        "to",
        "it",
    ];
    const FILES: &[&str] = &[
        ".py", ".go", ".js", ".ts", ".mjs", ".cjs", ".java", ".kt", ".rb", ".rs", ".c", ".cc",
        ".cpp", ".h", ".php", ".cs", ".ex", ".exs", ".erl", ".scala", ".dart", ".log", ".json",
        ".yml",
    ];
    let lower = word.to_ascii_lowercase();
    let short = lower.len() >= 2 || lower == "::1";
    // A time of day, a number.
    let number = !lower.contains('.') && lower.bytes().all(|b| b.is_ascii_digit());
    // `java.net.ConnectException`, `Net.Sockets.Error`
    let type_name =
        lower.ends_with("exception") || lower.ends_with("error") || lower.starts_with("java.");
    short
        && !number
        && !type_name
        && lower.len() <= 253
        && !NOT.contains(&lower.as_str())
        && !FILES.iter().any(|end| lower.ends_with(end))
}

/// Whether this is who asked, not who was asked.
fn is_peer(text: &str, at: usize, host: &str) -> bool {
    let from = text
        .get(at..)
        .and_then(|rest| rest.find(host))
        .map_or(at, |found| at + found);
    let before = text
        .get(..from)
        .unwrap_or_default()
        .trim_end_matches(['"', '\'', ' ', '(']);
    let peer = ["client:", "from", "client", "remote_addr:", "by user"];
    // `lookup db on 10.0.0.2:53`: who was asked for the name is not whose name it is.
    let resolver = before.ends_with(" on") && before.contains("lookup ");
    resolver
        || peer.iter().any(|word| before.ends_with(word))
        || text.get(from + host.len()..).is_some_and(|rest| {
            let rest =
                rest.trim_start_matches([':', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
            rest.starts_with("->")
        })
}

/// Whether a line is about a client that went away: its port was handed out, ours was not.
pub(super) fn is_of_client(text: &str) -> bool {
    CLIENT.all(text).next().is_some_and(|found| {
        let port = |name: &str| found.name(name).and_then(|port| port.parse::<u32>().ok());
        port("own").is_some_and(|own| own < EPHEMERAL)
            && port("far").is_some_and(|far| far >= EPHEMERAL)
    })
}

static CLIENT: Pattern = Pattern::new(r":(?P<own>\d{1,5})->\S+:(?P<far>\d{1,5})");

fn path(text: &str) -> Option<Neighbour> {
    let found = PATHS.iter().find_map(|pattern| {
        let mut names = pattern.all(text).filter_map(|found| found.name("name"));
        names.find(|name| name.len() > 1)
    })?;
    Some(named(found.trim_end_matches(['.', ':', ',']), What::Path))
}

/// A name that is no port of this host.
fn api(text: &str) -> Option<Neighbour> {
    name(text).filter(|found| {
        !found
            .text
            .trim_start_matches(':')
            .bytes()
            .all(|b| b.is_ascii_digit())
    })
}

fn name(text: &str) -> Option<Neighbour> {
    NAMES.iter().find_map(|pattern| {
        let found = pattern.all(text).next()?;
        Some(named(found.name("name")?, What::Name))
    })
}

fn named(text: &str, what: What) -> Neighbour {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "._-:/@+[]*\\".contains(*c);
    Neighbour {
        text: text.chars().filter(plain).take(LONGEST).collect(),
        what,
    }
}

impl Neighbour {
    pub fn is_host(&self) -> bool {
        self.what == What::Host || self.text.contains("Pool-") || self.text.starts_with("Hikari")
    }

    /// Without what varies from one time to the next.
    pub fn masked(&self, class: Class) -> String {
        match self.what {
            What::Host => masked_host(&self.text, class),
            What::Path => masked_path(&self.text),
            What::Name => self.text.trim_start_matches(':').to_owned(),
        }
    }
}

fn masked_host(text: &str, class: Class) -> String {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => (host, Some(port)),
        Some(_) | None => (text, None),
    };
    let lower = host.to_ascii_lowercase();
    let host = match lower.as_str() {
        "127.0.0.1" | "::1" | "[::1]" | "localhost" | "0.0.0.0" => "localhost".to_owned(),
        other if is_address(other) => "*".to_owned(),
        other => other
            .split('.')
            .map(masked_label)
            .collect::<Vec<_>>()
            .join("."),
    };
    // A name is resolved, and a certificate is had, for every port.
    let fixed = |port: &&str| {
        port.parse()
            .is_ok_and(|port: u32| port < EPHEMERAL || port == GRPC)
    };
    match port.filter(fixed) {
        Some(_) if matches!(class, Class::Dns | Class::Certificate) => host,
        Some(port) => format!("{host}:{port}"),
        None => host,
    }
}

fn is_address(host: &str) -> bool {
    host.starts_with('[')
        || host.split('.').count() == 4 && host.bytes().all(|b| b.is_ascii_digit() || b == b'.')
}

/// `ip-10-0-3-7` and what a scheduler adds to a name differ with each start.
fn masked_label(label: &str) -> String {
    if label
        .strip_prefix("ip-")
        .is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'-'))
    {
        return "ip-*".to_owned();
    }
    let parts = label.split('-').map(|part| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        // `web12` is one of a few; `x2x1z` was made up.
        let numbered = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let mixed = numbered.bytes().any(|b| b.is_ascii_digit());
        let random = part.len() >= 5 && digits < part.len() && mixed;
        if random { "*" } else { part }
    });
    parts.collect::<Vec<_>>().join("-")
}

/// The folders up to the first that holds a digit, three at most.
fn masked_path(text: &str) -> String {
    let steady = |part: &&str| !part.bytes().any(|b| b.is_ascii_digit());
    let parts: Vec<&str> = text.split('/').take(4).take_while(steady).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        for pattern in PATTERNS.iter().copied().flatten().chain([&CLIENT]) {
            assert!(pattern.compiles(), "{pattern:?}");
        }
    }

    /// The name as the text has it, and what a fingerprint keeps of it.
    fn both(text: &str, class: Class) -> (String, String) {
        let found = find(text, class).unwrap_or_else(|| panic!("{text}"));
        let masked = found.masked(class);
        (found.text, masked)
    }

    #[test]
    fn addresses_and_ports_that_vary_are_masked_and_names_stay() {
        for (text, name, masked) in [
            ("dial tcp 10.0.3.7:5432: x", "10.0.3.7:5432", "*:5432"),
            ("dial tcp 10.0.3.7:41234: x", "10.0.3.7:41234", "*"),
            ("dial tcp [fd00::7]:443: x", "[fd00::7]:443", "*:443"),
            (
                "read tcp 10.0.0.1:51234->10.0.3.7:443: x",
                "10.0.3.7:443",
                "*:443",
            ),
            ("to http://u:p@DB.prod:80/x", "DB.prod:80", "db.prod:80"),
            (
                "http://ip-10-0-3-7.ec2.internal:80",
                "ip-10-0-3-7.ec2.internal:80",
                "ip-*.ec2.internal:80",
            ),
            (
                "connecting to redis-2:6379. x",
                "redis-2:6379",
                "redis-2:6379",
            ),
            ("MySQL server on 'db' ([Errno 111]", "db", "db"),
        ] {
            assert_eq!(
                both(text, Class::Connection),
                (name.to_owned(), masked.to_owned())
            );
        }
        let path = both("open /data/shop/7/a: x", Class::Permission);
        assert_eq!(path, ("/data/shop/7/a".to_owned(), "/data/shop".to_owned()));
    }

    #[test]
    fn places_in_source_times_and_types_are_no_hosts() {
        for text in [
            "main.go:12: x",
            "at 10:00:00 x",
            "code:111",
            "java.net.ConnectException: x",
            "shop.py:7",
        ] {
            assert_eq!(host(text), None, "{text}");
        }
    }
}
