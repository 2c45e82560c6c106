//! An App: what it signs, the token it is given for it, and when another one is asked for. The keys
//! beside this file were made for it and open nothing.

use crate::github_server::{App, Played, play};
use crate::orders::{BRANCH, REPO, http, order, settings};
use autofix::deliver::forge::github::{Auth, Github};
use autofix::deliver::forge::{ErrorKind, Forge};
use autofix::net::Secret;
use ring::signature::{KeyPair, RsaKeyPair};
use rustls_pki_types::PrivatePkcs1KeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

const PKCS1: &str = include_str!("keys/pkcs1.pem");
const PKCS8: &str = include_str!("keys/pkcs8.pem");
const OTHER: &str = include_str!("keys/other.pem");
const ID: &str = "Iv1.0123456789abcdef";
const INSTALLATION: u64 = 4242;

fn public_key() -> Vec<u8> {
    let key = PrivatePkcs1KeyDer::from_pem_slice(PKCS1.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_der(key.secret_pkcs1_der()).unwrap();
    pair.public_key().as_ref().to_vec()
}

fn all() -> Value {
    json!({"metadata": "read", "contents": "write", "pull_requests": "write", "issues": "write",
        "checks": "read", "administration": "write"})
}

/// A host where nothing but the App's tokens is taken.
fn host(permissions: Value, lifetime: i64) -> Played {
    let played = play();
    played.revoke("");
    played.set_app(App {
        id: ID.to_owned(),
        public_key: public_key(),
        installation: INSTALLATION,
        permissions,
        lifetime,
    });
    played
}

fn app(key: &str, installation: Option<u64>) -> Auth {
    let key = key.to_owned();
    Auth::App {
        id: ID.to_owned(),
        key: Box::new(move || Some(Secret::new(key.clone()))),
        installation,
    }
}

fn client(played: &Played, auth: Auth) -> Github {
    Github::new(http(), &settings(played, None), auth).unwrap()
}

/// How many tokens were asked for.
fn minted(played: &Played) -> usize {
    let heard = played.take_heard();
    let mints = heard.iter().filter(|h| h.path.ends_with("access_tokens"));
    mints.filter(|h| h.status == 201).count()
}

#[test]
fn an_app_is_given_one_token_for_the_repository_and_what_it_needs() {
    for (key, installation) in [(PKCS1, None), (PKCS8, Some(INSTALLATION))] {
        let played = host(all(), 3600);
        let client = client(&played, app(key, installation));
        let order = order(&played);
        client.make_branch(&order).unwrap();
        client.open(&order).unwrap();
        let heard = played.heard();
        let asked = heard.iter().find(|h| h.path.ends_with("access_tokens"));
        assert_eq!(
            asked.unwrap().json().unwrap(),
            json!({"repositories": ["shop"], "permissions": {
                "metadata": "read", "contents": "write", "pull_requests": "write",
                "issues": "write", "checks": "read"}})
        );
        let looked = heard.iter().any(|h| h.path.ends_with("/installation"));
        assert_eq!(looked, installation.is_none());
        assert_eq!(minted(&played), 1);
        assert_eq!(played.branches(REPO), [BRANCH, "main"]);
        let token = client.token().unwrap();
        assert!(token.expose().starts_with("ghs_"));
        let debug = format!("{client:?} {:?}", app(key, installation));
        assert!(!debug.contains("PRIVATE"), "{debug}");
    }
}

#[test]
fn a_token_is_not_used_in_its_last_minute() {
    let played = host(all(), 3600);
    let client = client(&played, app(PKCS1, None));
    client.rights(None).unwrap();
    client.rights(None).unwrap();
    assert_eq!(minted(&played), 1);
    let played = host(all(), 59);
    let client = self::client(&played, app(PKCS1, None));
    client.rights(None).unwrap();
    let calls = played.heard().len();
    let mints = minted(&played);
    assert!(mints > 1, "{mints} of {calls}");
}

#[test]
fn a_token_that_is_not_taken_any_more_is_renewed_once() {
    let played = host(all(), 3600);
    let client = client(&played, app(PKCS1, None));
    let order = order(&played);
    client.make_branch(&order).unwrap();
    played.revoke("ghs_");
    client.open(&order).unwrap();
    assert_eq!(minted(&played), 2);
    // Tokens that are over when they come: asked for once more, and no further.
    let played = host(all(), -1);
    let client = self::client(&played, app(PKCS1, None));
    let refused = client.make_branch(&order).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert_eq!(minted(&played), 2);
}

#[test]
fn what_an_app_lacks_is_named() {
    let played = host(json!({"metadata": "read", "contents": "read"}), 3600);
    let lacking = client(&played, app(PKCS1, None));
    let refused = lacking.make_branch(&order(&played)).unwrap_err();
    assert_eq!(refused.kind, ErrorKind::Refused);
    assert!(refused.to_string().contains("contents: write"), "{refused}");
    let rights = lacking.rights(None).unwrap();
    assert_eq!(rights.missing.len(), 2, "{rights:?}");
    assert_eq!(minted(&played), 0);
    let played = host(all(), 3600);
    let rights = client(&played, app(PKCS1, None)).rights(None).unwrap();
    assert!(rights.missing.is_empty() && rights.may_push_to_base);
    assert!(rights.unknown[0].contains("statuses: read"), "{rights:?}");
}

#[test]
fn keys_and_installations_that_do_not_fit_are_told() {
    let played = host(all(), 3600);
    let order = order(&played);
    let elsewhere = client(&played, app(PKCS1, Some(1)));
    assert_eq!(
        elsewhere.make_branch(&order).unwrap_err().kind,
        ErrorKind::Missing
    );
    let other = client(&played, app(OTHER, None)).make_branch(&order);
    let other = other.unwrap_err();
    assert_eq!(other.kind, ErrorKind::Refused);
    assert!(other.to_string().contains("signature"), "{other}");
    let cut = &PKCS1[..400];
    let certificate = PKCS1.replace("RSA PRIVATE KEY", "CERTIFICATE");
    for bad in ["", "no key", cut, certificate.as_str()] {
        let told = client(&played, app(bad, None)).make_branch(&order);
        let told = told.unwrap_err();
        assert_eq!(told.kind, ErrorKind::Settings, "{told}");
        assert!(!told.to_string().contains("MII"), "{told}");
    }
    let fork = settings(&played, Some("bot/shop"));
    let told = Github::new(http(), &fork, app(PKCS1, None)).unwrap_err();
    assert_eq!(told.kind, ErrorKind::Settings);
    assert!(told.to_string().contains("machine user"), "{told}");
    let near = settings(&played, Some("acme/shop-bot"));
    played.fork(REPO, "acme/shop-bot");
    let near = Github::new(http(), &near, app(PKCS1, None)).unwrap();
    near.make_branch(&order).unwrap();
    near.open(&order).unwrap();
    assert_eq!(played.pulls(REPO)[0].head_repo, "acme/shop-bot");
}

/// All that an App's client asks beside what a token's does.
pub fn everything_of_an_app() -> Vec<crate::github_server::Heard> {
    let mut heard = Vec::new();
    for installation in [None, Some(INSTALLATION)] {
        let played = host(all(), 3600);
        let client = client(&played, app(PKCS1, installation));
        client.make_branch(&order(&played)).unwrap();
        heard.extend(played.heard());
    }
    heard
}
