//! Scales: from a value to a place between 0 and 1, and the ticks between.

/// How values are laid out.
#[derive(Clone, Debug, PartialEq)]
pub enum Scale {
    /// Equal differences are equally far apart.
    Linear {
        /// The value at 0.
        low: f64,
        /// The value at 1.
        high: f64,
    },
    /// Equal ratios are equally far apart.
    Log {
        /// The value at 0; above 0.
        low: f64,
        /// The value at 1.
        high: f64,
    },
}

impl Scale {
    /// A linear scale around all of the values, from a little below the least to a little above the greatest.
    #[must_use]
    pub fn around(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = range(values);
        let margin = if high > low { (high - low) * 0.06 } else { (low.abs() * 0.05).max(0.5) };
        Self::Linear {
            low: if low >= 0.0 { (low - margin).max(0.0) } else { low - margin },
            high: high + margin,
        }
    }

    /// A linear scale from 0.
    #[must_use]
    pub fn from_zero(values: impl IntoIterator<Item = f64>) -> Self {
        let (_, high) = range(values);
        Self::Linear { low: 0.0, high: if high > 0.0 { high * 1.06 } else { 1.0 } }
    }

    /// A logarithmic scale around all of the values, which are above 0.
    #[must_use]
    pub fn log_around(values: impl IntoIterator<Item = f64>) -> Self {
        let (low, high) = range(values.into_iter().filter(|&value| value > 0.0));
        if low <= 0.0 || low == high {
            let middle = if low > 0.0 { low } else { 1.0 };
            return Self::Log { low: middle / 2.0, high: middle * 2.0 };
        }
        let margin = (high / low).powf(0.05);
        Self::Log { low: low / margin, high: high * margin }
    }

    /// The place of a value, between 0 and 1 if it is on the scale.
    #[must_use]
    pub fn place(&self, value: f64) -> f64 {
        match *self {
            Self::Linear { low, high } => (value - low) / (high - low),
            Self::Log { low, high } => (value.max(f64::MIN_POSITIVE) / low).ln() / (high / low).ln(),
        }
    }

    /// At most about this many round values on the scale.
    #[must_use]
    pub fn ticks(&self, most: usize) -> Vec<f64> {
        match *self {
            Self::Linear { low, high } => linear_ticks(low, high, most),
            Self::Log { low, high } => log_ticks(low, high, most),
        }
    }

    /// The ticks, each with its text: as many decimals as they differ in.
    #[must_use]
    pub fn labelled(&self, most: usize) -> Vec<(f64, String)> {
        let ticks = self.ticks(most);
        let exact = |decimals: usize| {
            let scale = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
            ticks
                .iter()
                .all(|tick| (tick * scale - (tick * scale).round()).abs() < 1e-6 * tick.abs().max(1.0))
        };
        let decimals = (0..6).find(|&decimals| exact(decimals)).unwrap_or(6);
        ticks.into_iter().map(|tick| (tick, format!("{tick:.decimals$}"))).collect()
    }
}

/// The least and the greatest value; 0 and 1 if there is none.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let low = values.iter().copied().reduce(f64::min).unwrap_or(0.0);
    let high = values.iter().copied().reduce(f64::max).unwrap_or(1.0);
    (low, high)
}

fn linear_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let step = round_step((high - low) / most.max(1) as f64);
    if !(step > 0.0 && step.is_finite()) {
        return vec![low];
    }
    let first = (low / step).ceil();
    let places = (0..=most * 3).map(|at| (first + at as f64) * step);
    // Adding 0 makes a negative zero positive.
    places.take_while(|&value| value <= high + step * 1e-9).map(|value| value + 0.0).collect()
}

/// The least of 1, 2, 5, 10 ... that is at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let digits = [1.0, 2.0, 5.0, 10.0];
    digits.into_iter().map(|digit| digit * power).find(|&round| round >= step * (1.0 - 1e-9)).unwrap_or(step)
}

fn log_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let decades = (high / low).log10();
    let digits: &[f64] = if decades > most as f64 / 2.0 {
        &[1.0]
    } else if decades > most as f64 / 4.0 {
        &[1.0, 3.0]
    } else {
        &[1.0, 2.0, 5.0]
    };
    let mut power = 10_f64.powf(low.log10().floor());
    let mut ticks = Vec::new();
    while power <= high {
        ticks.extend(digits.iter().map(|digit| digit * power).filter(|tick| (low..=high).contains(tick)));
        power *= 10.0;
    }
    if ticks.len() < 2 { linear_ticks(low, high, most.min(4)) } else { ticks }
}

/// A time in ns as people read it: three digits and a unit.
#[must_use]
pub fn time_text(ns: f64) -> String {
    let (value, unit) = match ns.abs() {
        small if small < 1e3 => (ns, "ns"),
        small if small < 1e6 => (ns / 1e3, "us"),
        small if small < 1e9 => (ns / 1e6, "ms"),
        _ => (ns / 1e9, "s"),
    };
    let decimals = if value >= 99.95 {
        0
    } else if value >= 9.995 {
        1
    } else {
        2
    };
    let text = format!("{value:.decimals$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_on_the_scale() {
        assert_eq!(Scale::Linear { low: 0.0, high: 4.2 }.ticks(5), [0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(Scale::Linear { low: 0.93, high: 1.07 }.ticks(3).len(), 3);
        assert_eq!(Scale::Log { low: 0.9, high: 1100.0 }.ticks(4), [1.0, 10.0, 100.0, 1000.0]);
        assert_eq!(Scale::Log { low: 9.0, high: 60.0 }.ticks(6), [10.0, 20.0, 50.0]);
        for scale in [Scale::Log { low: 1.01, high: 1.02 }, Scale::Linear { low: 5.0, high: 5.0 }] {
            assert!(!scale.ticks(4).is_empty(), "{scale:?}");
        }
    }

    #[test]
    fn labels_differ() {
        let texts = |scale: Scale| scale.labelled(4).into_iter().map(|(_, text)| text).collect::<Vec<_>>();
        assert_eq!(texts(Scale::Linear { low: 0.0, high: 2.1 }), ["0", "1", "2"]);
        assert_eq!(texts(Scale::Linear { low: 319.02, high: 319.19 }), ["319.05", "319.10", "319.15"]);
    }

    #[test]
    fn a_scale_contains_its_values_and_never_divides_by_nothing() {
        for values in
            [vec![], vec![0.0], vec![3.0], vec![3.0, 3.0], vec![1.0, 2.0], vec![-1.0, 5.0], vec![f64::NAN]]
        {
            for scale in [Scale::around(values.clone()), Scale::from_zero(values.clone())] {
                let inside = |value: &f64| {
                    !value.is_finite() || *value < 0.0 || (0.0..=1.0).contains(&scale.place(*value))
                };
                assert!(values.iter().all(inside), "{values:?} {scale:?}");
                assert!(scale.place(1.0).is_finite(), "{scale:?}");
            }
            assert!(Scale::log_around(values.clone()).place(1.0).is_finite(), "{values:?}");
        }
    }

    #[test]
    fn times_have_three_digits() {
        for (ns, text) in
            [(0.5, "0.5 ns"), (12.34, "12.3 ns"), (999.0, "999 ns"), (1_250.0, "1.25 us"), (2e9, "2 s")]
        {
            assert_eq!(time_text(ns), text);
        }
    }
}
