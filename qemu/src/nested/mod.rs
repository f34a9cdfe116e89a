//! An L1 guest: a Linux guest that is itself a host with KVM, for machines without one.
//!
//! QEMU's translator emulates AMD's SVM with nested paging, and Linux's `kvm_amd` runs guests (L2) on that, real code on
//! an emulated CPU. It shows function, not speed: an exit to QEMU costs 20 to 50 times what it does on a real CPU.
//!
//! L1 is the distribution's cloud kernel, its KVM modules, and one initramfs with the programs and files of a [`Tree`],
//! at the paths that they have here. No disk, no shared folder, no root is needed. Its first process is `assay-l1-init`.
//!
//! Three measures make it reliable. `tsc=reliable` keeps L1 on the TSC, which the translator does not call invariant.
//! One guest is held stopped for the whole time (the init says why). And three CPUs: the work of the host's tool goes to
//! the first while guests are pinned to the others.

mod closure;
mod error;
pub(crate) mod kernel;
mod l1;
mod tree;
mod watch;

pub use error::NestedError;
pub use kernel::HostKernel;
pub use l1::{L1, L1Spec};
pub use tree::Tree;
pub use watch::L1End;

use std::path::Path;

/// Adds QEMU to `tree`, with its libraries, its accelerators and the firmware of its BIOS.
///
/// # Errors
/// A file of it cannot be found or read.
pub fn add_qemu(tree: &mut Tree, qemu: &Path) -> Result<(), NestedError> {
    closure::add_qemu(tree, qemu)
}
