//! What would be run, and how.

use crate::console;
use crate::exit::Coded;
use crate::run::RunKey;

use super::Session;

impl Session {
    /// Prints what would be done.
    ///
    /// # Errors
    /// A machine that QEMU cannot build, or text that cannot be printed.
    pub fn tell(&self) -> Result<(), Coded> {
        let seed = self.experiment.order_seed.unwrap_or(0);
        let order: Vec<String> = self
            .rounds
            .undisturbed()
            .iter()
            .map(|slot| format!("{}:{}:{}", slot.round + 1, slot.item.system, slot.item.case))
            .collect();
        let mut text = format!("# {}\n", self.how());
        text += &format!("# results would be in {}\n", self.folder.display());
        text += &format!("# order, as ROUND:SYSTEM:CPUS, by --seed {seed}\n# {}\n", order.join(" "));
        for &task in &self.tasks {
            let RunKey { system, case } = task;
            text += &format!("# {system}, case {case}, {}\n", self.systems.tell(&self.manifest, task)?);
        }
        console::answer(&text)
    }

    pub(super) fn announce(&self) {
        console::note(&self.how());
        console::note(&format!("results: {}", self.folder.display()));
    }

    /// What is run, and how, in a line.
    fn how(&self) -> String {
        let choice = &self.lab.accelerator;
        let (name, runs, cpus) = (&self.experiment.name, self.planned(&[]), self.lab.host_cpus.describe());
        format!("{name}: {runs} runs under {} ({}), {cpus}", choice.accelerator, choice.reason)
    }
}
