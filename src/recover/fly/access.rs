//! The header that lets us in. fly.io has two sorts of tokens, each with a scheme of its own; a token
//! may be written with a scheme before it, as `fly tokens create` prints it.

use crate::recover::Token;
use crate::recover::error::{Error, ErrorKind};

/// What the tokens begin with that are macaroons; all others are a person's own.
const MACAROONS: [&str; 3] = ["fm1r_", "fm1a_", "fm2_"];

/// The value of `Authorization`, from a token that is read anew.
///
/// # Errors
/// When there is no token, or one that no header can hold.
pub(super) fn header(token: &Token) -> Result<String, Error> {
    let fault = |what: &str| {
        let what = format!("[service.recover] token: {what}");
        Err(Error::new(ErrorKind::Settings, what))
    };
    let Some(secret) = token() else {
        return fault("there is none; make one with `fly tokens create deploy -x 720h -a APP`");
    };
    let bare = without_scheme(secret.expose());
    if bare.is_empty() || !bare.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
        return fault("it is empty or has signs that no token has");
    }
    let parts: Vec<&str> = bare.split(',').map(str::trim).collect();
    let macaroon = |part: &&str| MACAROONS.iter().any(|begin| part.starts_with(begin));
    let macaroons: Vec<&str> = parts.iter().copied().filter(macaroon).collect();
    // Beside macaroons the Machines API takes no other.
    Ok(match macaroons.is_empty() {
        true => format!("Bearer {}", parts.join(",")),
        false => format!("FlyV1 {}", macaroons.join(",")),
    })
}

fn without_scheme(token: &str) -> &str {
    let mut rest = token.trim();
    loop {
        let (first, behind) = rest.split_once(' ').unwrap_or((rest, ""));
        if !["bearer", "flyv1"].contains(&first.to_ascii_lowercase().as_str()) {
            return rest;
        }
        rest = behind.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::Secret;

    fn of(text: &'static str) -> Result<String, Error> {
        header(&(Box::new(move || Some(Secret::new(text.to_owned()))) as Token))
    }

    #[test]
    fn each_sort_of_token_has_its_scheme() {
        for (token, wanted) in [
            ("FlyV1 fm2_abc,fm2_def", "FlyV1 fm2_abc,fm2_def"),
            ("fm2_abc, fm1r_x,fo1_person\n", "FlyV1 fm2_abc,fm1r_x"),
            ("Bearer FlyV1 fm1a_abc", "FlyV1 fm1a_abc"),
            ("fo1_person", "Bearer fo1_person"),
            ("bearer  fo1_person", "Bearer fo1_person"),
        ] {
            assert_eq!(of(token).unwrap(), wanted);
        }
    }

    #[test]
    fn a_token_that_is_none_says_how_to_make_one_and_shows_nothing() {
        for bad in ["", "  ", "FlyV1 ", "fm2_a\r\nX-Evil: 1", "fm2_ü"] {
            let said = of(bad).unwrap_err();
            assert_eq!(said.kind, ErrorKind::Settings, "{bad:?}");
            assert!(!said.what.contains("fm2_"), "{said}");
        }
        let none: Token = Box::new(|| None);
        assert!(
            header(&none)
                .unwrap_err()
                .what
                .contains("fly tokens create deploy")
        );
    }
}
