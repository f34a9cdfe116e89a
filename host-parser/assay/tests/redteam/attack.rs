//! An attack, and how it must end.

use std::fs;

use crate::assay::{Said, assay, run};
use crate::stage::{DEADLINE, of_the_guest};

/// One attack by logs.
pub struct Attack {
    /// What is false in them.
    pub name: &'static str,
    /// Makes them; each is a file.
    pub logs: fn() -> Vec<Vec<u8>>,
    /// Options of `assay parse`.
    pub options: &'static [&'static str],
    /// The exit code that it must end with.
    pub code: i32,
    /// What the answer must contain: the reason, as a rule.
    pub says: &'static [&'static str],
}

/// Judges every attack of a table, and fails with a list of those that ended otherwise.
#[track_caller]
pub fn repel(attacks: &[Attack]) {
    let wrong: Vec<_> = attacks.iter().filter_map(failure).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How the attack ended, if it is not how it must end.
fn failure(attack: &Attack) -> Option<String> {
    let said = judge(&(attack.logs)(), attack.options);
    let missing: Vec<_> = attack.says.iter().filter(|part| !said.out.contains(**part)).collect();
    let ended = said.code == Some(attack.code) && missing.is_empty();
    let Attack { name, code, .. } = attack;
    let Said { code: got, out, err } = said;
    (!ended).then(|| format!("{name}: exit {got:?}, not {code}; lacks {missing:?}\n{out}{err}"))
}

/// `assay parse` of these logs with the manifest of the guest's experiment, which claims a speed-up of 1.6.
#[track_caller]
pub fn judge(logs: &[Vec<u8>], options: &[&str]) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("x.toml");
    fs::write(&manifest, of_the_guest()).unwrap();
    let mut command = assay(["parse", "--manifest"]);
    command.arg(manifest).args(options);
    for (number, log) in logs.iter().enumerate() {
        let path = folder.path().join(format!("{number}.log"));
        fs::write(&path, log).unwrap();
        command.arg(path);
    }
    run(&mut command, DEADLINE)
}
