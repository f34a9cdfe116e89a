use super::*;

/// How often a counter is read for its first mark, at most.
const FIRST_MARK: u32 = 8;

/// A counter that has advanced by `ticks` after its first mark.
struct Advanced {
    hz: u64,
    mask: u64,
    ticks: u64,
    reads: core::cell::Cell<u32>,
}

impl Advanced {
    fn by(ms: u64, hz: u64, mask: u64) -> Self {
        Self { hz, mask, ticks: hz * ms / 1000, reads: 0.into() }
    }
}

impl Counter for Advanced {
    fn source(&self) -> TscSource {
        if self.mask == 0xffff { TscSource::Pit } else { TscSource::Hpet }
    }

    fn hz(&self) -> u64 {
        self.hz
    }

    fn now(&self) -> u64 {
        self.reads.set(self.reads.get() + 1);
        if self.reads.get() <= FIRST_MARK { 0 } else { self.ticks & self.mask }
    }

    fn mask(&self) -> u64 {
        self.mask
    }
}

/// The sources that yield a reading when both counters have advanced by this time.
fn sources(ms: u64) -> Vec<TscSource> {
    let (hpet, pit) = (Advanced::by(ms, 100_000_000, u64::MAX), Advanced::by(ms, 1_193_182, 0xffff));
    measure(&[&hpet, &pit], false).iter().map(|reading| reading.source).collect()
}

#[test]
fn ignores_a_counter_that_may_have_wrapped_around() {
    assert_eq!(sources(20), [TscSource::Hpet, TscSource::Pit]);
    assert_eq!(sources(60), [TscSource::Hpet]);
}

#[test]
fn states_how_sharp_a_reading_is() {
    let span = |blur| Span {
        source: TscSource::Pit,
        hz: 1_193_182,
        mask: 0xffff,
        cycles: 30_000_000,
        ticks: 11_931,
        blur,
    };
    assert_eq!(span(15_000).blur_ppm(), SHARP_PPM);
    assert!(span(15_031).blur_ppm() > SHARP_PPM);
    assert_eq!(span(u64::MAX).blur_ppm(), u64::MAX / 30_000_000);
}

#[test]
fn a_reading_is_as_sharp_as_its_tick_and_its_width_allow() {
    // The PIT after 1.8 ms at 1 GHz, read within 60 cycles: 33 ppm and 466 ppm.
    assert_eq!(unsharp_ppm(60, 1_800_000, 2_147), 33 + 465);
    // The HPET of QEMU after 2 ms there: 30 ppm and 5 ppm.
    assert_eq!(unsharp_ppm(60, 2_000_000, 200_000), 30 + 5);
    assert_eq!((unsharp_ppm(0, 0, 7), unsharp_ppm(0, 7, 0)), (u64::MAX, u64::MAX));
}

/// A counter that stands at this count.
struct Stands(u64);

impl Counter for Stands {
    fn source(&self) -> TscSource {
        TscSource::Hpet
    }

    fn hz(&self) -> u64 {
        1_000_000_000
    }

    fn now(&self) -> u64 {
        self.0
    }

    fn mask(&self) -> u64 {
        u64::MAX
    }
}

/// With given widths: a measured one is as long as the host's neighbours make it.
#[test]
fn the_window_is_as_long_as_sharpness_needs() {
    let is_sharp = |start_width, need_ppm, cycles| {
        let counter = Stands(cycles);
        Watched { counter: &counter, start: Mark { tsc: 0, count: 0 }, start_width, need_ppm }
            .is_sharp(cycles)
    };
    assert!(!is_sharp(1_000, FINE_PPM, 9_900_000));
    assert!(is_sharp(1_000, FINE_PPM, 10_000_000));
    assert!(!is_sharp(1_000, SHARP_PPM, 1_990_000));
    assert!(is_sharp(1_000, SHARP_PPM, 2_000_000));
    // One that is slow to read keeps the window open to its end.
    assert!(!is_sharp(1_000_000, SHARP_PPM, 1_000_000_000));
}

/// A counter that stands still, and takes half a millisecond for each answer.
struct Still {
    reads: core::cell::Cell<u32>,
}

impl Counter for Still {
    fn source(&self) -> TscSource {
        TscSource::PmTimer
    }

    fn hz(&self) -> u64 {
        3_579_545
    }

    fn now(&self) -> u64 {
        self.reads.set(self.reads.get() + 1);
        std::thread::sleep(core::time::Duration::from_micros(500));
        0
    }

    fn mask(&self) -> u64 {
        0xff_ffff
    }
}

/// By a number of polls, as it once was, this took minutes.
#[test]
fn gives_up_by_time_however_slowly_a_counter_answers() {
    let still = Still { reads: 0.into() };
    assert_eq!(measure(&[&still], false), []);
    assert!(still.reads.get() < 5_000, "{}", still.reads.get());
    assert_eq!(measure(&[], false), []);
}

#[test]
fn turns_counts_into_a_frequency() {
    assert_eq!(khz(30_000_000, 35_795, 3_579_545), Some(3_000_037));
    assert_eq!(khz(30_000_000, 0, 3_579_545), None);
    assert_eq!(khz(u64::MAX, 1, u64::MAX), None);
}
