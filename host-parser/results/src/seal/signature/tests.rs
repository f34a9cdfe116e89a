//! Keys and signatures beside those that OpenSSH wrote.

use base64ct::{Base64, Encoding};
use ed25519_compact::{KeyPair, Seed};

use super::wire::put;
use super::{PublicKey, SecretKey, SignatureError, armor, sign, verify};

/// The public half of a key that no longer exists.
const PUBLIC: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJiFmOXrgDZnXG2q8y1S6vHs5KvX1O5vGb/g+9vJ9lgg a test of assay";

const MESSAGE: &[u8] = b"session\n";

/// By `ssh-keygen -Y sign -n assay-session`.
const SHA512: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgmIWY5euANmdcbarzLVLq8ezkq9
fU7m8Zv+D728n2WCAAAAANYXNzYXktc2Vzc2lvbgAAAAAAAAAGc2hhNTEyAAAAUwAAAAtz
c2gtZWQyNTUxOQAAAEB/5AID+Z7qE68aTi9c4SSD6YBFvaeXKQO5wlcmnSvdXoH5UONGth
QZZ7oVylXPVEgt5c5DuFjHz3ODZOaOifAH
-----END SSH SIGNATURE-----
";

/// The same with `-O hashalg=sha256`.
const SHA256: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgmIWY5euANmdcbarzLVLq8ezkq9
fU7m8Zv+D728n2WCAAAAANYXNzYXktc2Vzc2lvbgAAAAAAAAAGc2hhMjU2AAAAUwAAAAtz
c2gtZWQyNTUxOQAAAEB22ruZgvm9teZWx5563MzxyB0Zwl46M0h0pOCzzMg640/UBLPCPy
tvHMR1uH+k4aWPigGNaHCNgK3xnmUn89AL
-----END SSH SIGNATURE-----
";

/// A private key file, by PROTOCOL.key of OpenSSH.
fn private_key(seed: [u8; 32], change: fn(&mut Vec<u8>)) -> String {
    let pair = KeyPair::from_seed(Seed::new(seed));
    let mut public = Vec::new();
    put(&mut public, b"ssh-ed25519");
    put(&mut public, &pair.pk[..]);
    let mut keys = [7_u32.to_be_bytes(), 7_u32.to_be_bytes()].concat();
    keys.extend(&public);
    put(&mut keys, &pair.sk[..]);
    put(&mut keys, b"a comment");
    keys.extend((1..=8).take((8 - keys.len() % 8) % 8));
    change(&mut keys);
    let mut blob = b"openssh-key-v1\0".to_vec();
    for field in [&b"none"[..], b"none", b""] {
        put(&mut blob, field);
    }
    blob.extend(1_u32.to_be_bytes());
    put(&mut blob, &public);
    put(&mut blob, &keys);
    armor::write("OPENSSH PRIVATE KEY", &blob)
}

fn key() -> PublicKey {
    PublicKey::parse(PUBLIC).expect("a public key")
}

#[test]
fn verifies_what_openssh_signed() {
    for signature in [SHA512, SHA256] {
        assert_eq!(verify(&key(), MESSAGE, signature), Ok(()));
        assert_eq!(verify(&key(), b"session", signature), Err(SignatureError::Wrong));
    }
    assert!(PUBLIC.starts_with(&key().to_string()));
}

#[test]
fn any_changed_byte_of_a_signature_is_noticed() {
    let blob = armor::read("SSH SIGNATURE", SHA512).expect("armor");
    for at in 0..blob.len() {
        let mut changed = blob.clone();
        changed[at] ^= 1;
        assert!(verify(&key(), MESSAGE, &armor::write("SSH SIGNATURE", &changed)).is_err(), "byte {at}");
    }
    for length in 0..blob.len() {
        assert!(verify(&key(), MESSAGE, &armor::write("SSH SIGNATURE", &blob[..length])).is_err());
    }
}

#[test]
fn signs_with_a_key_from_its_file() {
    let secret = SecretKey::parse(&private_key([42; 32], |_| {})).expect("a private key");
    let signature = sign(&secret, MESSAGE);
    assert_eq!(verify(&secret.public(), MESSAGE, &signature), Ok(()));
    assert_eq!(sign(&secret, MESSAGE), signature);
    let found = secret.public().to_string();
    assert_eq!(verify(&key(), MESSAGE, &signature), Err(SignatureError::OtherKey { found }));
}

#[test]
fn refuses_damaged_and_foreign_keys() {
    let damages: [fn(&mut Vec<u8>); 4] = [
        // Check numbers, algorithm, public key, seed.
        |keys| keys[0] ^= 1,
        |keys| keys[12] ^= 1,
        |keys| keys[30] ^= 1,
        |keys| keys[70] ^= 1,
    ];
    for damage in damages {
        assert!(SecretKey::parse(&private_key([42; 32], damage)).is_err());
    }
    assert!(SecretKey::parse(PUBLIC).is_err());
    for line in ["", "ssh-ed25519", "ssh-rsa AAAA", "ssh-ed25519 !", &PUBLIC[..60]] {
        assert!(PublicKey::parse(line).is_err(), "{line}");
    }
    let short = Base64::encode_string(b"\0\0\0\x0bssh-ed25519\xff\xff\xff\xff");
    assert!(PublicKey::parse(&format!("ssh-ed25519 {short}")).is_err());
}
