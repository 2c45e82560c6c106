//! Signature Version 4, in headers: the request is brought into one canonical form, hashed, and
//! signed with a key that holds for one day, region and service. No clock: the time is handed in.

use super::Keys;
use crate::net::{Error, ErrorKind, Secret, encoded};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::time::SystemTime;
use time::OffsetDateTime;
use time::macros::format_description;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// A request that is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    pub method: &'a str,
    /// As it is sent. It is encoded once more for the signature, as all services but S3 want it.
    pub path: &'a str,
    /// Names and values, not encoded.
    pub query: &'a [(&'a str, &'a str)],
    /// Those that are signed, `host` among them; in small letters.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
    pub region: &'a str,
    pub service: &'a str,
    pub at: SystemTime,
}

/// The headers to send beside those of the request: the date, the token where the keys have one,
/// and the signature.
///
/// # Errors
/// When the keys cannot stand in a header, or the time is none.
pub fn signed(request: &Signed<'_>, keys: &Keys) -> Result<Vec<(&'static str, String)>, Error> {
    for text in [
        Some(keys.id.as_str()),
        keys.token.as_ref().map(Secret::expose),
    ] {
        if text.is_some_and(|text| text.is_empty() || !text.bytes().all(|b| b.is_ascii_graphic())) {
            return Err(settings("the keys for AWS hold what no header can"));
        }
    }
    let date = date(request.at)?;
    let day = date.get(..8).unwrap_or(&date);
    let mut headers: Vec<(&str, String)> = request
        .headers
        .iter()
        .map(|(name, value)| (*name, spaces_folded(value)))
        .collect();
    headers.push(("x-amz-date", date.clone()));
    if let Some(token) = &keys.token {
        headers.push(("x-amz-security-token", token.expose().to_owned()));
    }
    // Values of one name stay in the order in which they are sent.
    headers.sort_by_key(|(name, _)| *name);
    let (canonical, names) = canonical(request, &headers);
    let scope = format!("{day}/{}/{}/aws4_request", request.region, request.service);
    let to_sign = format!(
        "{ALGORITHM}\n{date}\n{scope}\n{}",
        hash(canonical.as_bytes())
    );
    let key = key(keys, day, request)?;
    let signature = hex(&mac(&key, to_sign.as_bytes())?);
    let id = &keys.id;
    let mut added = vec![
        ("X-Amz-Date", date),
        (
            "Authorization",
            format!(
                "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}"
            ),
        ),
    ];
    if let Some(token) = &keys.token {
        added.push(("X-Amz-Security-Token", token.expose().to_owned()));
    }
    Ok(added)
}

/// The canonical request, and the names of its headers.
fn canonical(request: &Signed<'_>, headers: &[(&str, String)]) -> (String, String) {
    let mut query: Vec<(String, String)> = request
        .query
        .iter()
        .map(|(name, value)| (encoded(name, ""), encoded(value, "")))
        .collect();
    query.sort();
    let query: Vec<String> = query.iter().map(|(n, v)| format!("{n}={v}")).collect();
    let (mut lines, mut names) = (String::new(), Vec::new());
    for group in headers.chunk_by(|a, b| a.0 == b.0) {
        let values: Vec<&str> = group.iter().map(|(_, value)| value.as_str()).collect();
        if let Some((name, _)) = group.first() {
            // Writing to a string cannot fail.
            let _ = writeln!(lines, "{name}:{}", values.join(","));
            names.push(*name);
        }
    }
    let names = names.join(";");
    let text = format!(
        "{}\n{}\n{}\n{lines}\n{names}\n{}",
        request.method,
        encoded(request.path, "/"),
        query.join("&"),
        hash(request.body)
    );
    (text, names)
}

fn key(keys: &Keys, day: &str, request: &Signed<'_>) -> Result<Vec<u8>, Error> {
    let secret = format!("AWS4{}", keys.secret.expose());
    let parts = [day, request.region, request.service, "aws4_request"];
    parts
        .iter()
        .try_fold(secret.into_bytes(), |key, part| mac(&key, part.as_bytes()))
}

fn mac(key: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
    // Keys of any length are taken; the type cannot say so.
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| settings("the keys for AWS cannot be used"))?;
    mac.update(text);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn date(at: SystemTime) -> Result<String, Error> {
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    OffsetDateTime::from(at)
        .format(form)
        .map_err(|_| settings("the host's clock shows no time that a request can bear"))
}

fn settings(what: &str) -> Error {
    Error::new(ErrorKind::Settings, what.to_owned())
}

fn spaces_folded(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn hash(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// Of the published suite of test vectors: 2015-08-30 12:36:00.
    const AT: Duration = Duration::from_secs(1_440_938_160);
    const HOST: (&str, &str) = ("host", "example.amazonaws.com");
    const PLAIN: &[(&str, &str)] = &[HOST];
    const TRIM: &[(&str, &str)] = &[
        HOST,
        ("my-header1", " value1"),
        ("my-header2", " \"a   b   c\""),
    ];
    const FORM: &[(&str, &str)] = &[("content-type", "application/x-www-form-urlencoded"), HOST];
    const USERS: &[(&str, &str)] = &[
        ("host", "iam.amazonaws.com"),
        (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        ),
    ];

    fn keys() -> Keys {
        Keys {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            token: None,
            expires: None,
        }
    }

    fn request<'a>(method: &'a str, path: &'a str, headers: &'a [(&str, &str)]) -> Signed<'a> {
        Signed {
            method,
            path,
            query: &[],
            headers,
            body: b"",
            region: "us-east-1",
            service: "service",
            at: SystemTime::UNIX_EPOCH + AT,
        }
    }

    fn authorization(request: &Signed<'_>, keys: &Keys) -> String {
        let added = signed(request, keys).unwrap();
        let (_, value) = added.iter().find(|(n, _)| *n == "Authorization").unwrap();
        value.clone()
    }

    /// The names of the published suite's cases, what they ask, and the signatures they state.
    #[test]
    fn the_published_vectors_come_out() {
        let cases: &[(&str, Signed<'_>, &str, &str)] = &[
            (
                "get-vanilla",
                request("GET", "/", PLAIN),
                "host;x-amz-date",
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "post-vanilla",
                request("POST", "/", PLAIN),
                "host;x-amz-date",
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "get-unreserved",
                request(
                    "GET",
                    "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
                    PLAIN,
                ),
                "host;x-amz-date",
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            (
                "get-utf8",
                request("GET", "/\u{1234}", PLAIN),
                "host;x-amz-date",
                "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            ),
            (
                "get-vanilla-query-order-key-case",
                Signed {
                    query: &[("Param2", "value2"), ("Param1", "value1")],
                    ..request("GET", "/", PLAIN)
                },
                "host;x-amz-date",
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "get-header-value-trim",
                request("GET", "/", TRIM),
                "host;my-header1;my-header2;x-amz-date",
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            (
                "post-x-www-form-urlencoded",
                Signed {
                    body: b"Param1=value1",
                    ..request("POST", "/", FORM)
                },
                "content-type;host;x-amz-date",
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ];
        for (name, request, names, signature) in cases {
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                 SignedHeaders={names}, Signature={signature}"
            );
            assert_eq!(authorization(request, &keys()), expected, "{name}");
        }
    }

    /// The example that the documents take apart step by step.
    #[test]
    fn the_documented_example_comes_out() {
        let request = Signed {
            query: &[("Action", "ListUsers"), ("Version", "2010-05-08")],
            service: "iam",
            ..request("GET", "/", USERS)
        };
        let key = key(&keys(), "20150830", &request).unwrap();
        assert_eq!(
            hex(&key),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
        let ends = "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        assert!(authorization(&request, &keys()).ends_with(ends));
    }

    #[test]
    fn a_token_is_signed_and_sent() {
        let with = Keys {
            token: Some(Secret::new("t0ken".to_owned())),
            ..keys()
        };
        let request = request("GET", "/", PLAIN);
        let added = signed(&request, &with).unwrap();
        assert!(added.contains(&("X-Amz-Security-Token", "t0ken".to_owned())));
        let names = "SignedHeaders=host;x-amz-date;x-amz-security-token,";
        assert!(authorization(&request, &with).contains(names));
    }

    #[test]
    fn keys_that_no_header_can_hold_are_told_without_them() {
        let bad = Keys {
            id: "AK\nX: y".to_owned(),
            ..keys()
        };
        let e = signed(&request("GET", "/", PLAIN), &bad).unwrap_err();
        assert!(
            e.kind == ErrorKind::Settings && !e.to_string().contains("AK"),
            "{e}"
        );
    }
}
