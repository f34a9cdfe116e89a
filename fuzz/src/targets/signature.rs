//! Keys and signatures as text: the first byte says which.

use results::seal::signature::{PublicKey, SecretKey, sign, verify};

use crate::input::Input;

/// The public half of a key that no longer exists.
pub(crate) const PUBLIC: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJiFmOXrgDZnXG2q8y1S6vHs5KvX1O5vGb/g+9vJ9lgg a test of assay";

/// What that key signed.
const MESSAGE: &[u8] = b"session\n";

/// The signature, by `ssh-keygen -Y sign -n assay-session`.
pub(crate) const SIGNATURE: &str = "\
-----BEGIN SSH SIGNATURE-----
U1NIU0lHAAAAAQAAADMAAAALc3NoLWVkMjU1MTkAAAAgmIWY5euANmdcbarzLVLq8ezkq9
fU7m8Zv+D728n2WCAAAAANYXNzYXktc2Vzc2lvbgAAAAAAAAAGc2hhNTEyAAAAUwAAAAtz
c2gtZWQyNTUxOQAAAEB/5AID+Z7qE68aTi9c4SSD6YBFvaeXKQO5wlcmnSvdXoH5UONGth
QZZ7oVylXPVEgt5c5DuFjHz3ODZOaOifAH
-----END SSH SIGNATURE-----
";

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let what = input.byte();
    let Ok(text) = std::str::from_utf8(input.rest()) else { return };
    match what % 3 {
        0 => {
            let key = PublicKey::parse(PUBLIC).expect("a public key");
            if verify(&key, MESSAGE, text).is_ok() {
                let words = |text: &str| text.split_ascii_whitespace().collect::<String>();
                assert_eq!(words(text), words(SIGNATURE), "a signature that no key made");
            }
        }
        1 => {
            if let Ok(key) = PublicKey::parse(text) {
                let again = PublicKey::parse(&key.to_string()).expect("the text of a key is one");
                assert_eq!(again, key);
            }
        }
        _ => {
            if let Ok(key) = SecretKey::parse(text) {
                assert_eq!(verify(&key.public(), data, &sign(&key, data)), Ok(()));
            }
        }
    }
}
