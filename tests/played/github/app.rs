//! Apps: checks what one signs with its public key and its claims, and gives tokens that end.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// An App that is installed for every repository of the server.
#[derive(Clone)]
pub struct App {
    pub id: String,
    /// PKCS#1, DER.
    pub public_key: Vec<u8>,
    pub installation: u64,
    /// What was granted.
    pub permissions: Value,
    /// How long its tokens hold, in seconds.
    pub lifetime: i64,
}

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

impl App {
    /// What is wrong with a signed token.
    pub fn wrong(&self, token: &str) -> Option<String> {
        let parts: Vec<&str> = token.split('.').collect();
        let [head, claims, signature] = parts[..] else {
            return Some("A JSON web token could not be decoded".to_owned());
        };
        let json = |part: &str| -> Value {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
            serde_json::from_slice(&bytes).unwrap_or_default()
        };
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.public_key);
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        let said = format!("{head}.{claims}");
        if json(head)["alg"] != "RS256" || key.verify(said.as_bytes(), &signature).is_err() {
            return Some("A JSON web token could not be decoded".to_owned());
        }
        let claims = json(claims);
        let (Some(made), Some(end)) = (claims["iat"].as_i64(), claims["exp"].as_i64()) else {
            return Some("Missing 'iat' or 'exp' claim".to_owned());
        };
        if claims["iss"] != self.id.as_str() {
            return Some("'Issuer' claim ('iss') must be the App's id".to_owned());
        }
        if made > now() {
            return Some("'Issued at' claim ('iat') must be in the past".to_owned());
        }
        // Ten minutes by the server's clock.
        if end <= now() || end > now() + 600 || end - made > 660 {
            return Some("'Expiration time' claim ('exp') is too far in the future".to_owned());
        }
        None
    }
}
