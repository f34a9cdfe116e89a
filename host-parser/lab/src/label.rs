//! The name of a session's folder.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::time::SystemTime;

use anyhow::{bail, ensure};

/// What stands beside the sessions.
pub const IMAGES: &str = "images";

/// Whether `label` is a name of one step, and `folder`, which it names, is not there yet.
///
/// # Errors
/// What is wrong with it.
pub fn check(label: &str, folder: &Path) -> anyhow::Result<()> {
    let plain = !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    ensure!(
        plain && !label.starts_with('.') && label != IMAGES,
        "--label {label:?}: expected letters, digits, `.`, `_` or `-`, not beginning with a dot, and not `{IMAGES}`"
    );
    if folder.exists() {
        bail!("--label {label}: {} is there already, and is not overwritten", folder.display());
    }
    Ok(())
}

/// A time as a label, in UTC, and a number that no other session of that second has: `20260704T120000Z-3fa90c17`.
pub fn of_time(now: SystemTime) -> String {
    // The keys of a new `RandomState` differ in each process and from call to call.
    let random = RandomState::new().hash_one((now, std::process::id()));
    let time = humantime::format_rfc3339_seconds(now).to_string().replace(['-', ':'], "");
    format!("{time}-{:08x}", random >> 32)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn labels_are_folder_names_of_one_step() {
        let fresh = Path::new("/nowhere/at/all");
        for good in ["a", "2026-07-04_b.c", "20260704T120000Z"] {
            assert!(check(good, fresh).is_ok(), "{good}");
        }
        for bad in ["", "..", "a/b", ".hidden", "a b", IMAGES] {
            assert!(check(bad, fresh).is_err(), "{bad}");
        }
        assert!(check("tmp", Path::new("/")).unwrap_err().to_string().contains("not overwritten"));
    }

    #[test]
    fn a_session_is_named_by_its_time() {
        let label = of_time(SystemTime::UNIX_EPOCH);
        let number = label.strip_prefix("19700101T000000Z-").unwrap();
        assert!(number.len() == 8 && number.chars().all(|c| c.is_ascii_hexdigit()), "{label}");
        assert!(check(&label, Path::new("/nowhere/at/all")).is_ok());
    }

    #[test]
    fn sessions_of_one_second_have_different_names() {
        let labels: HashSet<_> = (0..100).map(|_| of_time(SystemTime::UNIX_EPOCH)).collect();
        assert_eq!(labels.len(), 100);
    }
}
