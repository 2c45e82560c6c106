//! What stands in a value's place without being one: masks, variables, formats, and where the
//! value is kept.

use crate::redact::random;

/// Stars, a variable, a format: what somebody else put in a value's place.
pub(super) fn stands_for_another(value: &str) -> bool {
    let value = value.trim();
    let masks = |c: char| matches!(c, '*' | '•' | '.' | '…' | '-' | '_' | '?' | '#' | '█' | '●');
    if value.is_empty() || value.chars().all(masks) {
        return true;
    }
    if value.len() >= 3 && value.bytes().all(|b| matches!(b, b'x' | b'X')) {
        return true;
    }
    // A star or two can belong to a password; a row of them hides one.
    if value.contains("****") || value.contains("•••") {
        return true;
    }
    let enclosed = |open: &str, close: &str| value.starts_with(open) && value.ends_with(close);
    let pairs = [
        ("${", "}"),
        ("{{", "}}"),
        ("<%", "%>"),
        ("#{", "}"),
        ("%(", ")s"),
        ("$(", ")"),
        ("__", "__"),
        ("%{", "}"),
    ];
    if pairs.iter().any(|(open, close)| enclosed(open, close))
        || value.starts_with("${")
        || value.starts_with("{{")
        || value.starts_with("$(")
    {
        return true;
    }
    if enclosed("[", "]") || enclosed("<", ">") || enclosed("(", ")") || enclosed("{", "}") {
        let inner = value.get(1..value.len() - 1).unwrap_or_default();
        return inner.len() <= 40
            && !inner
                .bytes()
                .any(|b| b.is_ascii_digit() && !inner.contains("char"))
            || inner.bytes().all(|b| b.is_ascii_digit());
    }
    is_variable(value)
}

fn is_variable(value: &str) -> bool {
    let name = |text: &str| {
        !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
    };
    let shell = value.strip_prefix('$').is_some_and(|rest| {
        name(rest)
            && (rest.len() >= 3 || rest.len() == 1)
            && !rest.bytes().any(|b| b.is_ascii_digit())
    });
    let bound = value
        .strip_prefix(':')
        .or_else(|| value.strip_prefix('@'))
        .is_some_and(|rest| name(rest) && !rest.bytes().any(|b| b.is_ascii_digit()));
    let windows = value
        .strip_prefix('%')
        .and_then(|rest| rest.strip_suffix('%'))
        .is_some_and(name);
    let numbered = value
        .strip_prefix('$')
        .is_some_and(|rest| rest.len() <= 2 && rest.bytes().all(|b| b.is_ascii_digit()));
    let format = matches!(
        value,
        "%s" | "%v"
            | "%d"
            | "%q"
            | "%+v"
            | "%r"
            | "{}"
            | "{:?}"
            | "%@"
            | "'%s'"
            | "\\\"%s\\\""
            | "%-s"
    );
    shell || bound || windows || numbered || format
}

/// A path, an address without a secret of its own, the name of a secret in a keeper of them.
pub(super) fn is_reference(value: &str) -> bool {
    let starts = |with: &[&str]| with.iter().any(|with| value.starts_with(with));
    if starts(&[
        "http://",
        "https://",
        "file:",
        "arn:",
        "vault:",
        "projects/",
        "op://",
        "env:",
        "ssm:",
        "secretsmanager:",
        "urn:",
    ]) {
        return true;
    }
    let path = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'-' | b'~'))
    };
    let folders = value.bytes().filter(|b| *b == b'/').count();
    let rooted = starts(&["/", "./", "../", "~/"])
        && folders >= 1
        && path(value)
        && (folders >= 2 || value.contains(['.', '~']) || is_folder(value));
    let folder = value == "/" || is_folder(value);
    folder
        || rooted
            && !random::mixed(value.rsplit('/').next().unwrap_or_default())
            && !value.ends_with('=')
            && value.split('/').all(|part| part.len() < 32)
            && value.split('/').filter(|part| part.len() >= 3).count() >= 1
            && !value.contains("//")
}

/// `/app`: one folder at the top.
fn is_folder(value: &str) -> bool {
    let name = value.strip_prefix('/').unwrap_or_default();
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
}
