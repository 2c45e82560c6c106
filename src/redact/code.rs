//! Code in a value's place: what fetches a secret is none.

use crate::redact::extent::Extent;

/// What members are read of.
const ROOTS: &str = "os. process. config. self. this. req. request. params. settings. env. Environment. \
    System. ctx. args. options. opts. props. user. credentials. secrets. var. local. data. \
    body. conf. cfg. app. ENV form. session. state. payload. input. values. .Values $this-> \
    self-> c. s. r. account. client. cls. auth. login. creds. context. event.";

/// Code that gets the value from elsewhere: a call, an index, a member, a name of its own.
pub(super) fn is_code(value: &str, extent: &Extent) -> bool {
    if is_type(value, extent) {
        return true;
    }
    if let Some(at) = value.find(['(', '[']) {
        let head = value
            .get(..at)
            .unwrap_or_default()
            .trim_start_matches(['&', '*', '!']);
        let ident = |b: u8| {
            b.is_ascii_alphanumeric()
                || matches!(
                    b,
                    b'_' | b'.' | b':' | b'<' | b'>' | b'-' | b'$' | b'?' | b'!'
                )
        };
        let begins = head
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'$'));
        return begins
            && head.bytes().all(ident)
            && (extent.opens || value.ends_with([')', ']', '(', '[']));
    }

    let member = |text: &str| {
        text.split(['.', '-', '>'])
            .all(|part| part.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_'))
    };
    if ROOTS.split(' ').any(|root| value.starts_with(root))
        && member(value.trim_start_matches(['$', '.']))
    {
        return true;
    }
    if value.starts_with('&')
        || value.starts_with("*") && value.len() > 1 && member(&value[1..]) && extent.spaced
    {
        return value
            .trim_start_matches(['&', '*'])
            .split("::")
            .all(|part| {
                part.bytes()
                    .all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'\''))
            });
    }
    // `password=password`: one name handed to another.
    let same = value.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_') && {
        let plain = value.to_ascii_lowercase().replace('_', "");
        matches!(
            plain.as_str(),
            "password"
                | "passwd"
                | "pwd"
                | "token"
                | "secret"
                | "apikey"
                | "accesstoken"
                | "authtoken"
                | "newpassword"
                | "userpassword"
                | "hashedpassword"
                | "passwordhash"
                | "clientsecret"
                | "secretkey"
                | "dbpassword"
                | "pass"
        )
    };
    same && !extent.query && (extent.spaced || extent.handed)
}

/// A type or a list of code: `&[Token]`, `Box<dyn…`, `[(&str,`, `setup.credentials`.
fn is_type(value: &str, extent: &Extent) -> bool {
    let ident =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let opens = ["&[", "[(", "[&", "&mut", "&'"];
    let member = value.contains('.') && value.split('.').all(ident) && extent.spaced;
    let path = value.contains("::") && value.split("::").all(ident);
    let begins = value.bytes().next().is_some_and(|b| b.is_ascii_uppercase());
    let generic = extent.generic && begins && ident(value);
    opens.iter().any(|open| value.starts_with(open)) || member || path || generic
}
