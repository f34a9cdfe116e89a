//! The signature over session.jsonl: an SSH signature by an Ed25519 key, in the namespace `assay-session`. `ssh-keygen -Y
//! sign` makes the same, with keys that this tool does not read: encrypted ones, those of an agent, those on a token.
//!
//! Owns the forms of keys and signatures: PROTOCOL.sshsig and PROTOCOL.key of OpenSSH, RFC 4251 section 5 ("Data Type
//! Representations"), RFC 8709 (Ed25519 in SSH). The cryptography is `ed25519-compact`'s and `sha2`'s.

mod armor;
mod key;
#[cfg(test)]
mod tests;
mod wire;

use ed25519_compact::Signature;
use sha2::{Digest as _, Sha256, Sha512};

pub use key::{PublicKey, SecretKey};
use wire::{Reader, put};

/// What the signature is for: one made for another purpose does not verify.
pub const NAMESPACE: &str = "assay-session";

const MAGIC: &[u8] = b"SSHSIG";
const VERSION: u32 = 1;
const LABEL: &str = "SSH SIGNATURE";

/// Why there is no signature, or none that holds.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SignatureError {
    /// The key is in no form that this tool reads.
    #[error("not readable as a key: {0}")]
    Key(&'static str),
    /// The signature is in no form that this tool reads.
    #[error("not readable as a signature: {0}")]
    Form(&'static str),
    /// Another key made it.
    #[error("made by another key: {found}")]
    OtherKey {
        /// The key, as a line of a public key file.
        found: String,
    },
    /// It is not of these bytes.
    #[error("the signature is not of this file")]
    Wrong,
}

/// Signs `message`. Returns the text of the signature's file.
#[must_use]
pub fn sign(key: &SecretKey, message: &[u8]) -> String {
    let hash = "sha512";
    let signature = key.sign(&signed_data(b"", hash, &Sha512::digest(message)));
    let mut of_key = Vec::new();
    put(&mut of_key, key::ALGORITHM.as_bytes());
    put(&mut of_key, &signature);
    let mut blob = MAGIC.to_vec();
    blob.extend(VERSION.to_be_bytes());
    for field in [&key.public().blob()[..], NAMESPACE.as_bytes(), b"", hash.as_bytes(), &of_key] {
        put(&mut blob, field);
    }
    armor::write(LABEL, &blob)
}

/// Checks that `signature`, the text of a signature's file, is of `message` by `key`.
///
/// # Errors
/// It is not.
pub fn verify(key: &PublicKey, message: &[u8], signature: &str) -> Result<(), SignatureError> {
    let blob = armor::read(LABEL, signature).ok_or(SignatureError::Form("expected an SSH signature"))?;
    let fields = fields(&blob).ok_or(SignatureError::Form("it is cut short, or of another version"))?;
    let [by, namespace, reserved, hash, of_key] = fields;
    if namespace != NAMESPACE.as_bytes() {
        return Err(SignatureError::Form("its namespace is not assay-session"));
    }
    let digest = match hash {
        b"sha512" => Sha512::digest(message).to_vec(),
        b"sha256" => Sha256::digest(message).to_vec(),
        _ => return Err(SignatureError::Form("its hash is neither sha512 nor sha256")),
    };
    let hash = if hash == b"sha512" { "sha512" } else { "sha256" };
    let by = PublicKey::of_blob(by).ok_or(SignatureError::Form("its key is not of ssh-ed25519"))?;
    if by != *key {
        return Err(SignatureError::OtherKey { found: by.to_string() });
    }
    let of_key = key_signature(of_key).ok_or(SignatureError::Form("it is not of ssh-ed25519"))?;
    key.verify(&signed_data(reserved, hash, &digest), &of_key).then_some(()).ok_or(SignatureError::Wrong)
}

/// What the key signs in place of the message.
fn signed_data(reserved: &[u8], hash: &str, digest: &[u8]) -> Vec<u8> {
    let mut data = MAGIC.to_vec();
    for field in [NAMESPACE.as_bytes(), reserved, hash.as_bytes(), digest] {
        put(&mut data, field);
    }
    data
}

/// The fields of a signature: public key, namespace, reserved, hash, the key's signature.
fn fields(blob: &[u8]) -> Option<[&[u8]; 5]> {
    let mut reader = Reader(blob.strip_prefix(MAGIC)?);
    (reader.number()? == VERSION).then_some(())?;
    let fields = [reader.string()?, reader.string()?, reader.string()?, reader.string()?, reader.string()?];
    reader.0.is_empty().then_some(fields)
}

fn key_signature(blob: &[u8]) -> Option<Signature> {
    let mut reader = Reader(blob);
    (reader.string()? == key::ALGORITHM.as_bytes()).then_some(())?;
    let signature = Signature::from_slice(reader.string()?).ok()?;
    reader.0.is_empty().then_some(signature)
}
