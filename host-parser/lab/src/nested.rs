//! What an L1 guest needs of this project: the products of the build, at the paths that they have here.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use anyhow::anyhow;
use qemu::Qemu;
use qemu::nested::{HostKernel, L1, NestedError, Tree};

use crate::exit::{Coded, Exit, OrExit};

/// Where `make l1-init` leaves the first process of an L1 guest.
pub const L1_INIT: &str = "target/x86_64-unknown-linux-gnu/release/assay-l1-init";
/// The folder that keeps the distribution's kernel.
const STORE: &str = "target/linux";
/// Programs of the host's that this project calls, if they are there: they pin, and they end QEMU with its parent.
const TOOLS: [&str; 3] = ["/usr/bin/setpriv", "/usr/bin/taskset", "/usr/bin/true"];
/// Folders of programs that a build made: the tool, the workers, the image tool, the twin.
const PROGRAMS: [&str; 2] = ["target/release", "target/x86_64-unknown-linux-gnu/release"];
/// Folders that are taken whole.
const WHOLE: [&str; 4] = ["target/kernel", "target/linux", "manifests", "host-parser/tests/manifests"];

/// The files that the tool needs to run an experiment, below `root`, the folder of the source. What is not built is not
/// there.
///
/// # Errors
/// A file cannot be read, or a program lacks a library.
pub fn products(root: &Path) -> Result<Tree, NestedError> {
    let mut tree = Tree::default();
    for folder in PROGRAMS.map(|folder| root.join(folder)) {
        for path in fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
            let is_program =
                path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
            if is_program {
                tree.add_program(&path)?;
            }
        }
    }
    for folder in WHOLE.map(|folder| root.join(folder)).iter().filter(|folder| folder.is_dir()) {
        tree.add_all_of(folder)?;
    }
    for tool in TOOLS.map(Path::new).iter().filter(|tool| tool.is_file()) {
        tree.add_program(tool)?;
    }
    Ok(tree)
}

/// An L1 guest with the files of `tree`, the QEMU that `qemu` names, and the kernel and the init below `root`.
///
/// # Errors
/// QEMU, the kernel or the init is missing.
pub fn l1(root: &Path, qemu: Option<&Path>, tree: Tree) -> Result<L1, Coded> {
    let qemu = Qemu::find(qemu).or_exit(Exit::Environment)?;
    let init = root.join(L1_INIT);
    if !init.is_file() {
        let error = anyhow!("{}: no such file; `make l1-init` builds it", init.display());
        return Err(error).or_exit(Exit::Environment);
    }
    let kernel = HostKernel::find(&root.join(STORE)).or_exit(Exit::Environment)?;
    L1::new(qemu, kernel, &init, tree).or_exit(Exit::Environment)
}
