//! /proc/interrupts: how many interrupts each CPU has taken, of every kind.

/// Lines that count for the machine, not by CPU.
const TOTALS: [&str; 2] = ["ERR", "MIS"];

/// The interrupts of CPU `cpu` so far; `None` if the file does not list that CPU.
#[must_use]
pub fn of_cpu(interrupts: &str, cpu: usize) -> Option<u64> {
    let (header, lines) = interrupts.split_once('\n')?;
    let name = format!("CPU{cpu}");
    let column = header.split_ascii_whitespace().position(|word| word == name)?;
    let counts = lines.lines().filter_map(|line| {
        let (kind, counts) = line.split_once(':')?;
        let count = counts.split_ascii_whitespace().nth(column)?;
        count.parse::<u64>().ok().filter(|_| !TOTALS.contains(&kind.trim()))
    });
    Some(counts.sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "           CPU0       CPU2       \n   4:        400          1   IO-APIC  4-edge  ttyS0\n \
                        NMI:          0          2   Non-maskable interrupts\n \
                        LOC:       1000        30   Local timer\n ERR:          7\n MIS:          9\n";

    #[test]
    fn adds_up_the_column_of_a_cpu() {
        assert_eq!(of_cpu(FILE, 0), Some(1400));
        assert_eq!(of_cpu(FILE, 2), Some(33));
    }

    #[test]
    fn finds_no_cpu_that_is_not_listed() {
        assert_eq!(of_cpu(FILE, 1), None);
        assert_eq!(of_cpu("", 0), None);
    }
}
