//! `assay run --dry-run`.

use crate::stage::{DIES, Stage};

#[test]
fn shows_the_order_and_the_commands_and_leaves_nothing_behind() {
    let stage = Stage::with_qemu("touch \"$0.was-run\"");
    stage.manifest("boot = \"direct\"", "boot = \"bios\"");
    let said = stage.run(&["--dry-run", "--seed", "7", "--rounds", "2", "--image-tool", "/nonexistent"]);
    said.expect_exit(0);
    let lines: Vec<&str> = said.out.lines().collect();
    let qemu = stage.path("qemu");
    let commands = lines.iter().filter(|line| line.starts_with(qemu.to_str().unwrap()));
    assert_eq!(commands.count(), 3, "one for each case:\n{}", said.out);
    for case in ["-smp 1,", "-smp 2,", "-smp 4,"] {
        assert!(said.out.contains(case), "{}", said.out);
    }
    let order = lines.iter().find_map(|line| line.strip_prefix("# 1:")).unwrap();
    assert_eq!(order.split(' ').count(), 6, "{order}");
    assert!(!stage.path("out").exists() && !stage.path("qemu.was-run").exists());
}

#[test]
fn the_same_seed_gives_the_same_order() {
    let stage = Stage::with_qemu(DIES);
    assert_eq!(order(&stage, "7"), order(&stage, "7"));
    assert_ne!(order(&stage, "7"), order(&stage, "8"));
}

#[test]
fn states_the_time_that_bounds_the_session() {
    let stage = Stage::with_qemu(DIES);
    let said = stage.run(&["--dry-run", "--patience", "1h30m"]);
    said.expect_exit(0).expect_answer(&["for at most 1h 30m and the round that is under way then"]);
    for (time, message) in
        [("20", "time unit needed"), ("0s", "expected a time of 1s to 24h"), ("25h", "1s to 24h")]
    {
        stage.run(&["--dry-run", "--patience", time]).expect_exit(2).expect_message(&[message]);
    }
}

/// The order of the first round with this seed.
fn order(stage: &Stage, seed: &str) -> String {
    let said = stage.run(&["--dry-run", "--seed", seed]);
    said.out.lines().find(|line| line.starts_with("# 1:")).unwrap().to_owned()
}
