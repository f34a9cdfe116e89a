//! The rows of the platform.

use abi::plan::Platform;
use abi::series::{EVENTS, FEWEST, MAX_NOISE_MS, NOISE_MS, Shortened};
use abi::wire::Value;

use super::super::profile::Tier;
use super::super::raw::RawPlatform;
use super::Checker;

impl Checker<'_> {
    /// The most samples of a row of the platform; `None` for as many as a row has.
    pub(super) fn most_samples(&mut self, raw: Option<&RawPlatform>) -> Option<u32> {
        let value = raw?.most_samples.as_ref()?;
        Some(self.number("platform.most-samples", value, FEWEST..=EVENTS))
    }

    /// What each boot measures of the platform. The platform tier requires it.
    pub(super) fn platform(&mut self, raw: Option<&RawPlatform>, tier: Tier) -> Option<Platform> {
        let Some(raw) = raw else {
            if tier == Tier::Platform {
                let expected = "expected a table [platform], found nothing in a manifest of this tier";
                self.note("platform", 0..0, expected.to_owned());
            }
            return None;
        };
        let noise_ms = raw.noise_ms.as_ref();
        let noise_ms =
            noise_ms.map_or(NOISE_MS, |value| self.number("platform.noise-ms", value, 0..=MAX_NOISE_MS));
        let mut short = Shortened::None;
        if let Some(word) = &raw.short {
            let key = "platform.short";
            if tier != Tier::Control {
                self.refuse(key, word.span(), "no row that does less but in the tier \"control\"");
            }
            match Shortened::parse(word.get_ref()).filter(|&word| word != Shortened::None) {
                Some(word) => short = word,
                None => self.refuse(key, word.span(), "all, or a row of docs/PLATFORM.md"),
            }
        }
        Some(Platform { noise_ms, short, samples: raw.samples.unwrap_or(false) })
    }
}
