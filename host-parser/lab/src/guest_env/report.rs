//! The environment as the results store it.

use abi::Digest;
use experiment::manifest::Manifest;
use host::{HostCpus, HostIdentity, Root};
use qemu::{Accelerator, VmmKind};
use results::{Accelerator as AcceleratorReport, Artifact, Environment, Host, OtherVmm, Pinning, Program};

use super::GuestEnv;

impl GuestEnv {
    /// The environment as the results store it; `artifacts` are the files that decide the runs' results.
    pub fn environment(&self, manifest: &Manifest, artifacts: Vec<Artifact>) -> Environment {
        let emulated = self.accelerator.accelerator == Accelerator::Tcg;
        let profile = manifest.machine();
        let (path, version) = (self.vmm.path.display().to_string(), self.vmm.banner.clone());
        let (qemu, vmm, machine, cpu_model) = if self.vmm.kind == VmmKind::Qemu {
            let machine = profile.machine_type.name().to_owned();
            let default = qemu::default_cpu_model(self.accelerator.accelerator);
            let cpu_model = self.cpu_model.clone().unwrap_or_else(|| default.to_owned());
            (Some(Program { path, version }), None, Some(machine), cpu_model)
        } else {
            let name = self.vmm.kind.word().to_owned();
            let lacks = self.vmm.kind.lacks().to_owned();
            let vmm = OtherVmm { name, path, version, lacks };
            (None, Some(vmm), None, format!("the host's, by {}", self.vmm.kind))
        };
        Environment {
            accelerator: Some(AcceleratorReport {
                name: self.accelerator.accelerator.to_string(),
                emulated,
                why: self.accelerator.reason.clone(),
            }),
            qemu,
            vmm,
            machine,
            cpu_model: Some(cpu_model),
            qemu_args: self.qemu_args.clone(),
            firmware: Some(self.boot_word().to_owned()),
            memory_mib: Some(u64::from(profile.memory_mib)),
            host: Some(host_report()),
            pinning: pinning(&self.host_cpus),
            artifacts,
        }
    }
}

/// The identity of this host, for the results.
fn host_report() -> Host {
    let HostIdentity { system, cpu, cpus_online, load } = HostIdentity::read(&Root::here());
    Host { system, cpu, cpus_online, load }
}

/// The CPUs that guests are pinned to, for the results; `None` without pinning.
fn pinning(cpus: &HostCpus) -> Option<Pinning> {
    let set = cpus.set.as_ref()?;
    let (host_cpus, asked_by) = (set.to_string(), cpus.asked_by().to_owned());
    Some(Pinning { host_cpus, asked_by, cores: cpus.cores() })
}

/// A file's name, digest and size, for the results.
pub fn artifact(name: &str, bytes: &[u8]) -> Artifact {
    Artifact { name: name.to_owned(), sha256: Digest::of(bytes).to_string(), bytes: bytes.len() as u64 }
}
