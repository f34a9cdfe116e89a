//! The document as a browser shows it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::made::{all, page, with_foreign};

/// Where `make test-report` puts the packages of npm.
const MODULES: &str = "ASSAY_NODE_MODULES";

/// The programs under which distributions have Chromium.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

#[test]
#[ignore = "needs Chromium, Node.js and two packages of npm: `make test-report`"]
fn each_report_has_ink_no_request_no_overlap_and_nothing_that_axe_finds() {
    let modules =
        std::env::var_os(MODULES).map(PathBuf::from).unwrap_or_else(|| panic!("{MODULES} is not set"));
    let browser = browser().unwrap_or_else(|| panic!("none of {BROWSERS:?} is installed"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("reports");
    std::fs::create_dir_all(&folder).expect("a folder");
    let pages = all().into_iter().map(|(name, results)| (name, page(&results)));
    let files = pages.chain([("foreign", with_foreign())]).map(|(name, page)| {
        let file = folder.join(format!("{name}.html"));
        std::fs::write(&file, page).expect("written");
        file
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/check.mjs");
    let mut check = Command::new("node");
    let run = check.arg(script).arg(modules).arg(browser).args(files).output().expect("Node.js");
    let text = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    println!("{text}pictures: {}", folder.display());
    assert!(run.status.success() && text.contains("6 reports, 0 problems"), "{text}");
}

/// The first browser in the path.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found =
        |name: &&str| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.exists());
    BROWSERS.iter().find_map(found)
}
