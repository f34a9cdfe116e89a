//! Which machine: a short name by which other tools keep series apart.

use abi::Digest;
use evidence::gate::Measurement;
use results::Results;

/// `m-` and eight digits of a SHA-256 over what decides how fast a machine is and does not change between boots: the guest's
/// CPU, hypervisor, product and number of CPUs, and how and on what host CPU it was run. Equal names are no proof of one
/// host: a guest cannot see it.
#[must_use]
pub fn machine_id(results: &Results) -> String {
    let environment = &results.environment;
    let mut facts: Vec<String> = Vec::new();
    // The largest: in a session each case has a machine of its own.
    let measured = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    if let Some(measured) = measured.max_by_key(|measured| measured.machine().cpus_online) {
        facts.extend(of_guest(measured));
    }
    facts.extend(environment.accelerator.as_ref().map(|of| of.name.clone()));
    facts.extend(environment.machine.clone());
    facts.extend(environment.cpu_model.clone());
    facts.extend(environment.host.as_ref().map(|host| format!("{} {}", host.cpu, host.cpus_online)));
    let digest = Digest::of(facts.join("\n").as_bytes()).to_string();
    format!("m-{}", digest.get(..8).unwrap_or(&digest))
}

fn of_guest(measured: &Measurement) -> Vec<String> {
    let machine = measured.machine();
    let mut facts = vec![
        machine.vendor.to_string(),
        machine.signature.to_string(),
        machine.brand.to_string(),
        machine.hypervisor.to_string(),
        machine.cpus_online.to_string(),
    ];
    if let Some(platform) = &machine.platform {
        let texts = ["system-vendor", "system-product"].into_iter().filter_map(|key| platform.dmi.get(key));
        facts.extend(texts.cloned());
    }
    facts
}
