//! The lines of a session's chain: the content of each entry, one a line, and after a line feed more a place to change. The
//! check numbers and chains them, since no fuzzer guesses a SHA-256.

use abi::Digest;
use results::seal::Chain;

pub(crate) fn check(data: &[u8]) {
    // As it is: a chain or none.
    let _ = Chain::read(data);
    let (entries, place) = data.split_at(data.iter().rposition(|&byte| byte == b'\n').unwrap_or(data.len()));
    let mut lines: Vec<Vec<u8>> = Vec::new();
    let mut head = Digest([0; 32]);
    for (n, entry) in entries.split(|&byte| byte == b'\n').enumerate() {
        let line = [format!("{{\"n\":{n},\"prev\":\"{head}\",\"entry\":").as_bytes(), entry, b"}"].concat();
        head = Digest::of(&line);
        lines.push(line);
    }
    let whole: Vec<u8> = lines.iter().flat_map(|line| [line, &b"\n"[..]].concat()).collect();
    let Ok(chain) = Chain::read(&whole) else { return };
    assert_eq!((chain.head, chain.commitment_sha256), (head, Digest::of(&lines[0])));
    assert_eq!(1 + chain.entries.len() + usize::from(chain.end.is_some()), lines.len());
    // Part of a line at the end is what a killed session leaves.
    let torn = Chain::read(&[&whole[..], b"{\"n\":"].concat()).expect("a torn line is passed over");
    assert_eq!(torn.head, head);
    // Any change of a line but the last is noticed.
    let last = lines.last().map_or(0, |line| line.len() + 1);
    let before_last = whole.len() - last;
    if before_last > 0 {
        let at = place.iter().fold(0, |sum: usize, &byte| sum.wrapping_mul(256).wrapping_add(byte.into()));
        let mut changed = whole;
        changed[at % before_last] ^= 1;
        assert!(Chain::read(&changed).is_err(), "byte {} was changed", at % before_last);
    }
}
