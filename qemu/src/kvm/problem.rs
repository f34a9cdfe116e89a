//! Why KVM cannot be used, and what to do about it.

use serde::Serialize;

/// Why KVM cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KvmProblem {
    /// There is no /dev/kvm.
    #[error("no /dev/kvm")]
    NoDevice {
        /// The module of the CPU's hardware virtualisation, if the CPU has that.
        module: Option<&'static str>,
    },
    /// This user may not open /dev/kvm.
    #[error("/dev/kvm: permission denied")]
    Denied {
        /// What gives the permission.
        remedy: String,
    },
    /// /dev/kvm does not open, for another reason.
    #[error("/dev/kvm: {error}")]
    Unopenable {
        /// The system's reason.
        error: String,
    },
    /// A KVM without `vmx` or `svm`. One, PVM, was seen to emulate ring 0 a thousand times too slowly, and to return to
    /// ring 3 at the kernel's own instruction.
    #[error(
        "/proc/cpuinfo has neither vmx nor svm: /dev/kvm is in software{}",
        .module.as_ref().map_or_else(String::new, |module| format!(" ({module})"))
    )]
    Software {
        /// Its module, if it has one.
        module: Option<String>,
    },
    /// The device opens, and no virtual CPU runs.
    #[error("/dev/kvm opens, but a virtual CPU does not run: {detail}")]
    Broken {
        /// What happened to it.
        detail: String,
    },
}

impl KvmProblem {
    /// What to do, as a full sentence; `None` if nothing is known that helps.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        match self {
            Self::NoDevice { module: Some(module) } => Some(format!(
                "`sudo modprobe {module}`; if that fails, switch virtualisation on in the firmware's set-up."
            )),
            Self::Denied { remedy } => Some(remedy.clone()),
            Self::Broken { .. } => Some(
                "`sudo dmesg | grep -i kvm` has the host's own messages; another --cpu-model may help, or an update of \
                 the host's kernel."
                    .to_owned(),
            ),
            Self::NoDevice { module: None } | Self::Unopenable { .. } | Self::Software { .. } => None,
        }
    }

    /// Whether to report it to a user who expects KVM here: the host has the device, or hardware for it.
    #[must_use]
    pub fn is_unexpected(&self) -> bool {
        !matches!(self, Self::NoDevice { module: None })
    }

    /// The problem and the remedy, in one line.
    #[must_use]
    pub fn with_remedy(&self) -> String {
        self.remedy().map_or_else(|| self.to_string(), |remedy| format!("{self}. {remedy}"))
    }
}
