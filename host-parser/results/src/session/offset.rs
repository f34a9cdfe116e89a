//! What the native probes of two sessions say of the host: how far it was from itself.

use abi::Digest;
use evidence::ledger::{Probe, Probes};
use stats::{HostShift, Thresholds};

use super::StoredSession;
use super::contrast::Differing;

/// How far the host of B was from that of A by native probes. `None` if that is not known: there are too few probes, or they
/// are of different work, or of two hosts.
pub(super) fn host_shift(a: &StoredSession, b: &StoredSession, held_to: Thresholds) -> Option<HostShift> {
    let work = |session: &StoredSession| -> (Digest, [u64; 4], u16) {
        (session.identity.blob_sha256, session.identity.whole, session.probes.cpus)
    };
    if work(a) != work(b) {
        return None;
    }
    let kinds: [fn(&Probe) -> u64; 2] = [|probe| probe.one_ns, |probe| probe.all_ns];
    HostShift::of(&kinds.map(|kind| [times(&a.probes, kind), times(&b.probes, kind)]), held_to)
}

fn times(probes: &Probes, kind: fn(&Probe) -> u64) -> Vec<f64> {
    probes.made.iter().map(|probe| kind(probe) as f64).collect()
}

/// The probes' baselines, if the host was not shown to be alike.
pub(super) fn host_changed(
    a: &StoredSession,
    b: &StoredSession,
    shift: Option<&HostShift>,
) -> Option<Differing> {
    shift.filter(|shift| !shift.alike)?;
    let (of_a, of_b) = (a.probes.baseline()?, b.probes.baseline()?);
    let cpus = a.probes.cpus;
    Some(Differing {
        what: "native probes".to_owned(),
        a: probe_times(of_a, cpus),
        b: probe_times(of_b, cpus),
    })
}

fn probe_times([one, all]: [f64; 2], cpus: u16) -> String {
    format!("{:.1} ms on one CPU, {:.1} on all {cpus}", one / 1e6, all / 1e6)
}
