use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;

use super::*;

/// A file system with one folder for all, and variables.
struct World {
    root: tempfile::TempDir,
    variables: RefCell<HashMap<&'static str, OsString>>,
}

impl World {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), variables: RefCell::default() }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn put(&self, path: &str) -> &Self {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        self
    }

    fn set(&self, variable: &'static str, path: &str) -> &Self {
        self.variables.borrow_mut().insert(variable, self.at(path).into_os_string());
        self
    }

    fn decide(&self, program: &str, current: &str) -> Places {
        // The defaults of XDG_DATA_DIRS are this machine's own.
        let none = Some(self.at("none").into_os_string());
        let variable = |name: &str| match self.variables.borrow().get(name) {
            Some(value) => Some(value.clone()),
            None => none.clone().filter(|_| name == "XDG_DATA_DIRS"),
        };
        Places::decide(&self.at(program), &self.at(current), variable)
    }
}

#[test]
fn a_program_of_a_checkout_finds_its_files_from_any_folder() {
    let world = World::new();
    world.put("src/manifests/x.toml").put("src/target/kernel/assay-kernel").put("other/file");
    for program in ["src/target/release/assay", "src/target/x86_64-unknown-linux-gnu/release/assay"] {
        let places = world.decide(program, "other");
        assert_eq!(places.kernel(), world.at("src/target/kernel/assay-kernel"));
        assert_eq!(places.sessions(), world.at("src/target"));
        assert_eq!(places.manifest(Path::new("x")), world.at("src/manifests/x.toml"));
        assert_eq!(places.manifest(Path::new("manifests/x.toml")), world.at("src/manifests/x.toml"));
        assert_eq!(places.manifest(Path::new("y.toml")), Path::new("y.toml"));
    }
    let places = world.decide("src/target/release/assay", "src");
    assert_eq!(places.kernel(), Path::new("target/kernel/assay-kernel"), "paths stay short in the checkout");
}

#[test]
fn a_build_in_the_current_folder_comes_before_the_programs_own_checkout() {
    let world = World::new();
    world.put("a/manifests/x.toml").put("a/target/kernel/assay-kernel").put("b/target/kernel/assay-kernel");
    let places = world.decide("a/target/release/assay", "b");
    assert_eq!(places.kernel(), Path::new("target/kernel/assay-kernel"));
    assert_eq!(places.sessions(), Path::new("target"));
}

#[test]
fn an_installed_program_takes_what_is_beside_it_before_what_is_in_xdg() {
    let world = World::new();
    world.put("usr/lib/assay/assay-kernel").put("home/.local/share/assay/assay-kernel").set("HOME", "home");
    // A build in the current folder is another's: its files are not taken.
    world.put("current/target/kernel/assay-kernel");
    let places = world.decide("usr/bin/assay", "current");
    assert_eq!(places.kernel(), world.at("usr/lib/assay/assay-kernel"));
    assert_eq!(places.workers(), world.at("usr/lib/assay/workers"));
    assert_eq!(places.sessions(), world.at("home/.local/share/assay/sessions"));
    assert_eq!(places.linux(), world.at("home/.cache/assay/linux"));

    let places = world.decide("elsewhere/bin/assay", "current");
    assert_eq!(places.kernel(), world.at("home/.local/share/assay/assay-kernel"));
    world.set("XDG_DATA_HOME", "data").set("XDG_DATA_DIRS", "shared").put("shared/assay/assay-kernel");
    let places = world.decide("elsewhere/bin/assay", "current");
    assert_eq!(places.kernel(), world.at("shared/assay/assay-kernel"));
    assert_eq!(places.sessions(), world.at("data/assay/sessions"));
}

#[test]
fn a_program_that_belongs_to_nothing_works_in_a_checkout() {
    let world = World::new();
    world.set("HOME", "home").put("src/manifests/x.toml");
    let places = world.decide("bin/assay", "src");
    assert_eq!(places.kernel(), Path::new("target/kernel/assay-kernel"));
    assert_eq!(places.sessions(), Path::new("target"));
}

#[test]
fn a_folder_named_target_without_manifests_is_no_checkout() {
    let world = World::new();
    world.put("project/target/release/assay").put("shared/assay/assay-kernel").set("XDG_DATA_DIRS", "shared");
    let places = world.decide("project/target/release/assay", "project");
    assert_eq!(places.kernel(), world.at("shared/assay/assay-kernel"));
}

#[test]
fn a_relative_path_in_a_variable_is_ignored() {
    let world = World::new();
    world.variables.borrow_mut().insert("XDG_DATA_HOME", "data".into());
    world.set("HOME", "home").put("usr/lib/assay/assay-kernel");
    let places = world.decide("usr/bin/assay", "");
    assert_eq!(places.sessions(), world.at("home/.local/share/assay/sessions"));
}
