//! What a release is here: an image, by the reference with which machines are configured. fly.io numbers
//! its releases elsewhere; its machines only know images.

use crate::model::CommitId;
use crate::model::Timestamp;
use crate::registry::commit_of_image;
use serde_json::Value;

/// The longest reference that is believed.
const LONGEST: usize = 512;
/// The label in which builders put the commit.
const REVISION: &str = "org.opencontainers.image.revision";

/// The release that a reference names: `registry.fly.io/shop:deployment-01J…`, or with `@sha256:…` in
/// the tag's place where the tag may move. `digest`: what the platform found behind the reference.
/// `None`: no reference, or one that may mean another image tomorrow.
pub(super) fn release(reference: &str, digest: Option<&str>) -> Option<String> {
    let reference = reference.trim();
    if !is_reference(reference) {
        return None;
    }
    let (named, own) = match reference.split_once('@') {
        Some((named, digest)) => (named, Some(digest)),
        None => (reference, None),
    };
    let (name, tag) = split_tag(named);
    match tag {
        Some(tag) if is_lasting(tag) => Some(format!("{name}:{tag}")),
        _ => {
            let digest = own.or(digest).filter(|digest| is_digest(digest))?;
            Some(format!("{name}@{digest}"))
        }
    }
}

/// The reference that a machine's `image_ref` gives, where its configuration cannot be read.
pub(super) fn of_image_ref(image_ref: &Value) -> Option<String> {
    let part = |name: &str| image_ref[name].as_str().filter(|text| !text.is_empty());
    let mut text = part("repository")?.to_owned();
    if let Some(registry) = part("registry") {
        text = format!("{registry}/{text}");
    }
    if let Some(tag) = part("tag") {
        text = format!("{text}:{tag}");
    }
    Some(text)
}

/// The commit that an image was built from: its label, or its tag.
pub(super) fn commit(release: &str, labels: &Value) -> Option<CommitId> {
    let label = labels[REVISION].as_str().and_then(CommitId::parse);
    label.or_else(|| commit_of_image(release))
}

/// For people: without the registry.
pub(super) fn name(release: &str) -> String {
    release
        .rsplit_once('/')
        .map_or(release, |(_, name)| name)
        .to_owned()
}

/// Where it is kept: registry and repository.
pub(super) fn repository(release: &str) -> &str {
    let named = release.split('@').next().unwrap_or(release);
    split_tag(named).0
}

/// When an image was built, from the ULID in the tag that `fly deploy` gives it.
pub(super) fn built(release: &str) -> Option<Timestamp> {
    let (_, tag) = split_tag(release);
    ulid_time(tag?.strip_prefix("deployment-")?)
}

/// The time in a ULID: 48 bits of milliseconds in its first ten digits of base 32.
pub(super) fn ulid_time(text: &str) -> Option<Timestamp> {
    const DIGITS: &str = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    if text.len() != 26 || !text.is_ascii() {
        return None;
    }
    let mut value: i64 = 0;
    for (at, sign) in text.chars().enumerate() {
        let digit = DIGITS.find(sign.to_ascii_uppercase())?;
        if at < 10 {
            value = (value << 5) | i64::try_from(digit).ok()?;
        }
    }
    // The first digit of a ULID is at most 7, or it would have more than 128 bits.
    (value < 1 << 48).then(|| Timestamp::from_parts(value / 1000, nanos(value)))
}

fn nanos(millis: i64) -> u32 {
    u32::try_from(millis.rem_euclid(1000)).unwrap_or(0) * 1_000_000
}

/// Whether it can be an image reference at all: it goes into a machine's configuration.
fn is_reference(text: &str) -> bool {
    let named = match text.split_once('@') {
        Some((named, digest)) if is_digest(digest) => named,
        Some(_) => return false,
        None => text,
    };
    let (name, tag) = split_tag(named);
    let word = |text: &str, also: &[u8]| {
        let known = |b: u8| b.is_ascii_alphanumeric() || also.contains(&b);
        text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.bytes().all(known)
    };
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    let host = match first.split_once(':') {
        Some((host, port)) if name.contains('/') && word(port, b"") => host,
        _ => first,
    };
    text.len() <= LONGEST
        && word(host, b"._-")
        && parts.all(|part| word(part, b"._-"))
        && tag.is_none_or(|tag| word(tag, b"._-"))
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

fn split_tag(named: &str) -> (&str, Option<&str>) {
    match named.rsplit_once(':') {
        // A colon before a slash is that of a port.
        Some((name, tag)) if !tag.contains('/') && !tag.is_empty() => (name, Some(tag)),
        _ => (named, None),
    }
}

/// `deployment-01J…`, `v1.2.3`, `3f2c1ab`, and unlike `latest` or `main`.
fn is_lasting(tag: &str) -> bool {
    tag.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const DIGEST: &str = "sha256:e15c11a07e1abbc50e252ac392a908140b199190ab08963b3b5dffc2e813d1e8";

    #[test]
    fn a_release_is_a_reference_that_stays_the_same() {
        let tagged = "registry.fly.io/shop:deployment-01HQ73A7BFFDF1B6WMGHFZZ4E7";
        let with = format!("{tagged}@{DIGEST}");
        for (reference, digest, wanted) in [
            (tagged, None, Some(tagged.to_owned())),
            (tagged, Some(DIGEST), Some(tagged.to_owned())),
            (with.as_str(), None, Some(tagged.to_owned())),
            (
                "flyio/app",
                Some(DIGEST),
                Some(format!("flyio/app@{DIGEST}")),
            ),
            (
                "h:5000/app:latest",
                Some(DIGEST),
                Some(format!("h:5000/app@{DIGEST}")),
            ),
            ("h:5000/app", None, None),
            ("app:latest", None, None),
            ("app:latest", Some("sha256:beef"), None),
            ("app:3f2c1ab", None, Some("app:3f2c1ab".to_owned())),
            ("", Some(DIGEST), None),
            ("a b:1", None, None),
            ("-app:1", None, None),
            ("app:1\n", None, Some("app:1".to_owned())),
            ("app:1\";x", None, None),
            ("https://x/y:1", None, None),
            ("x//y:1", None, None),
            ("x/../y:1", None, None),
            ("a:b:1", None, None),
            ("app:1@sha256:12", None, None),
        ] {
            assert_eq!(release(reference, digest), wanted, "{reference}");
        }
        let long = format!("a:{}", "1".repeat(600));
        assert_eq!(release(&long, None), None);
    }

    #[test]
    fn a_commit_is_the_label_or_the_tag() {
        let label = json!({"org.opencontainers.image.revision": "3F2C1AB3F2C1AB"});
        let of = |release, labels| commit(release, labels).map(|id| id.as_str().to_owned());
        assert_eq!(of("a:latest", &label).unwrap(), "3f2c1ab3f2c1ab");
        assert_eq!(of("r/a:3f2c1ab", &Value::Null).unwrap(), "3f2c1ab");
        assert_eq!(
            of("r/a:deployment-01HQ73A7BFFDF1B6WMGHFZZ4E7", &Value::Null),
            None
        );
        let odd = json!({"org.opencontainers.image.revision": 7});
        assert_eq!(of("a:latest", &odd), None);
    }

    #[test]
    fn the_time_in_a_ulid() {
        let at = ulid_time("01ARZ3NDEKTSV4RRFFQ69G5FAV").unwrap();
        assert_eq!(at.to_rfc3339(), "2016-07-30T23:54:10.259Z");
        let tag = "r/shop:deployment-01ARZ3NDEKTSV4RRFFQ69G5FAV";
        assert_eq!(built(tag), Some(at));
        for none in [
            "",
            "1RREBN3T5K95DK9IVP4XHTTPEY2",
            "81ARZ3NDEKTSV4RRFFQ69G5FAV",
            "ü",
        ] {
            assert_eq!(ulid_time(none), None, "{none}");
        }
        assert_eq!(built("r/shop:v1"), None);
    }

    #[test]
    fn a_repository_is_what_stays_of_a_release() {
        for release in ["h:5000/a/b:v1", "h:5000/a/b@sha256:12", "h:5000/a/b"] {
            assert_eq!(repository(release), "h:5000/a/b");
        }
    }

    #[test]
    fn an_image_ref_is_put_together() {
        let of = |value| of_image_ref(&value);
        let whole = json!({"registry": "r", "repository": "shop", "tag": "v1"});
        assert_eq!(of(whole).unwrap(), "r/shop:v1");
        assert_eq!(of(json!({"repository": "shop"})).unwrap(), "shop");
        assert_eq!(of(json!({"registry": "r"})), None);
        assert_eq!(of(json!([])), None);
    }
}
