//! Exception types: those that only a fault around the program has, and those that only a
//! mistake in it has. Not here: types that have both; their messages decide (`class`).

use super::class::Class;

/// Types by their last name, whatever they say.
const TELLING: &[(&str, Class)] = &[
    ("gaierror", Class::Dns),
    ("UnknownHostException", Class::Dns),
    ("UnresolvedAddressException", Class::Dns),
    ("NameResolutionError", Class::Dns),
    ("ClientConnectorDNSError", Class::Dns),
    ("Socket::ResolutionError", Class::Dns),
    ("NewConnectionError", Class::Connection),
    ("NoRouteToHostException", Class::Connection),
    ("HttpHostConnectException", Class::Connection),
    ("NoHttpResponseException", Class::Connection),
    ("EndpointConnectionError", Class::Connection),
    ("RemoteDisconnected", Class::Connection),
    ("ServerDisconnectedError", Class::Connection),
    ("NoBrokersAvailable", Class::Connection),
    ("NoHostAvailable", Class::Connection),
    ("AllNodesFailedException", Class::Connection),
    ("JedisConnectionException", Class::Connection),
    ("RedisConnectionException", Class::Connection),
    ("CommunicationsException", Class::Connection),
    ("Errno::ECONNREFUSED", Class::Connection),
    ("Errno::ECONNRESET", Class::Connection),
    ("Errno::ECONNABORTED", Class::Connection),
    ("Errno::EHOSTUNREACH", Class::Connection),
    ("Errno::ENETUNREACH", Class::Connection),
    ("Redis::CannotConnectError", Class::Connection),
    ("PG::ConnectionBad", Class::Connection),
    ("DBConnection.ConnectionError", Class::Connection),
    ("ServerSelectionTimeoutError", Class::Timeout),
    ("MongoServerSelectionError", Class::Timeout),
    ("MongooseServerSelectionError", Class::Timeout),
    ("MongoTimeoutException", Class::Timeout),
    ("SocketTimeoutException", Class::Timeout),
    ("HttpTimeoutException", Class::Timeout),
    ("HttpConnectTimeoutException", Class::Timeout),
    ("ConnectTimeoutException", Class::Timeout),
    ("ConnectTimeoutError", Class::Timeout),
    ("ConnectTimeout", Class::Timeout),
    ("ReadTimeoutError", Class::Timeout),
    ("ReadTimeout", Class::Timeout),
    ("socket.timeout", Class::Timeout),
    ("Net::OpenTimeout", Class::Timeout),
    ("Net::ReadTimeout", Class::Timeout),
    ("Errno::ETIMEDOUT", Class::Timeout),
    ("SSLCertVerificationError", Class::Certificate),
    ("ClientConnectorCertificateError", Class::Certificate),
    ("CertificateExpiredException", Class::Certificate),
    ("CertificateNotYetValidException", Class::Certificate),
    ("SunCertPathBuilderException", Class::Certificate),
    ("CertPathValidatorException", Class::Certificate),
    ("Errno::ENOSPC", Class::DiskFull),
    ("Errno::EDQUOT", Class::DiskFull),
    ("Errno::EROFS", Class::ReadOnly),
    ("ReadOnlyFileSystemException", Class::ReadOnly),
    ("Errno::EACCES", Class::Permission),
    ("java.nio.file.AccessDeniedException", Class::Permission),
    ("Errno::EMFILE", Class::Files),
    ("Errno::ENFILE", Class::Files),
    ("Errno::ENOMEM", Class::Memory),
    ("Errno::EADDRINUSE", Class::Port),
    ("PortInUseException", Class::Port),
    ("ThrottlingException", Class::Quota),
    ("ProvisionedThroughputExceededException", Class::Quota),
    ("TooManyRequestsException", Class::Quota),
    ("openai.RateLimitError", Class::Quota),
    ("anthropic.RateLimitError", Class::Quota),
];

/// Types whose name alone says too little: what the message must hold, without case.
const WITH_WORDS: &[(&str, &str, Class)] = &[
    ("SSLHandshakeException", "pkix path", Class::Certificate),
    (
        "SSLHandshakeException",
        "certificate_expired",
        Class::Certificate,
    ),
    (
        "SSLHandshakeException",
        "certificate expired",
        Class::Certificate,
    ),
    (
        "AuthenticationException",
        "remote certificate",
        Class::Certificate,
    ),
    ("ConnectException", "refused", Class::Connection),
    ("ConnectException", "unreachable", Class::Connection),
    ("ConnectException", "timed out", Class::Timeout),
    ("ConnectException", "timeout", Class::Timeout),
    ("ConnectException", "", Class::Connection),
    ("BindException", "in use", Class::Port),
    (
        "SQLTransientConnectionException",
        "connection is not available",
        Class::Timeout,
    ),
    (
        "UnauthorizedAccessException",
        "access to the path",
        Class::Permission,
    ),
    ("OutOfMemoryError", "native thread", Class::Memory),
    ("SocketError", "getaddrinfo", Class::Dns),
    ("ResourceExhausted", "quota", Class::Quota),
    ("SSLError", "certificate verify failed", Class::Certificate),
    ("SSLError", "certificate_verify_failed", Class::Certificate),
];

/// What a type tells of.
pub(super) fn class(kind: &str, message: &str) -> Option<Class> {
    let telling = TELLING.iter().find(|(name, _)| is_named(kind, name));
    if let Some((_, class)) = telling {
        return Some(*class);
    }
    let mut rules = WITH_WORDS.iter().filter(|(name, ..)| is_named(kind, name));
    let lower = message.to_ascii_lowercase();
    rules
        .find(|(_, words, _)| lower.contains(words))
        .map(|(_, _, class)| *class)
}

/// Whether a type is this one, with or without its package.
fn is_named(kind: &str, name: &str) -> bool {
    let rest = kind.trim().strip_suffix(name);
    rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['.', ':', '\\', '$', '(']))
        || kind.trim() == name.rsplit_once('.').map_or(name, |_| name)
}

/// Types of mistakes in a program, by their last name.
const MISTAKES: &[&str] = &[
    "KeyError",
    "TypeError",
    "AttributeError",
    "NameError",
    "UnboundLocalError",
    "IndexError",
    "AssertionError",
    "ZeroDivisionError",
    "ValueError",
    "RecursionError",
    "ImportError",
    "ModuleNotFoundError",
    "SyntaxError",
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "NotImplementedError",
    "JSONDecodeError",
    "ValidationError",
    "NullPointerException",
    "ClassCastException",
    "IllegalArgumentException",
    "IndexOutOfBoundsException",
    "ArrayIndexOutOfBoundsException",
    "StringIndexOutOfBoundsException",
    "NumberFormatException",
    "ArithmeticException",
    "NoSuchElementException",
    "UnsupportedOperationException",
    "ConcurrentModificationException",
    "NoSuchMethodError",
    "NoClassDefFoundError",
    "ClassNotFoundException",
    "StackOverflowError",
    "ReferenceError",
    "RangeError",
    "NoMethodError",
    "ArgumentError",
    "FrozenError",
    "NullReferenceException",
    "ArgumentNullException",
    "ArgumentException",
    "ArgumentOutOfRangeException",
    "InvalidCastException",
    "IndexOutOfRangeException",
    "KeyNotFoundException",
    "FormatException",
    "DivideByZeroException",
    "DivisionByZeroError",
    "InvalidArgumentException",
    "FunctionClauseError",
    "MatchError",
    "CaseClauseError",
    "ArithmeticError",
    "UndefinedFunctionError",
    "BadMapError",
];

/// Whether a type is that of a mistake. `fetch` of JavaScript reports every failed request as one.
pub(super) fn is_mistake(kind: &str, message: &str) -> bool {
    let fetch =
        message.trim_start().starts_with("fetch failed") || message.contains("Failed to fetch");
    MISTAKES.iter().any(|name| is_named(kind, name)) && !(kind == "TypeError" && fetch)
}

/// Whether a text begins with the type of a mistake, as `TypeError: …` does.
pub(super) fn begins_with_mistake(text: &str) -> bool {
    let colon = text.find(": ").filter(|at| *at < 200);
    colon.is_some_and(|at| {
        let (head, message) = text.split_at(at);
        let kind = head.rsplit(char::is_whitespace).next().unwrap_or(head);
        is_mistake(kind, message.trim_start_matches(": "))
    })
}
