//! That a file says what it means or is refused, and that nothing missing is overlooked.

use std::path::Path;

use super::*;
use evidence::gate::ReasonCode;

fn parse(text: &str) -> Result<Disclosure, String> {
    Disclosure::parse(Path::new("d.toml"), text).map_err(|error| error.to_string())
}

fn full() -> String {
    format!(
        "provider = \"gce\"\nregion = \"europe-west1-b\"\ninstance-type = \"c3-standard-8\"\nimage-sha256 = \"{}\"\n\
         firmware = \"UEFI\"\ntenancy = \"shared\"\nvcpu-is = \"hyperthread\"\ndate = \"2026-11-21\"\noperator = \"me\"\n",
        "ab".repeat(32)
    )
}

#[test]
fn reads_what_is_there_and_names_what_is_not() {
    let disclosure = parse(&full()).unwrap();
    assert_eq!(disclosure.get("region"), Some("europe-west1-b"));
    assert_eq!(disclosure.missing().count(), 0);
    // The same without one line each, and with nothing but spaces there.
    for line in full().lines() {
        let key = line.split(' ').next().unwrap();
        for text in [full().replace(line, ""), full().replace(line, &format!("{key} = \"  \""))] {
            assert_eq!(parse(&text).unwrap().missing().collect::<Vec<_>>(), [key]);
        }
    }
}

#[test]
fn refuses_what_cannot_be_with_line_and_key() {
    let refused = |from: &str, to: &str| parse(&full().replace(from, to)).unwrap_err();
    let said = refused("\"shared\"", "\"cloudy\"");
    assert_eq!(said, "d.toml:6:11: tenancy: expected one of shared, dedicated, own, found \"cloudy\"");
    assert!(refused("2026-11-21", "21.11.2026").contains("d.toml:8:8: date: expected a date as YYYY-MM-DD"));
    assert!(refused("2026-11-21", "2026-13-01").contains("date"));
    assert!(refused("abab", "xyz").contains("d.toml:4:16: image-sha256: expected 64 hexadecimal digits"));
    assert!(refused("region", "regoin").contains("d.toml:2:1: regoin: unknown field `regoin`"));
    assert!(refused("\"me\"", "7").contains("d.toml:9:12: operator: invalid type"));
    assert!(refused("\"me\"", "\"a\\nb\"").contains("operator: expected one line of text"));
}

#[test]
fn a_template_can_be_read_and_lacks_every_required_key() {
    let disclosure = parse(&template(None)).unwrap();
    assert_eq!(disclosure.values().count(), 0);
    assert_eq!(disclosure.missing().count(), 9);
}

#[test]
fn nothing_is_publishable_without_a_run_that_passed() {
    let publication = Publication::new(Some(parse(&full()).unwrap()), []);
    assert_eq!(publication.missing, ["a run that passed"]);
    assert_eq!((publication.publishable, publication.reason), (false, Some(ReasonCode::DisclosureMissing)));
    assert!(Publication::new(None, []).missing.contains(&"provider".to_owned()));
}
