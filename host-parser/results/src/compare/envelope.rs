//! What a run was given to do, and where: all that has to be the same before two systems' figures may be divided.

use super::options::Options;
use super::reason::NotComparable;
use crate::{RunRecord, System};
use evidence::gate::{MachineReport, Measurement};

/// A run's work and its surroundings, item by item, each as words that stand for themselves; `None` is not known.
pub(super) type Envelope = Vec<(NotComparable, Option<Vec<String>>)>;

/// The options of a VMM that have an item of their own.
type Named = &'static [(NotComparable, &'static str)];

/// QEMU's.
const QEMU: Named = &[
    (NotComparable::Accelerator, "-accel"),
    (NotComparable::CpuModel, "-cpu"),
    (NotComparable::Vcpus, "-smp"),
    (NotComparable::Memory, "-m"),
];

/// Firecracker's. It has one accelerator and one CPU model, and no options for them.
const FIRECRACKER: Named = &[
    (NotComparable::Vcpus, "machine-config.vcpu_count"),
    (NotComparable::Memory, "machine-config.mem_size_mib"),
];

/// Cloud Hypervisor's, likewise.
const CLOUD_HYPERVISOR: Named = &[(NotComparable::Vcpus, "--cpus"), (NotComparable::Memory, "--memory")];

/// What the VMMs without these options always have.
const FIXED: [(NotComparable, &str); 2] =
    [(NotComparable::Accelerator, "kvm"), (NotComparable::CpuModel, "the host's")];

/// The envelope of a run that passed. A native run has no QEMU, and so none of its items.
pub(super) fn envelope(run: &RunRecord, measured: &Measurement) -> Envelope {
    let mut items = work(measured);
    items.push((NotComparable::HostCpus, run.made.host_cpus.clone().map(one)));
    if run.system != System::Native {
        items.extend(machine(run));
        seen(&mut items, measured);
    }
    items
}

/// Adds what the guest itself saw of its CPUs: a command says what the VMM was asked for, not what came of it.
fn seen(items: &mut Envelope, measured: &Measurement) {
    let machine = measured.machine();
    let MachineReport { vendor, signature, brand, hypervisor, .. } = machine;
    let model = vec![
        format!("\"{vendor}\""),
        format!("\"{signature}\""),
        format!("\"{brand}\""),
        format!("\"{hypervisor}\""),
    ];
    let online = vec![format!("{} online", machine.cpus_online)];
    for (item, said) in [(NotComparable::CpuModel, model), (NotComparable::Vcpus, online)] {
        let known = items.iter_mut().filter(|(of, _)| *of == item).filter_map(|(_, value)| value.as_mut());
        known.for_each(|value| value.extend_from_slice(&said));
    }
}

/// What the log says that the workers had to do.
fn work(measured: &Measurement) -> Envelope {
    let identity = measured.identity();
    let whole = identity.whole.map(|param| param.to_string()).join(" ");
    let known = [
        (NotComparable::Blob, identity.blob_sha256.to_string()),
        (NotComparable::Parameters, format!("{} {whole}", identity.workload)),
        (NotComparable::Authority, identity.authority.to_string()),
        (NotComparable::Plan, identity.work.to_string()),
        (NotComparable::Iterations, measured.samples().len().to_string()),
    ];
    known.map(|(item, value)| (item, Some(one(value)))).to_vec()
}

fn one(value: String) -> Vec<String> {
    vec![value]
}

/// What the VMM's command says of the machine.
fn machine(run: &RunRecord) -> Envelope {
    let options = Options::of_run(run);
    let named = options.as_ref().map_or(QEMU, dialect);
    let value = |name| Some(one(options.as_ref()?.value(name)?.to_owned()));
    let mut items: Envelope = named.iter().map(|&(item, name)| (item, value(name))).collect();
    let fixed = FIXED.into_iter().filter(|(item, _)| named.iter().all(|(of, _)| of != item));
    items.extend(fixed.map(|(item, value)| (item, Some(one(value.to_owned())))));
    let names: Vec<&str> = named.iter().map(|(_, name)| *name).collect();
    let rest = options.as_ref().map(|options| {
        let mut rest = vec![options.program.to_owned()];
        rest.extend(options.rest(&names));
        rest
    });
    items.push((NotComparable::Qemu, rest));
    items
}

/// Which VMM's options these are.
fn dialect(options: &Options<'_>) -> Named {
    [FIRECRACKER, CLOUD_HYPERVISOR]
        .into_iter()
        .find(|named| named.iter().all(|(_, name)| options.value(name).is_some()))
        .unwrap_or(QEMU)
}
