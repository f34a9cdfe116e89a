//! Saving a machine to a file and loading it, by QEMU's migration. Reference: "Migration", docs/devel/migration in QEMU's
//! sources.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::QemuError;
use crate::command::{absolute, exec_uri};
use crate::conversation::Conversation;
use crate::guest_process::{GuestProcess, Stop};

/// How often QEMU is asked whether it is done: it has no event for it unless that is switched on, and the event is late.
const LOOK_EVERY: Duration = Duration::from_millis(1);

impl GuestProcess<'_, Conversation> {
    /// Waits until the machine is loaded. It is stopped then, as it was when it was saved.
    pub(super) fn load(&mut self) -> Result<(), Stop> {
        loop {
            let status = self.ask("query-status")?;
            match status.get("status").and_then(Value::as_str) {
                Some("inmigrate") => self.wait_at_most(LOOK_EVERY)?,
                Some("paused" | "prelaunch" | "postmigrate") => break,
                status => return Err(failed("loading the machine", format!("its state is {status:?}"))),
            }
        }
        self.is_loaded();
        self.examine()
    }

    /// Stops the machine and saves it.
    pub(super) fn save(&mut self, to: &Path) -> Result<(), Stop> {
        self.begin_to_save();
        self.ask("stop")?;
        self.control.stopped = false;
        self.examine()?;
        // The default, 128 MiB/s, is a bandwidth of networks. 0 is none.
        self.ask_with("migrate-set-parameters", &json!({ "max-bandwidth": 0 }))?;
        self.saves();
        self.ask_with("migrate", &json!({ "uri": exec_uri("cat > ", to) }))?;
        loop {
            let state = self.ask("query-migrate")?;
            match state.get("status").and_then(Value::as_str) {
                Some("completed") => break,
                Some("failed" | "cancelled") => {
                    let detail =
                        state.get("error-desc").and_then(Value::as_str).unwrap_or("it gave no reason");
                    return Err(failed("saving the machine", detail.to_owned()));
                }
                _ => self.wait_at_most(LOOK_EVERY)?,
            }
        }
        self.is_saved();
        Ok(())
    }

    /// Keeps what a stopped machine's CPUs and memory are, if that is wanted.
    fn examine(&mut self) -> Result<(), Stop> {
        let Some(dump) = &self.spec.machine.memory_dump else { return Ok(()) };
        let bytes = u64::from(self.spec.machine.memory_mib) << 20;
        let to = absolute(dump);
        self.ask_with("pmemsave", &json!({ "val": 0, "size": bytes, "filename": to }))?;
        let registers = |line| json!({ "command-line": line });
        for line in ["info registers -a", "info lapic"] {
            let printed = self.ask_with("human-monitor-command", &registers(line))?;
            self.keep_state(printed.as_str().unwrap_or_default());
        }
        Ok(())
    }
}

fn failed(doing: &'static str, detail: String) -> Stop {
    Stop::Failed(QemuError::Qmp { doing, detail })
}
