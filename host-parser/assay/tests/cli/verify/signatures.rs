//! `--sign` and `--signed-by`, beside OpenSSH's own program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{NOT_VERIFIED, session, verify};
use crate::assay::{Said, assay, run};
use crate::compare::sessions::Sessions;
use crate::stage::{DEADLINE, DIES, Stage};

/// Runs `ssh-keygen`; `None` if it is not installed.
fn ssh_keygen(arguments: &[&str], input: Option<&Path>) -> Option<bool> {
    let stdin = input.map_or(Stdio::null(), |input| fs::File::open(input).unwrap().into());
    let mut command = Command::new("ssh-keygen");
    let output = command.args(arguments).stdin(stdin).output().ok()?;
    Some(output.status.success())
}

/// A new key without a passphrase; `None` if `ssh-keygen` is not installed.
fn key(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    let text = path.to_str().unwrap();
    assert!(ssh_keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "a test", "-f", text], None)?);
    Some(path)
}

#[track_caller]
fn signed_by(session: &Path, key: &Path) -> Said {
    run(assay(["verify", "--signed-by"]).arg(key.with_extension("pub")).arg(session), DEADLINE)
}

#[test]
fn signs_as_ssh_keygen_verifies_it() {
    let stage = Stage::with_qemu(DIES);
    let Some(mine) = key(&stage.path(""), "mine") else {
        eprintln!("skipped: ssh-keygen is not installed");
        return;
    };
    let other = key(&stage.path(""), "other").unwrap();
    stage.run(&["--no-probe", "--sign", mine.to_str().unwrap()]).expect_exit(5);
    let session = stage.session();
    signed_by(&session, &mine).expect_exit(0).expect_answer(&["VERIFIED", "the signature is of the key"]);
    signed_by(&session, &other)
        .expect_exit(NOT_VERIFIED)
        .expect_answer(&["session.jsonl.sig: made by another key: ssh-ed25519 "]);
    let public = fs::read_to_string(mine.with_extension("pub")).unwrap();
    let allowed = stage.path("allowed");
    fs::write(&allowed, format!("me {public}")).unwrap();
    let [allowed, signature] =
        [allowed, session.join("session.jsonl.sig")].map(|path| path.display().to_string());
    let verify = ["-Y", "verify", "-f", &allowed, "-I", "me", "-n", "assay-session", "-s", &signature];
    assert_eq!(ssh_keygen(&verify, Some(&session.join("session.jsonl"))), Some(true));
    assert_eq!(ssh_keygen(&verify, Some(&session.join("manifest.toml"))), Some(false));
}

#[test]
fn verifies_what_ssh_keygen_signed() {
    let sessions = Sessions::new();
    let a = session(&sessions, "a");
    let Some(mine) = key(&sessions.path(""), "mine") else {
        eprintln!("skipped: ssh-keygen is not installed");
        return;
    };
    signed_by(&a, &mine).expect_exit(NOT_VERIFIED).expect_answer(&["session.jsonl.sig: cannot be read"]);
    let [key, chain] = [mine.clone(), a.join("session.jsonl")].map(|path| path.display().to_string());
    let sign = |namespace| {
        let _ = fs::remove_file(a.join("session.jsonl.sig"));
        assert_eq!(ssh_keygen(&["-q", "-Y", "sign", "-f", &key, "-n", namespace, &chain], None), Some(true));
    };
    sign("file");
    signed_by(&a, &mine).expect_exit(NOT_VERIFIED).expect_answer(&["its namespace is not assay-session"]);
    sign("assay-session");
    signed_by(&a, &mine).expect_exit(0);
    // The last line is in no other line's digest: only the signature shows that it was touched.
    let text = fs::read_to_string(&chain).unwrap();
    let touched = text.trim_end().to_owned() + " \n";
    fs::write(&chain, touched).unwrap();
    verify(&a).expect_exit(0);
    signed_by(&a, &mine).expect_exit(NOT_VERIFIED).expect_answer(&["the signature is not of this file"]);
}

#[test]
fn names_what_is_no_key() {
    let stage = Stage::with_qemu(DIES);
    let manifest = stage.path("x.toml").display().to_string();
    stage.run(&["--sign", &manifest]).expect_exit(7).expect_message(&["x.toml: not readable as a key"]);
    let said = run(&mut assay(["verify", "--signed-by", &manifest, "."]), DEADLINE);
    said.expect_exit(7).expect_message(&["x.toml: not readable as a key"]);
    if let Some(encrypted) = stage.path("").to_str().map(|folder| format!("{folder}/encrypted"))
        && ssh_keygen(&["-q", "-t", "ed25519", "-N", "a passphrase", "-f", &encrypted], None) == Some(true)
    {
        stage
            .run(&["--sign", &encrypted])
            .expect_exit(7)
            .expect_message(&["it is encrypted; sign with `ssh-keygen"]);
    }
}
