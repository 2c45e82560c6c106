//! Which texts are a repository's address, and which names are one: checks of single values.
//! Whether the repository exists is not known here.

/// What is wrong, and the remedy.
pub(super) type Wrong = (String, String);

fn wrong<T>(what: &str, remedy: &str) -> Result<T, Wrong> {
    Err((what.to_owned(), remedy.to_owned()))
}

/// An absolute path, `file:///path` or `https://host/path`; `http://` only towards this machine.
/// A secret in an address is never repeated in the complaint.
pub fn check_address(address: &str) -> Result<(), Wrong> {
    // A folder may have a space in its name; no host does.
    let local = address.starts_with('/') || address.starts_with("file://");
    let odd = |c: char| c.is_control() || (c == ' ' && !local);
    if address.trim().is_empty() || address.trim() != address || address.chars().any(odd) {
        return wrong(
            "`repo` is no address",
            "write an absolute path or an https:// address",
        );
    }
    if let Some((scheme, rest)) = address.split_once("://") {
        return check_url(scheme, rest);
    }
    if address.starts_with('/') {
        return Ok(());
    }
    if address.contains('@') && address.contains(':') {
        return wrong(
            "`repo` is an ssh address, and ssh is not supported",
            "write https://HOST/OWNER/NAME",
        );
    }
    wrong(
        "`repo` is a relative path",
        "write it from the root: the host may run in another folder",
    )
}

fn check_url(scheme: &str, rest: &str) -> Result<(), Wrong> {
    let authority = rest.split('/').next().unwrap_or(rest);
    if authority.contains('@') {
        return wrong(
            "`repo` has a user name or secret in its address",
            "take it out, and revoke it where it was a secret: this file is no place for it",
        );
    }
    if rest.contains(['?', '#']) {
        return wrong(
            "`repo` has a query in its address",
            "write https://HOST/OWNER/NAME and nothing after it",
        );
    }
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    match scheme {
        "file" if matches!(authority, "" | "localhost") && !path.is_empty() => Ok(()),
        "file" => wrong(
            "`repo` is a file address without a path",
            "write file:///PATH",
        ),
        "https" | "http" if authority.is_empty() || path.is_empty() => wrong(
            "`repo` names no repository",
            "write https://HOST/OWNER/NAME",
        ),
        "https" => Ok(()),
        "http" if is_loopback(authority) => Ok(()),
        "http" => wrong(
            "`repo` is not encrypted",
            "write https:// instead of http://",
        ),
        "ssh" | "git" | "git+ssh" => wrong(
            &format!("`repo` begins with {scheme}://, which is not supported"),
            "write https://HOST/OWNER/NAME",
        ),
        _ => wrong(
            "`repo` begins with an unknown scheme",
            "write an absolute path, file:// or https://",
        ),
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, port)| {
            if port.bytes().all(|b| b.is_ascii_digit()) {
                host
            } else {
                authority
            }
        });
    matches!(host, "localhost" | "[::1]") || host.parse().is_ok_and(is_loopback_v4)
}

fn is_loopback_v4(address: std::net::Ipv4Addr) -> bool {
    address.is_loopback()
}

/// The address of a code host's API: `https://HOST` with or without a path; `http://` only towards
/// this machine.
pub fn check_api(address: &str) -> Result<(), Wrong> {
    // As a repository's address, but a path is not needed.
    check_address(&format!("{}/x", address.trim_end_matches('/')))
        .map_err(|(what, remedy)| (what.replace("`repo`", "`api`"), remedy))
}

/// A service's name: letters, digits, `.`, `_`, `-`, at most 100 bytes; `{service}` once in it.
pub fn check_name(name: &str) -> Result<(), Wrong> {
    let plain = name.replacen(super::CAPTURE, "x", 1);
    let good = plain
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    let begins = plain
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric());
    if good && begins && plain.len() <= 100 && !plain.contains("..") {
        Ok(())
    } else {
        wrong(
            &format!("`{}` is no name of a service", name.escape_debug()),
            "write letters, digits, . _ and -, beginning with a letter or digit, at most 100",
        )
    }
}

/// A folder or glob inside the repository.
pub(super) fn check_inside(key: &str, path: &str) -> Result<(), Wrong> {
    if path.starts_with('/') || path.starts_with('~') || path.get(1..2) == Some(":") {
        return wrong(
            &format!("`{key}` is an absolute path"),
            "write it from the top of the repository",
        );
    }
    if path.contains('\\') {
        return wrong(
            &format!("`{key}` has a backslash"),
            "write / between folders",
        );
    }
    if path.split('/').any(|part| part == "..") {
        return wrong(
            &format!("`{key}` has `..` in it"),
            "name a folder inside the repository",
        );
    }
    if path.chars().any(char::is_control) {
        return wrong(&format!("`{key}` has a control character"), "take it out");
    }
    Ok(())
}

/// A branch, with or without `refs/heads/`; `*` stands for any text.
pub(super) fn check_branch(branch: &str) -> Result<(), Wrong> {
    let bad = branch.is_empty()
        || branch.starts_with(['-', '/', '.'])
        || branch.ends_with(['/', '.'])
        || branch.contains("..")
        || branch.contains("@{")
        || branch.contains("//")
        || branch
            .chars()
            .any(|c| c.is_control() || matches!(c, ' ' | '~' | '^' | ':' | '?' | '[' | '\\'));
    if bad {
        return wrong(
            &format!("`{}` is no branch", branch.escape_debug()),
            "write a branch's name such as main or release/2",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        for good in [
            "/srv/git/shop.git",
            "file:///srv/git/shop",
            "https://git.example/acme/{service}",
            "http://127.0.0.1:8080/a.git",
            "http://localhost/a",
            "/srv/my code/shop",
            "file://localhost/srv/shop",
        ] {
            assert_eq!(check_address(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "shop",
            "./shop",
            "git@git.example:acme/shop",
            "ssh://git.example/acme/shop",
            "http://git.example/acme/shop",
            "http://127.0.0.1.evil.example/a",
            "https://git.example",
            "file://shop",
            "https://git.example/a?token=x",
            "https://git.example/a b",
            "/srv/shop ",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn secrets_are_not_repeated() {
        let (what, remedy) = check_address("https://bot:s3cret@git.example/a/b").unwrap_err();
        assert!(what.contains("secret"), "{what}");
        assert!(!format!("{what}{remedy}").contains("s3cret"));
    }

    #[test]
    fn names_and_paths() {
        assert_eq!(check_name("shop-{service}"), Ok(()));
        for bad in ["", "-a", "a/b", "a b", "..", "a..b", "{service}{service}"] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
        assert_eq!(check_inside("root", "services/shop"), Ok(()));
        for bad in ["/a", "a/../b", "..", "a\\b", "C:/a"] {
            assert!(check_inside("root", bad).is_err(), "{bad}");
        }
    }
}
