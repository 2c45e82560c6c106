//! What the name of a field says about its value. `DB_PASSWORD`, `dbPassword` and `db.password`
//! are the same words; the last ones count, so that `password_reset_url` names an address.

use crate::redact::class::Class;

/// How sure a name is that its value is secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sureness {
    /// Whatever it is, unless it stands for something else.
    Sure,
    /// Also a word in prose or of a parser: only what does not look like a word.
    Likely,
    /// Only what looks drawn by a machine.
    Drawn,
    /// A few digits.
    Digits,
    /// A header's list of names and values, or a scheme and a token.
    Header,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    pub(super) class: Class,
    pub(super) sureness: Sureness,
}

/// Longest name, in bytes.
pub(super) const LONGEST: usize = 120;

/// Ends of names, without separators and in lower case, that say password.
const PASSWORDS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "kennwort",
    "passphrase",
    "passcode",
    "wachtwoord",
    "contrasena",
    "contraseña",
    "motdepasse",
    "senha",
    "passwrd",
    "passw",
    "userpass",
    "dbpass",
    "mysqlpass",
    "sshpass",
    "smtppass",
    "mailpass",
    "rootpass",
    "adminpass",
    "ftppass",
    "ldappass",
    "pgpass",
    "redispass",
    "keypass",
    "storepass",
    "userpwd",
    "dbpwd",
    "mysqlpwd",
    "adminpwd",
    "rootpwd",
    "mnemonic",
    "seedphrase",
    "recoveryphrase",
    "passwords",
];

/// Single words that do.
const PASSWORD_WORDS: &[&str] = &[
    "pass",
    "pwd",
    "psk",
    "clave",
    "pw",
    "creds",
    "credentials",
    "passwds",
];

/// What stands before `key` when it opens something.
const KEYS: &[&str] = &[
    "api",
    "app",
    "access",
    "secret",
    "private",
    "account",
    "signing",
    "sign",
    "encryption",
    "encrypt",
    "decryption",
    "master",
    "auth",
    "shared",
    "license",
    "licence",
    "hmac",
    "application",
    "subscription",
    "consumer",
    "aes",
    "jwt",
    "session",
    "crypto",
    "cipher",
    "recovery",
    "webhook",
    "deploy",
    "stripe",
    "openai",
    "anthropic",
    "sendgrid",
    "mailgun",
    "twilio",
    "datadog",
    "dd",
    "sentry",
    "algolia",
    "admin",
    "server",
    "service",
    "client",
    "integration",
    "rest",
    "storage",
    "functions",
    "maps",
    "google",
    "aws",
    "azure",
    "gcp",
    "cosmos",
    "root",
    "unseal",
    "wrapping",
    "symmetric",
    "write",
    "ingest",
    "ingestion",
    "live",
    "test",
    "base",
    "wep",
    "wpa",
    "vault",
    "token",
    "host",
    "cf",
    "cloudflare",
    "newrelic",
    "pagerduty",
    "routing2",
    "mapbox",
    "shopify",
    "firebase",
];

/// Words after the one that counts.
const AFTER: &[&str] = &[
    "value",
    "val",
    "base",
    "hash",
    "hashed",
    "encrypted",
    "plain",
    "plaintext",
    "raw",
    "b64",
    "base64",
    "confirmation",
    "confirm",
    "again",
    "repeat",
    "new",
    "old",
    "current",
    "prod",
    "production",
    "staging",
    "dev",
    "live",
    "default",
    "primary",
    "secondary",
    "digest",
    "string",
    "text",
    "hex",
    "env",
    "header",
    "in",
    "pem",
    "data",
];

/// What the name says; `None` where nothing.
pub(super) fn judge(name: &str) -> Option<Judgement> {
    let mut words = words(name);
    let whole: String = words.concat();
    if let Some(found) = of_header(&whole) {
        return Some(found);
    }
    while words.len() > 1
        && words
            .last()
            .is_some_and(|w| AFTER.contains(&w.as_str()) || digits_only(w))
    {
        words.pop();
    }
    let last = words
        .last()?
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .to_owned();
    let joined = format!("{}{last}", words.get(..words.len() - 1)?.concat());
    if last == "key" || last == "keys" || joined.ends_with("key") {
        return of_key(&words, &joined);
    }
    of_word(&last, &joined, words.len())
}

fn digits_only(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

fn is(class: Class, sureness: Sureness) -> Option<Judgement> {
    Some(Judgement { class, sureness })
}

fn of_header(whole: &str) -> Option<Judgement> {
    match whole {
        "authorization"
        | "proxyauthorization"
        | "xauthorization"
        | "httpauthorization"
        | "xforwardedauthorization"
        | "wwwauthorization"
        | "httpproxyauthorization"
        | "xamzauthorization" => is(Class::Authorization, Sureness::Header),
        "cookie" | "setcookie" | "setcookie2" | "cookies" | "httpcookie" => {
            is(Class::Cookie, Sureness::Header)
        }
        _ => None,
    }
}

fn of_key(words: &[String], joined: &str) -> Option<Judgement> {
    if joined.ends_with("publickey") || joined.ends_with("publishablekey") {
        return None;
    }
    let before = joined.trim_end_matches("keys").trim_end_matches("key");
    let single = words.len() == 1 && before.is_empty();
    let opens = KEYS.iter().any(|key| before.ends_with(key));
    match () {
        () if single => is(Class::ApiKey, Sureness::Drawn),
        () if before.ends_with("private") => is(Class::PrivateKey, Sureness::Likely),
        () if before.ends_with("secretaccess") || before == "awssecret" => {
            is(Class::AwsKey, Sureness::Sure)
        }
        () if before.ends_with("account") || before.ends_with("sharedaccess") => {
            is(Class::AzureKey, Sureness::Likely)
        }
        () if before.ends_with("api") || before.ends_with("secret") => {
            is(Class::ApiKey, Sureness::Sure)
        }
        () if opens => is(Class::ApiKey, Sureness::Likely),
        () => is(Class::ApiKey, Sureness::Drawn),
    }
}

fn of_word(last: &str, joined: &str, count: usize) -> Option<Judgement> {
    if PASSWORDS.iter().any(|end| joined.ends_with(end)) || PASSWORD_WORDS.contains(&last) {
        return is(Class::Password, Sureness::Sure);
    }
    if matches!(last, "creds" | "credentials") {
        return is(Class::Password, Sureness::Likely);
    }
    let ends = |end: &str| joined.ends_with(end);
    if ends("sharedaccesssignature") {
        return is(Class::AzureKey, Sureness::Sure);
    }
    if ["csrf", "xsrf"].contains(&last) || ends("csrftoken") || ends("xsrftoken") {
        return is(Class::Token, Sureness::Likely);
    }
    if ends("secretid") || ends("secret") || ends("secrets") {
        let sure = count > 1 && ends("secret");
        return is(
            Class::Secret,
            if sure {
                Sureness::Sure
            } else {
                Sureness::Likely
            },
        );
    }
    if TOKENS.iter().any(|before| ends(before)) {
        return is(Class::Token, Sureness::Sure);
    }
    if last == "session" && count > 1 {
        return is(Class::Session, Sureness::Likely);
    }
    if ends("token") || ends("tokens") || last == "jwt" || last == "pat" || ends("bearer") {
        return is(Class::Token, Sureness::Likely);
    }
    if SESSIONS.iter().any(|end| ends(end)) || matches!(last, "sid" | "sess") || joined == "session"
    {
        return is(Class::Session, Sureness::Likely);
    }
    match last {
        "otp" | "totp" | "cvv" | "cvc" | "cvv2" | "pin" | "pincode" | "mfacode"
        | "securitycode" => is(Class::Secret, Sureness::Digits),
        "code" if CODES.iter().any(|code| ends(code)) => is(Class::Secret, Sureness::Digits),
        "cred" | "credential" | "auth" | "signature" | "sig" | "salt" | "nonce" | "hmac"
        | "seed" | "dsn" | "cookie" | "cookies" | "code" => is(Class::Secret, Sureness::Drawn),
        _ => None,
    }
}

/// Tokens that open something, whatever they look like.
const TOKENS: &[&str] = &[
    "authtoken",
    "accesstoken",
    "refreshtoken",
    "apitoken",
    "bearertoken",
    "securitytoken",
    "privatetoken",
    "personaltoken",
    "bottoken",
    "deploytoken",
    "oauthtoken",
    "secrettoken",
];

const SESSIONS: &[&str] = &[
    "sessionid",
    "sessid",
    "sessionkey",
    "sessiontoken",
    "sessionhash",
    "sessioncookie",
    "connectsid",
];
const CODES: &[&str] = &[
    "otpcode",
    "mfacode",
    "2facode",
    "verificationcode",
    "securitycode",
    "smscode",
    "onetimecode",
    "pincode",
    "authcode",
    "logincode",
    "confirmationcode",
    "totpcode",
    "yourcode",
];

/// The words of a name in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty()));
            continue;
        }
        let before = at.checked_sub(1).and_then(|at| chars.get(at));
        let hump = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
                || before.is_some_and(|b| b.is_uppercase())
                    && chars.get(at + 1).is_some_and(|n| n.is_lowercase()));
        if hump {
            words.extend(Some(std::mem::take(&mut word)).filter(|w| !w.is_empty()));
        }
        word.extend(c.to_lowercase());
    }
    words.extend(Some(word).filter(|w| !w.is_empty()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_count() {
        let sure = [
            "password",
            "DB_PASSWORD",
            "dbPassword",
            "spring.datasource.password",
            "PGPASSWORD",
            "MYSQL_PWD",
            "client_secret",
            "apiKey",
            "X-Api-Key",
            "password2",
            "new_password",
            "passwordConfirmation",
            "APIKey",
            "aws_secret_access_key",
            "user_pass",
        ];
        for name in sure {
            let judged = judge(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(judged.sureness, Sureness::Sure, "{name}");
        }
        let nothing = [
            "password_reset_url",
            "token_type",
            "secretName",
            "tokenizer",
            "passenger",
            "compass",
            "keyboard",
            "authority",
            "author",
            "publicKey",
            "password_changed_at",
            "max_token_count",
            "session_timeout",
            "bypass",
            "passed",
            "key_id",
            "cookie_domain",
            "authenticated",
        ];
        for name in nothing {
            assert_eq!(judge(name), None, "{name}");
        }
        assert_eq!(judge("cache_key").unwrap().sureness, Sureness::Drawn);
        assert_eq!(judge("Set-Cookie").unwrap().class, Class::Cookie);
        assert_eq!(judge("JSESSIONID").unwrap().class, Class::Session);
        assert_eq!(judge("connect.sid").unwrap().class, Class::Session);
    }
}
