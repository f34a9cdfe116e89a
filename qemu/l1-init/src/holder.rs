//! A guest that never runs, and is there as long as the job.
//!
//! KVM counts its users in static keys: the first guest to start and the last one to end rewrite instructions of L1's
//! kernel. With several translator threads, QEMU now and then goes on running the breakpoint that stands there in the
//! meantime, and L1 hangs for ever (seen in QEMU 7.2: 3 of some 400 boots; with a guest held, none of 164). So no guest
//! of the job is the first or the last.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long the guest may take to get its CPU.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(100);

/// The held guest. Dropping it ends it.
pub struct Holder(Child);

/// Starts the guest, and waits until it has its CPU; `None` if the job has none.
///
/// # Errors
/// It could not be started, or has no CPU in time.
pub fn start(words: &[String]) -> Result<Option<Holder>, String> {
    let [program, arguments @ ..] = words else { return Ok(None) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    let child = command.spawn().map_err(|error| format!("{program}: {error}"))?;
    let (mut holder, begin) = (Holder(child), Instant::now());
    while !has_vcpu(holder.0.id()) {
        if let Ok(Some(status)) = holder.0.try_wait() {
            return Err(format!("KVM cannot hold a guest: {program} ended, {status}"));
        }
        if begin.elapsed() > PATIENCE {
            return Err(format!("KVM cannot hold a guest: none within {PATIENCE:?}"));
        }
        thread::sleep(POLL);
    }
    Ok(Some(holder))
}

/// Whether the process has one of KVM's virtual CPUs open.
fn has_vcpu(pid: u32) -> bool {
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|file| {
        fs::read_link(file.path()).is_ok_and(|to| to.to_string_lossy().starts_with("anon_inode:kvm-vcpu"))
    })
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
