//! Binary data as text between a first and a last line.

use base64ct::{Base64, Encoding};

/// The longest line of OpenSSH's own files.
const LINE: usize = 70;

/// The text of `bytes`.
pub fn write(label: &str, bytes: &[u8]) -> String {
    let base64 = Base64::encode_string(bytes);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        text += line;
        text += "\n";
        rest = more;
    }
    text + &format!("-----END {label}-----\n")
}

/// The bytes of a text; `None` if it is none.
pub fn read(label: &str, text: &str) -> Option<Vec<u8>> {
    let text = text.trim().strip_prefix(&format!("-----BEGIN {label}-----"))?;
    let text = text.strip_suffix(&format!("-----END {label}-----"))?;
    let base64: String = text.split_ascii_whitespace().collect();
    Base64::decode_vec(&base64).ok()
}
