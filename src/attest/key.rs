//! Ed25519 keys as people have them.
//!
//! In: a file with a PEM (PKCS #8 for private keys, SPKI for public ones, RFC 8410, as OpenSSL
//! writes them) or with the bare 32 bytes. Out: a key. Left out: making keys, which OpenSSL does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{SigningKey, VerifyingKey};

use crate::diag::Diagnostic;

/// What stands in front of the 32 bytes in a PKCS #8 structure of version 1.
const PRIVATE: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// What follows the lengths of the outer structure in version 2, where the public key stands behind.
const PRIVATE_2: [u8; 14] = [2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// What stands in front of the 32 bytes in a SubjectPublicKeyInfo.
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// Reads a private key; `name` is what its file is called in messages.
///
/// # Errors
/// If it is none.
pub fn private(name: &str, bytes: &[u8]) -> Result<SigningKey, Diagnostic> {
    let seed = match pem(bytes, "PRIVATE KEY") {
        Some(der) => version_1(&der).or_else(|| version_2(&der)),
        None => bytes.try_into().ok(),
    };
    seed.map(|seed| SigningKey::from_bytes(&seed)).ok_or_else(|| {
        bad(name, "private").hint(
            "`openssl genpkey -algorithm ed25519 -out key.pem` makes one; it is not encrypted",
        )
    })
}

/// Reads a public key; `name` is what its file is called in messages.
///
/// # Errors
/// If it is none.
pub fn public(name: &str, bytes: &[u8]) -> Result<VerifyingKey, Diagnostic> {
    let point: Option<[u8; 32]> = match pem(bytes, "PUBLIC KEY") {
        Some(der) => der.strip_prefix(&PUBLIC).and_then(|rest| rest.try_into().ok()),
        None => bytes.try_into().ok(),
    };
    point.and_then(|point| VerifyingKey::from_bytes(&point).ok()).ok_or_else(|| {
        bad(name, "public").hint("`openssl pkey -in key.pem -pubout -out public.pem` writes it")
    })
}

/// The name by which a signature says which key made it: SHA-256 of the SubjectPublicKeyInfo.
pub fn id(key: &VerifyingKey) -> String {
    super::statement::sha256(&[&PUBLIC[..], key.as_bytes()].concat())
}

fn bad(name: &str, kind: &str) -> Diagnostic {
    Diagnostic::global("bad-key", format!("`{name}` is no {kind} Ed25519 key"))
        .note("a key is a PEM file (PKCS #8 or SPKI), or a file of 32 bytes")
        .hint("`openssl genpkey -algorithm ed25519 -out key.pem` makes a private one")
}

fn version_1(der: &[u8]) -> Option<[u8; 32]> {
    der.strip_prefix(&PRIVATE)?.try_into().ok()
}

fn version_2(der: &[u8]) -> Option<[u8; 32]> {
    let [0x30, length, rest @ ..] = der else { return None };
    let seed = rest.strip_prefix(&PRIVATE_2)?.first_chunk()?;
    (usize::from(*length) == rest.len()).then_some(*seed)
}

/// The bytes in a PEM file with this label, if it is one.
fn pem(bytes: &[u8], label: &str) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, rest) = text.split_once(&format!("-----BEGIN {label}-----"))?;
    let (body, _) = rest.split_once(&format!("-----END {label}-----"))?;
    STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    // The keys of RFC 8410, section 10.
    const V1: &str = "-----BEGIN PRIVATE KEY-----\n\
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        -----END PRIVATE KEY-----\n";
    const V2: &str = "-----BEGIN PRIVATE KEY-----\n\
        MHICAQEwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
        oB8wHQYKKoZIhvcNAQkJFDEPDA1DdXJkbGUgQ2hhaXJzgSEAGb9ECWmEzf6FQbrB\n\
        Z9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PRIVATE KEY-----\n";
    const SPKI: &str = "-----BEGIN PUBLIC KEY-----\n\
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
        -----END PUBLIC KEY-----\n";

    #[test]
    fn reads_the_published_keys_and_refuses_others() {
        let public = public("p", SPKI.as_bytes()).expect("a public key");
        for text in [V1, V2] {
            assert_eq!(private("k", text.as_bytes()).expect("a key").verifying_key(), public);
        }
        let bare = private("k", V1.as_bytes()).expect("a key").to_bytes();
        assert_eq!(private("k", &bare).expect("a key").verifying_key(), public);
        for wrong in [&b""[..], b"secret", SPKI.as_bytes(), &bare[..31]] {
            assert_eq!(private("k", wrong).expect_err("no key").code, "bad-key");
        }
        assert!(super::public("p", V1.as_bytes()).is_err());
    }
}
