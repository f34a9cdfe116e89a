//! Files that hold what a test expects. `ASSAY_BLESS=1` rewrites them.

use std::path::{Path, PathBuf};

/// A path below the crate's directory.
pub fn path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Whether golden files are to be rewritten.
pub fn blessing() -> bool {
    std::env::var_os("ASSAY_BLESS").is_some_and(|value| value == "1")
}

/// Checks that the file holds `content`, or writes it.
pub fn check(path: &Path, content: &[u8]) {
    if blessing() {
        if std::fs::read(path).ok().as_deref() != Some(content) {
            std::fs::write(path, content).expect("a golden file can be written");
        }
        return;
    }
    let expected = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(
        expected == content,
        "{} differs; run again with ASSAY_BLESS=1 and look at the difference. It should hold:\n{}",
        path.display(),
        String::from_utf8_lossy(content)
    );
}
