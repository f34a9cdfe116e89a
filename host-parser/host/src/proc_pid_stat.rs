//! /proc/PID/stat: one task, proc_pid_stat(5).

/// The fields that this crate uses.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PidStat {
    /// The name; control characters are shown as `?`.
    pub name: String,
    /// The start time, in ticks since the host booted.
    pub start: u64,
    /// User and system time, in ticks.
    pub ticks: u64,
    /// The CPU on which it ran last.
    pub cpu: Option<usize>,
    /// The scheduling policy's number, sched(7).
    pub policy: Option<u64>,
}

/// Reads fields 2, 14 and 15, 22, 39 and 41. `None` if one of the first four is missing.
pub fn parse(stat: &str) -> Option<PidStat> {
    // The name is in parentheses, and can contain spaces and parentheses.
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    Some(PidStat {
        name: name.chars().map(|c| if c.is_control() { '?' } else { c }).collect(),
        start: field(&fields, 22)?,
        ticks: field(&fields, 14)?.saturating_add(field(&fields, 15)?),
        cpu: field(&fields, 39).and_then(|cpu| usize::try_from(cpu).ok()),
        policy: field(&fields, 41),
    })
}

/// A field by the manual's number. Field 3 is the first after the name.
fn field(fields: &[&str], number: usize) -> Option<u64> {
    fields.get(number - 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_after_a_name_with_parentheses() {
        let fields: Vec<String> = (4..=41).map(|number: u32| number.to_string()).collect();
        let stat = parse(&format!("7 (a ) b) S {}", fields.join(" "))).unwrap();
        assert_eq!((stat.name.as_str(), stat.start, stat.ticks), ("a ) b", 22, 14 + 15));
        assert_eq!((stat.cpu, stat.policy), (Some(39), Some(41)));
    }

    #[test]
    fn refuses_a_stat_that_is_cut_short() {
        for stat in ["", "7 (a", "8 (b) R 1"] {
            assert_eq!(parse(stat), None, "{stat}");
        }
    }
}
