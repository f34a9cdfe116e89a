//! What two CPUs have in common: threads of one core, cores of one socket, or neither.

use std::collections::BTreeMap;

use evidence::gate::{CpuPlace, Measurement, SeriesPlace};

/// What two CPUs have in common, as the CPUs report it.
pub(super) struct Relations(BTreeMap<u16, CpuPlace>);

impl Relations {
    /// By what the CPUs of a boot report.
    pub(super) fn of(boot: Option<&Measurement>) -> Self {
        let places = boot.map(|boot| &boot.machine().topology.cpus);
        Self(places.into_iter().flatten().map(|place| (place.cpu, *place)).collect())
    }

    /// A letter for it; empty without another CPU, or if the CPUs do not report it.
    pub(super) fn mark(&self, place: SeriesPlace) -> &'static str {
        let of = |cpu: u16| self.0.get(&cpu);
        let peer = place.peer.and_then(|peer| u16::try_from(peer).ok());
        let Some((one, other)) = of(place.cpu).zip(peer.and_then(of)) else { return "" };
        let same = |number: fn(&CpuPlace) -> Option<u32>| {
            number(one).zip(number(other)).map(|(one, other)| one == other)
        };
        match (same(|cpu| cpu.core), same(|cpu| cpu.package)) {
            (Some(true), _) => "t",
            (_, Some(true)) => "s",
            (_, Some(false)) => "x",
            (_, None) => "",
        }
    }
}

/// What the marks mean, if any of `places` has one.
pub(super) fn legend(mut places: impl Iterator<Item = SeriesPlace>, relations: &Relations) -> Option<String> {
    let has_marks = places.any(|place| !relations.mark(place).is_empty());
    has_marks.then(|| "cpu A>B: t threads of one core, s cores of one socket, x two sockets".to_owned())
}

#[cfg(test)]
mod tests {
    use abi::series::SeriesRow;
    use abi::wire::record::CoreKind;

    use super::*;

    /// Two sockets of one core of two threads, and a CPU that reports nothing.
    fn relations() -> Relations {
        let of = |cpu: u16| {
            let known = (cpu < 4).then_some(u32::from(cpu / 2));
            let kind = CoreKind::Alike;
            CpuPlace { cpu, package: known, die: None, core: known, thread: None, kind, node: None }
        };
        Relations((0..5).map(|cpu| (cpu, of(cpu))).collect())
    }

    #[test]
    fn marks_a_pair_by_what_it_shares() {
        let place = |cpu, peer| SeriesPlace { row: SeriesRow::IpiRt, arg: 0, cpu, peer };
        let mark = |cpu, peer| relations().mark(place(cpu, peer));
        assert_eq!([mark(0, Some(1)), mark(0, Some(2)), mark(0, Some(4)), mark(0, None)], ["t", "x", "", ""]);
        let mut relations = relations();
        // A second core of the first socket.
        relations.0.entry(4).and_modify(|cpu| (cpu.package, cpu.core) = (Some(0), Some(9)));
        assert_eq!(relations.mark(place(0, Some(4))), "s");
        assert!(legend([place(0, None)].into_iter(), &relations).is_none());
        assert!(legend([place(0, Some(1))].into_iter(), &relations).is_some());
    }
}
