//! The performance note: the four kinds of evidence that a published figure needs beside it, filled in as far as the log, the
//! session and the disclosure file go. What nothing states is named as missing, with what would state it.
//!
//! First come the host, the boot path and the sizes of what was booted; then memory and CPU, before and after; then the
//! steps of the boot with their times; last, what the result does not prove.

use abi::wire::record::Phase;
use evidence::gate::{MachineReport, Measurement};
use results::{Results, RunRecord};

use super::conditions::bounds;
use super::lines::wrapped;
use super::words;

/// The note as Markdown, in lines of at most 80 columns. Headings are of the third level.
#[must_use]
pub fn note(results: &Results) -> String {
    let first = results.runs.iter().find_map(|run| Some((run, run.verdict.outcome.measurement()?)));
    let parts = [
        ("Host", host(results, first)),
        ("Boot path", boot_path(results, first)),
        ("Sizes", sizes(results, first)),
        ("Memory and CPU, before and after", before_and_after(results, first)),
        ("Boot markers", markers(first)),
        ("What this does not prove", limits(results)),
    ];
    let mut text = String::new();
    for (title, lines) in parts {
        text += &format!("\n### {title}\n\n");
        for line in lines {
            text += &(wrapped(&format!("- {line}"), "").join("\n") + "\n");
        }
    }
    text
}

type First<'r> = Option<(&'r RunRecord, &'r Measurement)>;

fn machine(first: First<'_>) -> Option<&MachineReport> {
    first.map(|(_, measured)| measured.machine())
}

/// What the disclosure file has at a key, or that it is missing.
fn disclosed(results: &Results, what: &str, key: &str) -> String {
    let value = results.publication.as_ref().and_then(|publication| publication.disclosure.get(key));
    match value {
        Some(value) => format!("{what}: `{}`", value.replace('`', "'")),
        None => format!("{what}: NOT STATED (`{key}` of the disclosure file)"),
    }
}

fn host(results: &Results, first: First<'_>) -> Vec<String> {
    let mut lines = vec![
        disclosed(results, "provider", "provider"),
        disclosed(results, "region", "region"),
        disclosed(results, "instance type", "instance-type"),
        disclosed(results, "tenancy", "tenancy"),
        disclosed(results, "one vCPU is a", "vcpu-is"),
        disclosed(results, "day", "date"),
        disclosed(results, "operator", "operator"),
    ];
    let Some(machine) = machine(first) else {
        lines.push("machine: NOT STATED (no run passed)".to_owned());
        return lines;
    };
    lines.push(format!("CPU: {}, signature {}", machine.brand, machine.signature));
    let cores = machine.topology.cores.map_or("an unknown number of".to_owned(), |cores| cores.to_string());
    lines.push(format!("CPUs: {} online, {cores} cores", machine.cpus_online));
    lines.push(format!("hypervisor: {}", machine.hypervisor_name()));
    if let Some(host) = &results.environment.host {
        lines.push(format!("host system: {}", host.system));
    }
    lines
}

fn boot_path(results: &Results, first: First<'_>) -> Vec<String> {
    let mut lines = vec![
        disclosed(results, "firmware, by the operator", "firmware"),
        disclosed(results, "from power-on to the kernel", "boot-path"),
        disclosed(results, "SHA-256 of the image", "image-sha256"),
    ];
    if let Some((run, measured)) = first {
        lines.push(format!("booted by, as the log has it: {}", measured.machine().firmware));
        lines.push(format!(
            "kernel: build ID {}, plan {}",
            measured.identity().build,
            measured.identity().plan
        ));
        if let Some(accelerator) = &results.environment.accelerator {
            lines.push(format!("accelerator: {}", accelerator.name));
        }
        if !run.made.command.is_empty() {
            lines.push(format!("command: `{}`", words::short(&run.made.command.join(" "))));
        }
    }
    lines
}

fn sizes(results: &Results, first: First<'_>) -> Vec<String> {
    let mut lines = vec![disclosed(results, "image, in bytes", "image-bytes")];
    for artifact in &results.environment.artifacts {
        lines.push(format!("{}: {} bytes", artifact.name, artifact.bytes));
    }
    if let Some((run, measured)) = first {
        if let Some(bytes) = run.made.boot.and_then(|boot| boot.image_bytes) {
            lines.push(format!("what was booted: {bytes} bytes"));
        }
        let identity = measured.identity();
        lines.push(format!(
            "program {}: {} bytes, SHA-256 {}",
            identity.workload, identity.blob_bytes, identity.blob_sha256
        ));
    }
    lines
}

fn before_and_after(results: &Results, first: First<'_>) -> Vec<String> {
    let mut lines = vec![
        disclosed(results, "host, before", "host-before"),
        disclosed(results, "host, after", "host-after"),
    ];
    if let Some(load) = results.environment.host.as_ref().and_then(|host| host.load) {
        lines.push(format!("load of the host before the first run: {load:.2}"));
    }
    if let Some((run, measured)) = first {
        let machine = measured.machine();
        lines.push(format!(
            "memory: {} KiB usable at the start, {} KiB of them the kernel's heap",
            machine.usable_bytes >> 10,
            machine.heap_bytes >> 10
        ));
        if let Some(peak) = run.made.boot.and_then(|boot| boot.peak_rss_bytes) {
            lines.push(format!("memory of the VMM: {} KiB at most", peak >> 10));
        }
        let paces = |of: fn(&evidence::gate::WorkerSample) -> u32| {
            let workers = measured.samples().iter().flat_map(|sample| &sample.workers).map(of);
            let (least, most) = workers.fold((u32::MAX, 0), |(least, most), n| (least.min(n), most.max(n)));
            format!("{least} to {most}")
        };
        lines.push(format!(
            "pace of the workers' CPUs, readings of the TSC in half a millisecond: {} before, {} after",
            paces(|worker| worker.reads_before),
            paces(|worker| worker.reads_after)
        ));
        let note = measured.platform().and_then(|platform| platform.note);
        if let Some(steal_ns) = note.and_then(|note| note.steal_ns) {
            lines.push(format!("taken by the hypervisor while the platform was measured: {steal_ns} ns"));
        }
    }
    lines
}

fn markers(first: First<'_>) -> Vec<String> {
    let Some((run, measured)) = first else { return vec!["NOT STATED (no run passed)".to_owned()] };
    let Some(khz) = measured.clock().tsc.as_ref().map(|tsc| tsc.khz.max(1)) else {
        return vec!["NOT STATED (the log has no frequency of the TSC)".to_owned()];
    };
    let mut since = 0_u64;
    let mut lines = Vec::new();
    for Phase { name, cycles } in measured.phases() {
        since = since.saturating_add(*cycles);
        let us = |cycles: u64| u128::from(cycles) * 1000 / u128::from(khz);
        lines.push(format!(
            "{name}: {} us, at {} us after the kernel's first instruction",
            us(*cycles),
            us(since)
        ));
    }
    let boot = run.made.boot.unwrap_or_default();
    let by_host = [
        ("the first byte on the serial port", boot.first_serial_us),
        ("the first `case-ready`", boot.first_worker_us),
        ("the `end` record", boot.end_record_us),
    ];
    for (marker, us) in by_host {
        lines.extend(
            us.map(|us| format!("{marker}: {us} us after the start of the VMM, by the host's clock")),
        );
    }
    if lines.is_empty() {
        lines.push("NOT STATED (the log has no `phase` records)".to_owned());
    }
    lines
}

fn limits(results: &Results) -> Vec<String> {
    let open = results.not_known.iter().map(|open| format!("Not known: {open}."));
    bounds(results).into_iter().chain(open).collect()
}
