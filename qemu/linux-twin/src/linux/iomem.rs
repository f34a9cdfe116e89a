//! /proc/iomem: the memory map as firmware gave it. Only root sees its addresses.

/// Usable memory.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Usable {
    /// Bytes.
    pub bytes: u64,
    /// Regions.
    pub regions: u32,
}

/// The memory that the file calls `System RAM`; `None` if the addresses are hidden.
#[must_use]
pub fn usable(iomem: &str) -> Option<Usable> {
    // Only the outermost ranges: nested ones are indented.
    let outer = iomem.lines().filter(|line| !line.starts_with(' '));
    let ranges = outer.filter_map(|line| line.strip_suffix(" : System RAM")?.split_once('-'));
    let mut usable = Usable::default();
    for (first, last) in ranges {
        let parse = |text| u64::from_str_radix(text, 16).ok();
        usable.bytes += parse(last)?.checked_sub(parse(first)?)?.checked_add(1)?;
        usable.regions += 1;
    }
    Some(usable).filter(|usable| usable.bytes > u64::from(usable.regions))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_system_ram() {
        let iomem = "00000000-00000fff : Reserved\n00001000-0009fbff : System RAM\n\
                     00100000-07fdffff : System RAM\n  01000000-01e01f7f : Kernel code\n";
        assert_eq!(usable(iomem), Some(Usable { bytes: 0x9_ec00 + 0x7ee_0000, regions: 2 }));
    }

    #[test]
    fn recognises_hidden_addresses() {
        assert_eq!(usable("00000000-00000000 : System RAM\n00000000-00000000 : System RAM\n"), None);
        assert_eq!(usable(""), None);
    }
}
