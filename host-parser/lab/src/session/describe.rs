//! What would be run, and how.

use qemu::VmmKind;
use results::patience_in_words;

use super::{Layout, Session};
use crate::console;
use crate::exit::Coded;

impl Session {
    /// Prints what would be done.
    ///
    /// # Errors
    /// A machine that the VMM cannot build, or text that cannot be printed.
    pub fn describe(&self) -> Result<(), Coded> {
        let order: Vec<String> = self
            .rounds
            .undisturbed()
            .iter()
            .map(|slot| {
                format!("{}:{}:{}", slot.round + 1, self.spec.rows[slot.item.row].name, slot.item.case)
            })
            .collect();
        let mut text = format!("# {}\n", self.how());
        text += &format!("# results would be in {}\n", self.folder().display());
        let seed = self.spec.seed;
        text += &format!("# order, as ROUND:SYSTEM:CPUS, by --seed {seed}\n# {}\n", order.join(" "));
        for row in &self.spec.rows {
            for &case in &self.spec.cases {
                let run = row.describe(&self.spec.manifest, case)?;
                text += &format!("# {}, case {case}, {run}\n", row.name);
            }
        }
        console::answer(&text)
    }

    pub(super) fn announce(&self) {
        console::note(&self.how());
        console::note(&format!("results: {}", self.folder().display()));
    }

    /// What is run, and how, in a line.
    fn how(&self) -> String {
        let (command, runs, env) = (&self.spec.command, self.rounds.undisturbed().len(), &self.spec.env);
        let of = match self.spec.layout {
            Layout::Together => String::new(),
            Layout::Apart => format!(" of {} rows in {} rounds", self.spec.rows.len(), self.spec.rounds),
        };
        let (choice, cpus) = (&env.accelerator, env.host_cpus.describe());
        let vmm = match env.vmm.kind {
            VmmKind::Qemu => String::new(),
            other => format!("{} {}, ", other.title(), env.vmm.version),
        };
        let patience = self.spec.patience.map_or(String::new(), |patience| {
            format!(", for at most {} and the round that is under way then", patience_in_words(patience))
        });
        let (accelerator, reason) = (&choice.accelerator, &choice.reason);
        format!("{command}: {runs} runs{of} under {vmm}{accelerator} ({reason}), {cpus}{patience}")
    }
}
