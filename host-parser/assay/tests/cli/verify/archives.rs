//! Sessions in one file, and the published ones.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use report::{EXPORTERS, Exporter};
use results::seal::unpack;

use super::{NOT_VERIFIED, session, verify};
use crate::assay::{Said, assay, run, workspace};
use crate::compare::sessions::{Played, Sessions, edit_results, probed, slower};
use crate::stage::DEADLINE;

#[track_caller]
fn archive(session: &Path, to: &Path) -> Said {
    run(assay(["archive"]).args([session, to]), DEADLINE)
}

#[test]
fn an_archive_is_as_good_as_the_folder() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cycles: slower, ..probed() });
    let [packed, again] = ["b.tar.gz", "again.tar.gz"].map(|name| sessions.path(name));
    archive(&b, &packed).expect_exit(0).expect_answer(&["b.tar.gz: 30 runs, verified"]);
    archive(&b, &again).expect_exit(0);
    assert_eq!(fs::read(&packed).unwrap(), fs::read(&again).unwrap());
    fs::remove_dir_all(&b).unwrap();
    verify(&packed).expect_exit(0).expect_answer(&["b.tar.gz\n", "30 runs", "VERIFIED"]);
    run(assay(["compare"]).args([&a, &packed]), DEADLINE)
        .expect_exit(1)
        .expect_answer(&["SLOWER", "b.tar.gz"]);
    run(assay(["compare"]).args([&packed, &again]), DEADLINE)
        .expect_exit(5)
        .expect_message(&["they are one session"]);
}

#[test]
fn what_does_not_verify_is_not_archived() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    edit_results(&b, |results| results["complete"] = false.into());
    archive(&b, &sessions.path("b.tar.gz")).expect_exit(NOT_VERIFIED);
    assert!(!sessions.path("b.tar.gz").exists());
}

#[test]
fn an_edited_archive_does_not_verify() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    let packed = sessions.path("b.tar.gz");
    archive(&b, &packed).expect_exit(0);
    let folder = sessions.path("unpacked");
    unpack(&packed, &folder).unwrap();
    edit_results(&folder, |results| results["experiment"]["set_aside_limit"] = 1000.into());
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append_dir_all(".", &folder).unwrap();
    fs::write(&packed, tar.into_inner().unwrap().finish().unwrap()).unwrap();
    let said = verify(&packed);
    said.expect_exit(NOT_VERIFIED).expect_answer(&["b.tar.gz/results.json: /experiment/set_aside_limit"]);
}

/// An archive with one entry.
fn with_entry(name: &str, kind: tar::EntryType, content: &[u8]) -> Vec<u8> {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    // The library refuses to write such names.
    let bytes = &mut header.as_old_mut().name[..name.len()];
    bytes.copy_from_slice(name.as_bytes());
    header.set_cksum();
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    tar.append(&header, content).unwrap();
    tar.into_inner().unwrap().finish().unwrap()
}

#[test]
fn archives_with_anything_but_plain_files_are_refused() {
    let sessions = Sessions::new();
    let packed = sessions.path("x.tar.gz");
    for (name, kind) in [
        ("../outside", tar::EntryType::Regular),
        ("/outside", tar::EntryType::Regular),
        ("runs/../../outside", tar::EntryType::Regular),
        ("link", tar::EntryType::Symlink),
        ("link", tar::EntryType::Link),
    ] {
        fs::write(&packed, with_entry(name, kind, b"")).unwrap();
        verify(&packed).expect_exit(7).expect_message(&["x.tar.gz: ", "neither a file nor a folder"]);
    }
    fs::write(&packed, b"no archive").unwrap();
    verify(&packed).expect_exit(7).expect_message(&["x.tar.gz: not readable as a session's archive"]);
    let mut bomb = GzEncoder::new(fs::File::create(&packed).unwrap(), Compression::fast());
    let mut header = tar::Header::new_gnu();
    header.set_path("session.jsonl").unwrap();
    header.set_size(2 << 30);
    header.set_cksum();
    bomb.write_all(header.as_bytes()).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..1025).for_each(|_| bomb.write_all(&zeros).unwrap());
    bomb.finish().unwrap();
    verify(&packed).expect_exit(7).expect_message(&["x.tar.gz: holds more than 1 GiB"]);
}

/// Sessions that were published before sessions were sealed. They have no logs, so they cannot be derived again.
const UNSEALED: [&str; 1] = ["2026-11-21-tcg-2-cpus"];

/// The folders of published sessions: every folder below docs/ with a file of results.
fn published(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    let names = EXPORTERS.map(Exporter::file_name);
    if entries.iter().any(|path| names.iter().any(|name| path.ends_with(name)) || is_archive(path)) {
        found.push(folder.to_owned());
    }
    entries.iter().filter(|path| path.is_dir()).for_each(|path| published(path, found));
}

fn is_archive(path: &Path) -> bool {
    path.to_str().is_some_and(|path| path.ends_with(".tar.gz"))
}

#[test]
fn every_published_session_verifies() {
    let mut folders = Vec::new();
    published(&workspace().join("docs"), &mut folders);
    assert!(!folders.is_empty());
    for folder in folders {
        let shown = folder.display();
        let name = folder.file_name().unwrap().to_str().unwrap();
        let archive = folder.join("session.tar.gz");
        assert_eq!(
            !archive.exists(),
            UNSEALED.contains(&name),
            "{shown}: session.tar.gz is missing, or not expected"
        );
        if !archive.exists() {
            continue;
        }
        verify(&archive).expect_exit(0);
        let unpacked = tempfile::tempdir().unwrap();
        unpack(&archive, unpacked.path()).unwrap();
        for file in EXPORTERS.map(Exporter::file_name) {
            let Ok(beside) = fs::read(folder.join(file)) else { continue };
            assert!(
                beside == fs::read(unpacked.path().join(file)).unwrap(),
                "{shown}/{file} differs from the archive's"
            );
        }
    }
}
