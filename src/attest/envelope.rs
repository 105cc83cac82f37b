//! DSSE envelopes: a payload, and who signs it.
//!
//! In: a statement and a key, or an envelope and a public key. Out: the other, or why the payload
//! is not to be trusted. The form is that of the Dead Simple Signing Envelope 1.0.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use super::key;
use crate::diag::Diagnostic;

/// Type of the payload.
const TYPE: &str = "application/vnd.in-toto+json";

/// A payload with signatures.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Envelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<Signed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signed {
    #[serde(default)]
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Signs a statement.
    pub fn seal(statement: &str, key: &SigningKey) -> Self {
        let signature = key.sign(&to_be_signed(TYPE, statement.as_bytes()));
        let keyid = key::id(&key.verifying_key());
        Self {
            payload_type: TYPE.to_owned(),
            payload: STANDARD.encode(statement),
            signatures: vec![Signed { keyid, sig: STANDARD.encode(signature.to_bytes()) }],
        }
    }

    /// The statement, if this key signs it.
    ///
    /// # Errors
    /// If the payload is no statement, another key signs it, or anything was changed since.
    pub fn open(&self, key: &VerifyingKey) -> Result<String, Diagnostic> {
        let refused = |words: &str| {
            Diagnostic::global("attestation-refused", words)
                .hint("trust nothing that it says; ask for it where it was made")
        };
        if self.payload_type != TYPE {
            return Err(refused("the envelope holds no in-toto statement")
                .note(format!("it holds: {}", self.payload_type)));
        }
        let payload = STANDARD
            .decode(&self.payload)
            .map_err(|error| refused("the payload is damaged").note(error.to_string()))?;
        let signed = to_be_signed(&self.payload_type, &payload);
        let vouches = |signature: &Signed| {
            let bytes = STANDARD.decode(&signature.sig).ok()?;
            let signature = Signature::from_bytes(bytes.as_slice().try_into().ok()?);
            key.verify_strict(&signed, &signature).ok()
        };
        if !self.signatures.iter().any(|signature| vouches(signature).is_some()) {
            let id = key::id(key);
            // The name of a key is only a hint: it is not signed.
            let names_key = self.signatures.iter().any(|signature| signature.keyid == id);
            return Err(match (self.signatures.is_empty(), names_key) {
                (true, _) => refused("nobody has signed this statement"),
                (_, true) => refused("the statement or its signature was changed after signing"),
                (_, false) => refused("this key has not signed the statement")
                    .note(format!("the key: {id}"))
                    .note(format!("signed by: {}", self.keys())),
            });
        }
        String::from_utf8(payload).map_err(|_| refused("the payload is not UTF-8"))
    }

    /// As text, with a newline at the end.
    pub fn text(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings are JSON") + "\n"
    }

    fn keys(&self) -> String {
        let names: Vec<&str> = self.signatures.iter().map(|it| it.keyid.as_str()).collect();
        names.join(", ")
    }
}

/// The pre-authentication encoding of DSSE.
fn to_be_signed(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let bytes = to_be_signed("http://example.com/HelloWorld", b"hello world");
        assert_eq!(bytes, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn any_changed_byte_and_any_other_key_is_refused() {
        let key = SigningKey::from_bytes(&[7; 32]);
        let envelope = Envelope::seal("{\"a\": 1}", &key);
        let public = key.verifying_key();
        assert_eq!(envelope.open(&public).expect("it is signed"), "{\"a\": 1}");
        let why = |envelope: &Envelope, key| envelope.open(key).expect_err("refused").message;
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(why(&envelope, &other), "this key has not signed the statement");
        let mut changed = envelope.clone();
        changed.payload = STANDARD.encode("{\"a\": 2}");
        assert!(why(&changed, &public).contains("changed after signing"));
        let mut changed = envelope.clone();
        changed.payload_type.push('x');
        assert!(why(&changed, &public).contains("no in-toto statement"));
        let mut changed = envelope.clone();
        let signature = STANDARD.decode(&changed.signatures[0].sig).expect("base64");
        for bit in [0, 300, 511] {
            let mut signature = signature.clone();
            signature[bit / 8] ^= 1 << (bit % 8);
            changed.signatures[0].sig = STANDARD.encode(&signature);
            assert!(why(&changed, &public).contains("changed after signing"));
        }
        changed.signatures.clear();
        assert_eq!(why(&changed, &public), "nobody has signed this statement");
    }
}
