//! What people read on a terminal fits into 80 columns.

use std::process::Command;

use crate::assay::{assay, run};
use crate::compare::sessions::{Played, Sessions, probed};
use crate::stage::{DEADLINE, DIES, Stage, good_log};

const WIDTH: usize = 80;

/// The lines that are too wide. What cannot be broken, a path or a digest, may be.
fn too_wide(text: &str) -> Vec<&str> {
    let fits = |line: &&str| line.chars().count() > WIDTH && line.trim().contains(' ');
    text.lines().filter(fits).collect()
}

#[track_caller]
fn fits(command: &mut Command) {
    let said = run(command, DEADLINE);
    assert_eq!(too_wide(&said.out), [""; 0], "{command:?}");
}

/// The commands that a help lists.
pub fn commands(of: &[&str]) -> Vec<String> {
    let said = run(assay(of).arg("--help"), DEADLINE);
    let listed = said.out.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| line.starts_with(' '));
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn every_help_fits() {
    let all = commands(&[]);
    assert!(all.len() > 8 && all.iter().any(|name| name == "run"), "{all:?}");
    for help in ["-h", "--help"] {
        fits(&mut assay([help]));
        for name in &all {
            fits(&mut assay([name, help]));
        }
        for name in commands(&["exact"]).iter().filter(|name| *name != "help") {
            fits(&mut assay(["exact", name, help]));
        }
        for name in commands(&["baseline"]).iter().filter(|name| *name != "help") {
            fits(&mut assay(["baseline", name, help]));
        }
        for name in commands(&["dev"]).iter().filter(|name| *name != "help") {
            fits(&mut assay(["dev", name, help]));
        }
    }
}

#[test]
fn answers_fit() {
    fits(assay(["parse"]).arg(good_log()));
    fits(&mut assay(["doctor"]));
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &probed()), sessions.play("b", &Played { rounds: 5, ..probed() }));
    fits(assay(["compare"]).args([&a, &b]).current_dir(a.parent().unwrap()));
    let stage = Stage::with_qemu(DIES);
    let said = stage.run(&[]);
    assert_eq!(too_wide(&said.out), [""; 0]);
}
