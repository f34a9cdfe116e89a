//! The oracle of a program from outside the tree: what is read is what is written, and a refusal names a line.

use workloads::outside::Oracle;

/// An oracle of two items.
pub(crate) const ORACLE: &[u8] =
    b"ASSAY-ORACLE1\nanswer ones\nwork steps\nparameter first 2\nparameter end 4\nparameter rounds 7\n\
    item 3 4 0000000000000001\nitem 5 6 00000000000000ff\n";

pub(crate) fn check(data: &[u8]) {
    match Oracle::parse(data) {
        Ok(oracle) => {
            let written = oracle.to_string();
            let text = std::str::from_utf8(data).expect("an oracle is text");
            assert!(text.lines().eq(written.lines()), "there is one way to write an oracle");
            let again = Oracle::parse(written.as_bytes()).expect("what is written is an oracle");
            assert_eq!(again.to_string(), written);
        }
        Err(error) => {
            let lines = data.split(|&byte| byte == b'\n').count();
            assert!((1..=lines + 1).contains(&error.line), "line {} of {lines}", error.line);
        }
    }
}
