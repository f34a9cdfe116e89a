//! The thresholds of a comparison, as options and as a baseline keeps them.

use std::ops::RangeInclusive;

use clap::Args;
use serde::{Deserialize, Serialize};
use stats::Thresholds;

/// The margins that can be asked for, in percent.
const MARGINS: RangeInclusive<f64> = 0.1..=50.0;
/// The errors that can be asked for, in percent.
const ERRORS: RangeInclusive<f64> = 0.1..=10.0;

/// What a comparison is held to, if not to the defaults.
#[derive(Args, Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ThresholdArgs {
    /// Smallest difference that counts, in percent; by default 1.5
    ///
    /// It is also how near to 1 the whole interval must be for `no-difference`.
    #[arg(long = "margin", value_name = "PERCENT", value_parser = margin)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin_percent: Option<f64>,
    /// Chance of a false alarm, in percent, which all cases and figures share; by default 1
    #[arg(long = "error", value_name = "PERCENT", value_parser = error)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_percent: Option<f64>,
}

impl ThresholdArgs {
    /// These, and where they leave one open that of `others`.
    pub fn or(self, others: Self) -> Self {
        Self {
            margin_percent: self.margin_percent.or(others.margin_percent),
            error_percent: self.error_percent.or(others.error_percent),
        }
    }

    /// The thresholds; what is left open is the default.
    pub fn thresholds(self) -> Thresholds {
        let default = Thresholds::default();
        Thresholds {
            margin: self.margin_percent.map_or(default.margin, |percent| percent / 100.0),
            level: self.error_percent.map_or(default.level, |percent| 1.0 - percent / 100.0),
        }
    }
}

fn margin(word: &str) -> Result<f64, String> {
    within(word, &MARGINS)
}

fn error(word: &str) -> Result<f64, String> {
    within(word, &ERRORS)
}

fn within(word: &str, range: &RangeInclusive<f64>) -> Result<f64, String> {
    let percent = word.trim_end_matches('%').trim_end().parse::<f64>().ok().filter(|of| range.contains(of));
    percent.ok_or_else(|| format!("expected a percentage from {} to {}", range.start(), range.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_comes_before_the_baseline_and_that_before_the_default() {
        let of = |margin_percent, error_percent| ThresholdArgs { margin_percent, error_percent };
        let found = of(Some(5.0), None).or(of(Some(2.0), Some(0.5))).thresholds();
        assert!((found.margin - 0.05).abs() < 1e-12 && (found.level - 0.995).abs() < 1e-12, "{found:?}");
        assert_eq!(of(None, None).thresholds(), Thresholds::default());
    }

    #[test]
    fn a_percentage_has_its_range() {
        assert_eq!((margin("3"), margin("2.5 %"), error("0.5%")), (Ok(3.0), Ok(2.5), Ok(0.5)));
        for word in ["0", "51", "nan", "x", "-1", ""] {
            assert_eq!(margin(word), Err("expected a percentage from 0.1 to 50".to_owned()), "{word}");
        }
    }
}
