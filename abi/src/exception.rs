//! The names of the x86 exceptions, for records and diagnoses (Intel SDM vol. 3A, table "Protected-Mode Exceptions
//! and Interrupts").

const MNEMONICS: [&str; 32] = [
    "DE", "DB", "NMI", "BP", "OF", "BR", "UD", "NM", "DF", "9", "TS", "NP", "SS", "GP", "PF", "15", "MF",
    "AC", "MC", "XM", "VE", "CP", "22", "23", "24", "25", "26", "27", "HV", "VC", "SX", "31",
];

/// The mnemonic of an exception without its `#`; `other` for a vector that is not an exception.
#[must_use]
pub fn mnemonic(vector: u64) -> &'static str {
    usize::try_from(vector).ok().and_then(|vector| MNEMONICS.get(vector)).copied().unwrap_or("other")
}
