//! The records of one iteration of a case.

use abi::plan::WARM_UP_MS;
use abi::watch::WATCH_US;
use abi::wire::record::{
    Answer, CaseBegin, CaseEnd, CaseReady, Conditions, Counters, Gap, Mark, Moment, Region, Worker,
    WorkerEnd, WorkerStatus,
};
use abi::wire::{Hex64, Record};
use abi::worker::SCALE_SHIFT;

use super::chance::Chance;
use super::time::{LEAD_US, cycles_in};
use super::{Guest, primes};

impl Guest {
    pub(super) fn case(&self, case: u16, iter: u16, records: &mut Vec<Record>) {
        records.push(CaseReady { case, iter }.into());
        records.push(CaseBegin { case, iter, start_tsc: 0 }.into());
        // Each further worker costs a little speed, as on a real machine.
        let parts = if self.weak { 1 } else { u64::from(case) };
        let share = self.work_cycles / parts * (100 + 3 * u64::from(case - 1)) / 100;
        let (first, percent) = self.first;
        let share = if iter < first { share * percent / 100 } else { share };
        let boosts = case > 1 && self.boost != 1_000;
        let share = if boosts { share * 1_000 / self.boost } else { share };
        let (mut first, mut last) = (u64::MAX, 0);
        let (mut conditions, mut counters) = (Vec::new(), Vec::new());
        for (worker, params) in (0..).zip(self.splits(case)) {
            let odd = u64::from(worker) * 1_013;
            let planned = share + odd * 7 + u64::from(iter) * 55_511;
            let by_chance = |kind, most| self.chance((case, iter, Chance(kind, worker)), most);
            let cycles = self.turn(iter, worker).map_or(planned, |turn| turn.cycles);
            // Up to 0.01 % more.
            let cycles = cycles + cycles / 10_000 * by_chance(3, 1_024) / 1_024;
            let skew = 184 + odd % 97 + by_chance(4, 64);
            (first, last) = (first.min(skew), last.max(skew + cycles));
            let scaled = u32::try_from(cycles >> SCALE_SHIFT).unwrap_or(u32::MAX);
            let expected = primes().expectation(params, self.challenge);
            let (answer, work, digest) = (expected.answer, expected.work, Hex64(expected.digest));
            let cpu = self.cpu_of(worker);
            let entered = cycles_in(LEAD_US, self.khz) - 9_000 - odd - by_chance(5, 512);
            let returned = skew + cycles + 7_000 + odd + by_chance(6, 512);
            let took = entered + returned;
            let watches = u32::try_from(took / cycles_in(WATCH_US, self.khz)).expect("not for ever");
            let late = Some(if watches == 0 { 0 } else { 21_000 + odd });
            let warm_up = cycles_in(u64::from(WARM_UP_MS) * 1_000, self.khz) + 2_111 + odd;
            let watches = Some(watches);
            conditions.push(Record::from(Conditions { case, iter, worker, cpu, warm_up, watches, late }));
            let (aperf, mperf, smis) = (Some(took + took / 2), Some(took + 1_200), Some(0));
            counters.push(Record::from(Counters { case, iter, worker, cpu, aperf, mperf, smis }));
            records.extend([
                Record::from(Worker { case, iter, worker, cpu, skew, cycles, scaled, irqs: 0 }),
                Answer { case, iter, worker, answer, work, digest }.into(),
                Region { case, iter, worker, cpu, entered, returned }.into(),
                WorkerEnd {
                    case,
                    iter,
                    worker,
                    cpu,
                    status: WorkerStatus::Done,
                    refused: 0,
                    first_refused: 0,
                }
                .into(),
            ]);
        }
        records.push(CaseEnd { case, iter, done: case, makespan: last - first, verified: true }.into());
        records.extend((0..case).map(|worker| {
            let odd = u64::from(worker) * 211;
            let by_chance = |kind| self.chance((case, iter, Chance(kind, worker)), 256);
            let (before, after) = (2_107 + odd + by_chance(7), 1_984 + odd + by_chance(8));
            let usual = (u32::from(12_000 - worker % 7), u32::from(12_040 - worker % 5));
            let turn = self.turn(iter, worker);
            let (reads_before, reads_after) =
                turn.map_or(usual, |turn| (turn.reads_before, turn.reads_after));
            let [taken_before, taken_after] = turn.map_or([0; 2], |turn| turn.taken);
            Record::from(Gap {
                case,
                iter,
                worker,
                cpu: self.cpu_of(worker),
                before: before + taken_before,
                after: after + taken_after,
                reads_before,
                reads_after,
                steal_ns: None,
            })
        }));
        let moments = [Moment::Ready, Moment::Warm, Moment::Back, Moment::Done];
        records.extend(moments.map(|moment| Record::from(Mark { case, iter, moment, tsc: 0, count: 0 })));
        records.extend(conditions);
        records.extend(counters);
    }
}
