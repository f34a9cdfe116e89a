//! Compressed logs.

use std::io::Read;

use flate2::read::MultiGzDecoder;
use liblzma::read::XzDecoder;

use crate::Form;
use crate::peek::Peek;

/// By its magic number: RFC 1952, section 2.3.1; The .xz File Format, section 2.1.1.1.
pub(crate) fn form(head: &[u8]) -> Option<Form> {
    if head.starts_with(&[0x1f, 0x8b]) {
        Some(Form::Gzip)
    } else if head.starts_with(&[0xfd, b'7', b'z', b'X', b'Z', 0]) {
        Some(Form::Xz)
    } else {
        None
    }
}

/// The log in it. Files that were joined are one log.
pub(crate) fn reader(form: Form, log: Peek) -> Box<dyn Read + Send> {
    match form {
        Form::Xz => Box::new(XzDecoder::new_multi_decoder(log)),
        _ => Box::new(MultiGzDecoder::new(log)),
    }
}
