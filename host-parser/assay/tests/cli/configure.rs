//! `assay configure` on the boot configuration of an image.

use std::path::Path;
use std::time::Duration;

use experiment::boot_config::BootConfig;

use crate::assay::{Said, assay, run};

const DEADLINE: Duration = Duration::from_secs(20);
/// Offset of the file's tar header in these images: the start of any sector.
const HEADER_AT: usize = 7 * 512;

/// An image with one copy of the configuration.
pub fn image(folder: &Path) -> std::path::PathBuf {
    let mut header = tar::Header::new_ustar();
    header.set_path("assay.cfg").unwrap();
    header.set_size(1024);
    header.set_cksum();
    let mut bytes = vec![0; 64 << 10];
    bytes[HEADER_AT..HEADER_AT + 512].copy_from_slice(header.as_bytes());
    bytes[HEADER_AT + 512..HEADER_AT + 1536].copy_from_slice(&BootConfig::default().file());
    let path = folder.join("disk.img");
    std::fs::write(&path, bytes).unwrap();
    path
}

fn configure(image: &Path, words: &[&str]) -> Said {
    let words = words.iter().map(|word| word.as_ref());
    run(&mut assay([std::ffi::OsStr::new("configure"), image.as_os_str()].into_iter().chain(words)), DEADLINE)
}

#[test]
fn shows_and_changes_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    configure(&image, &[]).expect_exit(0).expect_answer(&["disk.img:\n  nothing set"]);
    configure(&image, &["serial=com2", "after=linger:60"]).expect_exit(0);
    configure(&image, &[]).expect_exit(0).expect_answer(&["  serial=com2\n  after=linger:60\n"]);
    configure(&image, &["serial="]).expect_exit(0);
    let said = configure(&image, &[]);
    assert_eq!(
        said.out.lines().filter(|line| line.starts_with("  ")).collect::<Vec<_>>(),
        ["  after=linger:60"]
    );
}

#[test]
fn changes_nothing_if_any_setting_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let image = image(folder.path());
    let before = std::fs::read(&image).unwrap();
    let said = configure(&image, &["after=reboot", "serial=com9"]);
    said.expect_exit(2).expect_message(&["\"serial=com9\"", "expected serial=com1 to com4"]);
    assert!(before == std::fs::read(&image).unwrap());
}

#[test]
fn names_an_image_without_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let image = folder.path().join("other.img");
    configure(&image, &[]).expect_exit(7).expect_message(&["other.img"]);
    std::fs::write(&image, [0; 4096]).unwrap();
    configure(&image, &["after=reboot"]).expect_exit(7).expect_message(&["other.img: no assay.cfg in it"]);
}
