//! What an App signs to show that it is itself: a JSON web token, RS256. The key comes as GitHub
//! hands it out (PKCS#1) or as other tools write it (PKCS#8). No key and no token is in an error.

use crate::deliver::forge::{Error, ErrorKind};
use crate::net::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject;
use serde_json::json;
use std::time::{SystemTime, UNIX_EPOCH};

/// So long ago it was made: clocks differ.
const BACK: u64 = 60;
/// So long it holds; GitHub takes ten minutes at most.
const HOLDS: u64 = 9 * 60;

/// A token that says for nine minutes that its bearer is the App.
pub(super) fn sign(id: &str, pem: &str, now: SystemTime) -> Result<Secret, Error> {
    let pair = key_pair(pem)?;
    let now = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let claims = json!({"iat": now.saturating_sub(BACK), "exp": now + HOLDS, "iss": id});
    let header = json!({"alg": "RS256", "typ": "JWT"});
    let said = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    );
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(
        &RSA_PKCS1_SHA256,
        &SystemRandom::new(),
        said.as_bytes(),
        &mut signature,
    )
    .map_err(|_| unusable("the App's private key cannot sign"))?;
    let token = format!("{said}.{}", URL_SAFE_NO_PAD.encode(signature));
    Ok(Secret::new(token))
}

fn key_pair(pem: &str) -> Result<RsaKeyPair, Error> {
    let der = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| {
        unusable(
            "the App's private key is no PEM file of a private key: take the one that GitHub gave \
             when it was made",
        )
    })?;
    let pair = match &der {
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        _ => return Err(unusable("the App's private key is no RSA key")),
    };
    pair.map_err(|_| unusable("the App's private key is no RSA key of at least 2048 bits"))
}

fn unusable(words: &str) -> Error {
    Error::new(ErrorKind::Settings, words.to_owned())
}
