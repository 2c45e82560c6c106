//! Whether an edit brings a secret, or a long opaque value that nobody can review. What was there
//! before may stay.

use super::case::{Case, Touched};
use super::{Seen, quoted};
use crate::patch::code::tokens::Token;
use crate::redact::Class;
use std::collections::HashSet;

/// From this length on a literal of letters and digits without words is opaque.
const OPAQUE: usize = 40;

pub(super) fn check(case: &Case<'_>) -> Seen {
    let mut seen = Seen::default();
    for file in &case.files {
        let scope = case.ground.scope;
        let found = |text: &str| {
            let values = scope.values(text)?;
            let values = values.into_iter().filter(|(class, _)| is_secret(*class));
            let values =
                values.filter_map(|(class, range)| Some((class, text.get(range)?.to_owned())));
            Some(values.collect::<Vec<(Class, String)>>())
        };
        let (before, after) = (found(file.text_before()), found(&file.after.text));
        let (Some(before), Some(after)) = (before, after) else {
            seen.fault(format!(
                "{} cannot be searched for secrets; leave it as it is",
                quoted(&file.path)
            ));
            continue;
        };
        let old: HashSet<&str> = before.iter().map(|(_, value)| value.as_str()).collect();
        for (class, value) in &after {
            if !old.contains(value.as_str()) && !is_harmless(*class, value) {
                seen.fault(format!(
                    "{} would get what looks like a secret ({}); read it from where the service \
                     reads its secrets, and in a test use an obvious stand-in",
                    quoted(&file.path),
                    class.word()
                ));
            }
        }
        opaque(file, &mut seen);
    }
    seen.says("no new secret")
}

fn is_secret(class: Class) -> bool {
    match class {
        Class::PrivateKey
        | Class::AwsKey
        | Class::AzureKey
        | Class::GoogleKey
        | Class::GithubToken
        | Class::GitlabToken
        | Class::SlackToken
        | Class::StripeKey
        | Class::ApiKey
        | Class::Webhook
        | Class::Jwt
        | Class::Authorization
        | Class::Cookie
        | Class::Session
        | Class::Password
        | Class::Token
        | Class::Secret
        | Class::Card
        | Class::Iban
        | Class::NationalId
        | Class::Email
        | Class::Custom => true,
        // Hosts are looked at by themselves; numbers of code look like telephones.
        Class::Phone | Class::Ip => false,
    }
}

/// An address at a domain that nobody has.
fn is_harmless(class: Class, value: &str) -> bool {
    class == Class::Email
        && value
            .rsplit_once('@')
            .is_some_and(|(_, host)| super::hosts::is_reserved(host))
}

fn opaque(file: &Touched, seen: &mut Seen) {
    let before = file.code_before();
    let old: HashSet<Token<'_>> = before.tokens.into_iter().collect();
    let new = file.code_after().tokens;
    let new = new.into_iter().filter(|token| !old.contains(token));
    for token in new {
        if let Token::Literal(text) = token
            && text.split(|c: char| !is_opaque(c)).any(|part| {
                let (digits, upper, lower) = (
                    part.bytes().filter(u8::is_ascii_digit).count(),
                    part.bytes().any(|b| b.is_ascii_uppercase()),
                    part.bytes().any(|b| b.is_ascii_lowercase()),
                );
                part.len() >= OPAQUE && (digits >= 4 || (upper && lower && !part.contains('_')))
            })
        {
            seen.fault(format!(
                "{} would get a long value that cannot be read; write it as code that says what \
                 it is",
                quoted(&file.path)
            ));
        }
    }
}

fn is_opaque(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '_' | '-')
}
