//! The same tests in an L1 guest, on a host without KVM that has the programs.

use std::path::Path;
use std::time::Duration;

use host::CancelToken;
use lab::nested;
use qemu::nested::{L1End, L1Spec};
use qemu::{AcceleratorChoice, Vmm, VmmKind};

use crate::assay::workspace;

/// The longest time for all tests. On a quiet machine of two cores they take a third of it.
const DEADLINE: Duration = Duration::from_secs(560);

#[test]
#[ignore = "needs Firecracker or Cloud Hypervisor, and a built kernel: make test-vmm"]
fn a_host_without_kvm_runs_them_in_a_guest_that_has_it() {
    let others = VmmKind::ALL.into_iter().filter(|&kind| kind != VmmKind::Qemu);
    let found: Vec<(VmmKind, Vmm)> = others.filter_map(|kind| Some((kind, given(kind)?))).collect();
    let Some(&(first, _)) = found.first() else { return };
    let Err(no_kvm) = AcceleratorChoice::check_kvm(first) else { return };
    eprintln!("in an L1 guest: {no_kvm}");
    let root = workspace();
    let own = std::env::current_exe().unwrap();
    let mut tree = nested::products(&root).unwrap();
    tree.add_program(&own).unwrap();
    // The tests call the command at the place of their own build.
    tree.add_at(Path::new(env!("CARGO_BIN_EXE_assay")), &root.join("target/release/assay"));
    let mut variables = Vec::new();
    for (kind, vmm) in &found {
        tree.add_program(&vmm.path).unwrap();
        variables.push((kind.variable().to_owned(), vmm.path.display().to_string()));
    }
    let l1 = nested::l1(&root, None, tree).unwrap();
    let program = ["--include-ignored", "--test-threads=1", "--nocapture"].map(str::to_owned);
    let spec = L1Spec {
        program: [own.to_str().unwrap().to_owned()].into_iter().chain(program).collect(),
        folder: &root,
        variables,
        deadline: DEADLINE,
        initramfs: &root.join(format!("target/l1-{}.cpio", std::process::id())),
    };
    let cancel = CancelToken::new().unwrap();
    let (mut on_line, mut on_break) =
        (|line: &str| eprintln!("  {line}"), |why: &str| eprintln!("L1 broke: {why}; starting it once more"));
    let end = l1.run_with_retry(&spec, &cancel, &mut on_line, &mut on_break).unwrap();
    assert_eq!(end, L1End::Ended(0));
}

/// The program of this VMM, by its variable or in PATH.
fn given(kind: VmmKind) -> Option<Vmm> {
    let named = std::env::var_os(kind.variable()).filter(|path| !path.is_empty());
    Vmm::find(kind, named.as_deref().map(Path::new))
        .inspect_err(|error| eprintln!("SKIPPED {kind}: {error}"))
        .ok()
}
