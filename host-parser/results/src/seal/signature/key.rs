//! Ed25519 keys in OpenSSH's files.

use std::fmt;

use base64ct::{Base64, Encoding};
use ed25519_compact::{KeyPair, Seed, Signature};

use super::wire::{Reader, put};
use super::{SignatureError, armor};

/// The name of the only kind of key that is read.
pub(super) const ALGORITHM: &str = "ssh-ed25519";

const LABEL: &str = "OPENSSH PRIVATE KEY";
const MAGIC: &[u8] = b"openssh-key-v1\0";

/// A public key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PublicKey(ed25519_compact::PublicKey);

/// A secret key.
pub struct SecretKey(KeyPair);

impl PublicKey {
    /// Reads a public key file: `ssh-ed25519 BASE64 COMMENT`.
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let wrong =
            SignatureError::Key("expected a line `ssh-ed25519 BASE64`, as `ssh-keygen -t ed25519` writes it");
        let mut words = text.split_ascii_whitespace();
        let (Some(ALGORITHM), Some(base64)) = (words.next(), words.next()) else { return Err(wrong) };
        Base64::decode_vec(base64).ok().and_then(|blob| Self::of_blob(&blob)).ok_or(wrong)
    }

    /// The key that a field of a signature has.
    pub(super) fn of_blob(blob: &[u8]) -> Option<Self> {
        let mut reader = Reader(blob);
        (reader.string()? == ALGORITHM.as_bytes()).then_some(())?;
        let key = ed25519_compact::PublicKey::from_slice(reader.string()?).ok()?;
        reader.0.is_empty().then_some(Self(key))
    }

    /// The key as a field of a signature has it.
    pub(super) fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, ALGORITHM.as_bytes());
        put(&mut blob, self.0.as_ref());
        blob
    }

    pub(super) fn verify(&self, data: &[u8], signature: &Signature) -> bool {
        self.0.verify(data, signature).is_ok()
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{ALGORITHM} {}", Base64::encode_string(&self.blob()))
    }
}

impl SecretKey {
    /// Reads a private key file of `ssh-keygen -t ed25519` that is not encrypted.
    ///
    /// # Errors
    /// It is not one.
    pub fn parse(text: &str) -> Result<Self, SignatureError> {
        let blob = armor::read(LABEL, text)
            .ok_or(SignatureError::Key("expected a private key as `ssh-keygen -t ed25519` writes it"))?;
        let (cipher, keys) =
            outer(&blob).ok_or(SignatureError::Key("it is cut short, or has several keys"))?;
        if cipher != b"none" {
            return Err(SignatureError::Key(
                "it is encrypted; sign with `ssh-keygen -Y sign -n assay-session -f KEY session.jsonl`",
            ));
        }
        let seed = seed(keys).ok_or(SignatureError::Key("it is not of ssh-ed25519, or is damaged"))?;
        Ok(Self(KeyPair::from_seed(seed)))
    }

    /// Its public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.pk)
    }

    /// The signature as RFC 8032 defines it: it depends on nothing but key and data.
    pub(super) fn sign(&self, data: &[u8]) -> [u8; Signature::BYTES] {
        *self.0.sk.sign(data, None)
    }
}

/// The name of the cipher, and the part with the secret key.
fn outer(blob: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader(blob.strip_prefix(MAGIC)?);
    let (cipher, _kdf, _options) = (reader.string()?, reader.string()?, reader.string()?);
    (reader.number()? == 1).then_some(())?;
    let (_public, keys) = (reader.string()?, reader.string()?);
    Some((cipher, keys))
}

/// The seed of the secret key, if the public key beside it belongs to it.
fn seed(keys: &[u8]) -> Option<Seed> {
    let mut reader = Reader(keys);
    (reader.number()? == reader.number()?).then_some(())?;
    (reader.string()? == ALGORITHM.as_bytes()).then_some(())?;
    let (public, secret) = (reader.string()?, reader.string()?);
    let (seed, of_secret) = secret.split_at_checked(Seed::BYTES)?;
    let seed = Seed::from_slice(seed).ok()?;
    let belongs = public == of_secret && public == &KeyPair::from_seed(seed).pk[..];
    belongs.then_some(seed)
}
