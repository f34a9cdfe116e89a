//! What is done about a guest that died.

use host::CancelToken;
use host_parser::results::RunRecord;
use qemu::CpuState;

use super::Session;
use crate::diagnosis::{self, Died};
use crate::progress_line::ProgressLine;
use crate::run::RunKey;

impl Session {
    /// Says why the guest of the last run died, if it did; of the first such run only, since a second guest takes as
    /// long as the first did, and what is broken stays broken.
    pub(super) fn diagnose(
        &self,
        runs: &mut [RunRecord],
        task: RunKey,
        last_cpus: &[CpuState],
        progress: &ProgressLine,
        cancel: &CancelToken,
    ) {
        let Some((record, before)) = runs.split_last_mut() else { return };
        let Some(symbols) = self.symbols.as_deref() else { return };
        let Some((lab, image)) = self.systems.guest(task) else { return };
        let tried = before.iter().any(diagnosis::is_due);
        if tried || cancel.is_cancelled() || !diagnosis::is_due(record) {
            return;
        }
        progress.note("the guest died; running it once more under TCG, traced, to see why");
        let died = Died { lab, manifest: &self.manifest, image, record, last_cpus };
        match diagnosis::diagnose(&died, symbols, cancel) {
            Ok(_) if cancel.is_cancelled() => {}
            Ok(diagnosis) => {
                progress.note(&format!("diagnosis: {}", diagnosis.summary));
                record.diagnosis = Some(diagnosis);
            }
            // The run stands as it is.
            Err(error) => progress.note(&format!("no diagnosis: {error}")),
        }
    }
}
