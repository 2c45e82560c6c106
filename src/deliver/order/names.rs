//! The names of a pull request: its branch, the commit's message, the title. Plain text, in which
//! a code host finds nothing to act on; not Markdown.

use super::Material;
use super::words::{Words, bounded};
use crate::model::delivery::FileChange;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Longest service's name in a branch: with all else that is at most 100 bytes.
const SERVICE: usize = 42;
/// Digits of the hash that stands for the end of a longer one.
const SHORT: usize = 16;
/// Longest subject of a commit and longest title, in characters.
const SUBJECT: usize = 72;
const TITLE: usize = 120;

/// `autofix/SERVICE-v1-HASH-r0`; `None` where the fingerprint has another form. A longer name is
/// cut and marked with `+`, which no service's name has, so that two names never meet.
pub(super) fn branch(service: &str, fingerprint: &str, round: u32) -> Option<String> {
    let (version, hash) = fingerprint.strip_prefix('v')?.split_once(':')?;
    let digits = (1..=3).contains(&version.len()) && version.bytes().all(|b| b.is_ascii_digit());
    let hex = hash
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !digits || !hex || hash.is_empty() || hash.len() > 32 {
        return None;
    }
    let service = match service.get(..SERVICE - SHORT - 1) {
        Some(head) if service.len() > SERVICE => {
            let end = hexadecimal(&Sha256::digest(service.as_bytes()));
            format!("{head}+{}", end.get(..SHORT).unwrap_or_default())
        }
        _ => service.to_owned(),
    };
    Some(format!("autofix/{service}-v{version}-{hash}-r{round}"))
}

/// What, and where: `KeyError in orders/vouchers.py:31 (orders)`.
pub(super) fn title(of: &Material<'_>, words: &mut Words) -> String {
    let service = words.plain(&of.case.incident.service, 40);
    let fault = fault(of, words);
    let what = match taken_back(of) {
        Some(commit) => format!("Take back {}: {fault}", short(commit)),
        None => format!("Fix for {fault}"),
    };
    bounded(&format!("{what} ({service})"), TITLE)
}

/// Subject, a short body, and the trailers that tell whose branch it is.
pub(super) fn message(of: &Material<'_>, words: &mut Words) -> String {
    let incident = of.case.incident;
    let fault = fault(of, words);
    let subject = match taken_back(of) {
        Some(commit) => format!("Take back {}: {fault}", short(commit)),
        None => format!("Fix for {fault}"),
    };
    let by = of.case.findings.by_model.as_ref();
    let who = match (by.filter(|by| by.proposed), taken_back(of)) {
        (Some(by), _) => format!("Written by the model {}.", words.plain(&by.model, 60)),
        (None, Some(commit)) => format!("Takes back commit {commit}\nor a part of it."),
        (None, None) => "Takes back an earlier change.".to_owned(),
    };
    let service = &incident.service;
    format!(
        "{}\n\nMade by autofix, a machine, for incident {} of {}.\n{who}\nNobody has reviewed it \
         yet.\n\nAutofix-Service: {service}\nAutofix-Fingerprint: {}\nAutofix-Round: {}\n\
         Autofix-Change: {}\n",
        bounded(&subject, SUBJECT),
        incident.id,
        words.plain(service, 100),
        incident.fingerprint,
        of.round,
        change(&of.files),
    )
}

/// What the change is, in a hash: of the paths, modes and contents, with their lengths, in their
/// order.
pub fn change(files: &[FileChange]) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for file in files {
        part(file.path.as_bytes());
        part(&file.mode.to_le_bytes());
        match &file.content {
            Some(content) => {
                part(b"is");
                part(content);
            }
            None => part(b"gone"),
        }
    }
    hexadecimal(&hash.finalize())
}

/// The commit that the change takes back, where no model made it.
pub(super) fn taken_back<'a>(of: &Material<'a>) -> Option<&'a str> {
    let found = of.case.findings;
    if found.by_model.as_ref().is_some_and(|by| by.proposed) {
        return None;
    }
    let commit = found.suspects.first()?.commit.as_str();
    is_commit(commit).then_some(commit)
}

pub(super) fn is_commit(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// `KeyError in orders/vouchers.py:31`.
fn fault(of: &Material<'_>, words: &mut Words) -> String {
    let incident = of.case.incident;
    let kind = incident
        .exception()
        .and_then(|raised| raised.kind.as_deref());
    let kind = kind.map(|kind| words.plain(kind, 60)).unwrap_or_default();
    let mut out = match kind.is_empty() {
        true => format!("a fault of kind {}", incident.kind.word()),
        false => kind,
    };
    let place = of
        .case
        .findings
        .location
        .as_ref()
        .or(incident.location.as_ref());
    if let Some(place) = place {
        let file = words.plain_path(&place.file, 60);
        let _ = write!(out, " in {file}");
        if let Some(line) = place.line {
            let _ = write!(out, ":{line}");
        }
    }
    out
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::check_name;
    use proptest::prelude::*;

    fn is_ref(name: &str) -> bool {
        let parts_are_good = name.split('/').all(|part| {
            !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock")
        });
        parts_are_good
            && !name.contains("..")
            && !name.contains("@{")
            && !name.ends_with('.')
            && name
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b"~^:?*[\\".contains(&b))
    }

    #[test]
    fn a_branch_says_whose_it_is() {
        let hash = "0123456789abcdef0123456789abcdef";
        assert_eq!(
            branch("orders", &format!("v1:{hash}"), 2).unwrap(),
            format!("autofix/orders-v1-{hash}-r2")
        );
        for bad in [
            "", "v1", "v1:", "1:aa", "v1:xy", "v1:AA", "vx:aa", "v1:aa/b", "v1234:aa",
        ] {
            assert_eq!(branch("orders", bad, 0), None, "{bad}");
        }
        assert_eq!(branch("orders", &format!("v1:{hash}0"), 0), None);
    }

    #[test]
    fn a_long_name_meets_no_other() {
        let (a, b) = (
            format!("{}a", "x".repeat(99)),
            format!("{}b", "x".repeat(99)),
        );
        let made = [&a, &b].map(|name| branch(name, "v999:ff", u32::MAX).unwrap());
        assert_ne!(made[0], made[1]);
        // The name that looks like a cut one is none that the registry allows.
        let looks = made[0].strip_prefix("autofix/").unwrap();
        let looks = looks.split("-v").next().unwrap();
        assert!(check_name(looks).is_err());
    }

    #[test]
    fn a_change_is_told_by_paths_modes_and_contents() {
        let file = |path: &str, mode, content: Option<&str>| FileChange {
            path: path.to_owned(),
            mode,
            content: content.map(|text| text.as_bytes().to_vec()),
            exists: true,
        };
        let all = [
            change(&[file("a", 0o100_644, Some("b"))]),
            change(&[file("a", 0o100_755, Some("b"))]),
            change(&[file("a", 0o100_644, None)]),
            change(&[file("a", 0o100_644, Some(""))]),
            change(&[file("ab", 0o100_644, Some(""))]),
        ];
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
        assert_eq!(all[0].len(), 64);
    }

    proptest! {
        #[test]
        fn branches_are_short_valid_and_apart(
            a in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}",
            b in "[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}",
            hash in "[0-9a-f]{32}",
            round in any::<u32>(),
        ) {
            prop_assume!(check_name(&a).is_ok() && check_name(&b).is_ok());
            let fingerprint = format!("v1:{hash}");
            let one = branch(&a, &fingerprint, round).unwrap();
            prop_assert!(one.len() <= 100, "{}", one);
            prop_assert!(is_ref(&one), "{}", one);
            let other = branch(&b, &fingerprint, round).unwrap();
            prop_assert_eq!(a == b, one == other);
            prop_assert_ne!(&one, &branch(&a, &fingerprint, round.wrapping_add(1)).unwrap());
        }
    }
}
