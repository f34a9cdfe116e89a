//! The template of a disclosure file, with what the log already shows.

use std::fmt::Write as _;

use super::file::KEYS;
use evidence::gate::{MachineReport, Measurement, Platform};

/// A disclosure file to be filled in. It holds what the log of `measured` shows; empty values are missing.
#[must_use]
pub fn template(measured: Option<&Measurement>) -> String {
    let mut text =
        "# What a result needs beside its log before it can be published. Fill in what is empty, then:\n\
                    #   assay parse LOG --disclose THIS-FILE\n"
            .to_owned();
    let machine = measured.map(Measurement::machine);
    if let Some(machine) = machine {
        text += "#\n# The log itself says:\n";
        for line in facts(machine) {
            let _ = writeln!(text, "#   {line}");
        }
    }
    let platform = machine.and_then(|machine| machine.platform.as_ref());
    for key in KEYS {
        let optional = if key.required { "" } else { " (optional)" };
        let known = match key.name {
            "provider" => platform.and_then(provider).unwrap_or_default().to_owned(),
            "instance-type" => platform.and_then(instance_type).unwrap_or_default(),
            "firmware" => machine.map(firmware).unwrap_or_default(),
            _ => String::new(),
        };
        let _ = writeln!(text, "\n# {}{optional}\n{} = {}", key.meaning, key.name, quoted(&known));
    }
    text
}

/// What the guest reported of its machine, one fact a line.
fn facts(machine: &MachineReport) -> Vec<String> {
    let topology = &machine.topology;
    let shape = match (&topology.source, topology.cores) {
        (Some(source), Some(cores)) => format!("{cores} cores, by {source}"),
        _ => "cores unknown".to_owned(),
    };
    let hypervisor = machine.hypervisor_name();
    let mut lines = vec![
        format!("CPU: {} ({}, signature {})", machine.brand, machine.vendor, machine.signature),
        format!("CPUs: {} online, {shape}", machine.cpus_online),
        format!("hypervisor: {hypervisor}"),
        format!("booted by: {}", machine.firmware),
    ];
    if let Some(platform) = &machine.platform {
        lines.push(format!("microcode: {}", platform.record.microcode));
        lines.extend(platform.dmi.iter().map(|(field, text)| format!("{field}: {text}")));
    }
    lines
}

/// The chassis asset tag of every virtual machine on Azure (Microsoft, "Detect Azure virtual machines").
const AZURE_ASSET_TAG: &str = "7783-7084-3265-9085-8269-3286-77";

/// The provider, by what its firmware says.
fn provider(platform: &Platform) -> Option<&'static str> {
    let is = |field: &str, text: &str| platform.dmi.get(field).is_some_and(|found| found.starts_with(text));
    match () {
        () if is("system-vendor", "Amazon EC2") => Some("ec2"),
        () if is("system-product", "Google Compute Engine") => Some("gce"),
        () if is("chassis-asset-tag", AZURE_ASSET_TAG) => Some("azure"),
        () => None,
    }
}

/// EC2 puts the type into the product's name; others keep it to themselves.
fn instance_type(platform: &Platform) -> Option<String> {
    let product = platform.dmi.get("system-product").filter(|_| provider(platform) == Some("ec2"))?;
    product.contains('.').then(|| product.clone())
}

fn firmware(machine: &MachineReport) -> String {
    let dmi = machine.platform.as_ref().map(|platform| &platform.dmi);
    let text = |field: &str| dmi.and_then(|dmi| dmi.get(field)).map(String::as_str);
    let parts = [Some(machine.firmware.word()), text("bios-vendor"), text("bios-version")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// As a TOML string. What comes from a log is printable ASCII.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
