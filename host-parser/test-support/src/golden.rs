//! Files that hold what a test expects. `ASSAY_BLESS=1` rewrites them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// A path below the directory of the package under test, which Cargo names to its tests.
pub fn path(relative: &str) -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("Cargo runs the tests");
    Path::new(&package).join(relative)
}

/// The golden transcript `name`, a file of the crate `evidence`.
pub fn transcript(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../evidence/tests/transcripts").join(name)
}

/// A document in docs/.
pub fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)
}

/// Whether to rewrite golden files.
pub fn blessing() -> bool {
    std::env::var_os("ASSAY_BLESS").is_some_and(|value| value == "1")
}

/// Checks that the content of the file is `content`, or writes it.
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
        "{} differs; run again with ASSAY_BLESS=1 and read the difference. Expected content:\n{}",
        path.display(),
        String::from_utf8_lossy(content)
    );
}

/// Held while a document is rewritten: several tests own parts of one.
static DOCUMENTS: Mutex<()> = Mutex::new(());

/// Checks the part of a document between `<!-- name: ... -->` and `<!-- end of name -->`, or writes it.
pub fn check_part(path: &Path, name: &str, content: &str) {
    let _alone = DOCUMENTS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let document =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (head, tail) = (format!("<!-- {name}: "), format!("<!-- end of {name} -->"));
    let begin = document.find(&head).unwrap_or_else(|| panic!("{}: no {head}", path.display()));
    let begin = begin + document[begin..].find('\n').expect("the comment has a line of its own") + 1;
    let end =
        begin + document[begin..].find(&tail).unwrap_or_else(|| panic!("{}: no {tail}", path.display()));
    let whole = format!("{}\n{}\n\n{}", &document[..begin], content.trim(), &document[end..]);
    check(path, whole.as_bytes());
}
