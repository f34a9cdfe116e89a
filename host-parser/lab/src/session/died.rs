//! Diagnosis of a guest that died.

use host::CancelToken;
use qemu::{CpuState, VmmKind};

use super::{Part, Session};
use crate::diagnosis::{self, Died};
use crate::progress_line::ProgressLine;

impl Session {
    /// Finds out why the guest of the last run died, if it did. Only for the first such run of a session: a second guest
    /// takes as long as the first, and what is broken stays broken.
    pub(super) fn diagnose(
        &mut self,
        part: Part,
        last_cpus: &[CpuState],
        progress: &ProgressLine,
        cancel: &CancelToken,
    ) {
        let Some((record, before)) = self.runs.split_last_mut() else { return };
        let Some(symbols) = self.spec.symbols.as_deref() else { return };
        let Some((env, image)) = self.spec.rows[part.row].guest(part.case) else { return };
        let tried = before.iter().any(diagnosis::is_due);
        if tried || cancel.is_cancelled() || !diagnosis::is_due(record) {
            return;
        }
        if env.vmm.kind != VmmKind::Qemu {
            let title = env.vmm.kind.title();
            progress
                .note(&format!("the guest died; {title} cannot trace it: try `--vmm qemu` for a diagnosis"));
            return;
        }
        progress.note("the guest died; running it once more under TCG, traced, to see why");
        let died = Died { env, manifest: &self.spec.manifest, image, record, last_cpus };
        match diagnosis::diagnose(&died, symbols, cancel) {
            Ok(_) if cancel.is_cancelled() => {}
            Ok(diagnosis) => {
                progress.note(&format!("diagnosis: {}", diagnosis.summary));
                record.diagnosis = Some(Box::new(diagnosis));
            }
            // The run stands as it is.
            Err(error) => progress.note(&format!("no diagnosis: {error}")),
        }
    }
}
