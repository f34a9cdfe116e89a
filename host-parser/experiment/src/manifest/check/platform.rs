//! The rows of the platform.

use abi::plan::Platform;
use abi::series::{EVENTS, FEWEST, MAX_NOISE_MS, NOISE_MS, Shortened};
use abi::wire::Value;
use toml::Spanned;

use super::super::profile::Tier;
use super::super::raw::{RawManifest, RawPlatform};
use super::Checker;

impl Checker<'_> {
    /// The most samples of a row; `None` for as many as a row has. The platform's and the mechanisms' have one number.
    pub(super) fn most_samples(&mut self, raw: &RawManifest) -> Option<u32> {
        let of_platform = raw.platform.as_ref().and_then(|raw| raw.most_samples.as_ref());
        let of_mechanisms = raw.mechanisms.as_ref().and_then(|raw| raw.most_samples.as_ref());
        let samples = of_platform.map(|value| self.number("platform.most-samples", value, FEWEST..=EVENTS));
        let other = of_mechanisms.map(|value| self.number("mechanisms.most-samples", value, FEWEST..=EVENTS));
        if raw.platform.is_some()
            && let Some(value) = of_mechanisms.filter(|_| other != samples)
        {
            self.refuse("mechanisms.most-samples", value.span(), "what platform.most-samples is");
        }
        samples.or(other)
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
        let short = self.short("platform.short", raw.short.as_ref(), tier, "docs/PLATFORM.md");
        Some(Platform { noise_ms, short, samples: raw.samples.unwrap_or(false) })
    }

    /// The rows that do less, which only a control has.
    pub(super) fn short(
        &mut self,
        key: &str,
        word: Option<&Spanned<String>>,
        tier: Tier,
        page: &str,
    ) -> Shortened {
        let Some(word) = word else { return Shortened::None };
        if tier != Tier::Control {
            self.refuse(key, word.span(), "no row that does less but in the tier \"control\"");
        }
        self.rows(key, word, page)
    }

    /// `all`, or a row.
    pub(super) fn rows(&mut self, key: &str, word: &Spanned<String>, page: &str) -> Shortened {
        let rows = Shortened::parse(word.get_ref()).filter(|&rows| rows != Shortened::None);
        rows.unwrap_or_else(|| {
            self.refuse(key, word.span(), &format!("all, or a row of {page}"));
            Shortened::None
        })
    }
}
