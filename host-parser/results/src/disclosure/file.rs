//! The disclosure file: keys, what each means, and what may stand there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use abi::Digest;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use experiment::manifest::{Problem, problem_listing};

use crate::rate::Price;

/// The key of the machine's price.
pub const PRICE: &str = "price-per-hour";

/// Why a disclosure file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DisclosureError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is no disclosure, or says something that cannot be.
    #[error("{}", problem_listing(path, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All that was found.
        problems: Vec<Problem>,
    },
}

/// A key of the file.
pub(super) struct Key {
    /// Its name.
    pub name: &'static str,
    /// What stands there.
    pub meaning: &'static str,
    /// Whether a result cannot be published without it.
    pub required: bool,
    form: Form,
}

/// What may stand at a key.
enum Form {
    Text,
    Sha256,
    Date,
    OneOf(&'static [&'static str]),
    Price,
}

/// Declares the keys once: for the parser, the template and the list of missing keys.
macro_rules! keys {
    ($($field:ident = $name:literal, $required:literal, $form:expr, $meaning:literal;)*) => {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        struct RawDisclosure {
            $($field: Option<Spanned<String>>,)*
        }

        impl RawDisclosure {
            fn values(self) -> impl Iterator<Item = (&'static Key, Spanned<String>)> {
                let values = [$(self.$field,)*];
                KEYS.iter().zip(values).filter_map(|(key, value)| Some((key, value?)))
            }
        }

        /// Every key, in the order of the template.
        pub(super) const KEYS: &[Key] =
            &[$(Key { name: $name, meaning: $meaning, required: $required, form: $form },)*];
    };
}

keys! {
    provider = "provider", true, Form::Text, "who runs the hardware: gce, ec2, azure, own ...";
    region = "region", true, Form::Text, "region and zone; for your own machine, its location";
    instance_type = "instance-type", true, Form::Text, "the provider's name for this kind of machine";
    image_sha256 = "image-sha256", true, Form::Sha256, "SHA-256 of the image or ISO that was booted";
    firmware = "firmware", true, Form::Text, "firmware, as the provider names it: BIOS or UEFI, its version if known";
    tenancy = "tenancy", true, Form::OneOf(&["shared", "dedicated", "own"]), "whether others use the same host";
    vcpu_is = "vcpu-is", true, Form::OneOf(&["hyperthread", "core"]), "what the provider sells as one vCPU";
    date = "date", true, Form::Date, "the day of the run (UTC), YYYY-MM-DD";
    operator = "operator", true, Form::Text, "who ran it and answers questions";
    boot_path = "boot-path", false, Form::Text, "what runs from power-on to the kernel: firmware, loaders, agents";
    image_bytes = "image-bytes", false, Form::Text, "the size of the image or ISO, in bytes";
    host_before = "host-before", false, Form::Text, "the host's free memory and the load of its CPUs before, if you see them";
    host_after = "host-after", false, Form::Text, "the same afterwards";
    price_per_hour = "price-per-hour", false, Form::Price, "what the machine costs an hour, with any currency: 0.096 USD";
    notes = "notes", false, Form::Text, "anything else that a reader should know";
}

/// A disclosure file, read and checked. What it leaves out, or leaves empty, it does not have.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Disclosure {
    values: BTreeMap<&'static str, String>,
}

impl Disclosure {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// [`DisclosureError::Read`] if it cannot be read, else those of [`Disclosure::parse`].
    pub fn load(path: &Path) -> Result<Self, DisclosureError> {
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|source| DisclosureError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    /// Checks `text`, which came from `path`; the path is only named in errors.
    ///
    /// # Errors
    /// [`DisclosureError::Invalid`] with every problem that was found.
    pub fn parse(path: &Path, text: &str) -> Result<Self, DisclosureError> {
        let invalid = |problems| DisclosureError::Invalid { path: path.to_owned(), problems };
        let raw: RawDisclosure =
            toml::from_str(text).map_err(|error| invalid(vec![Problem::from_toml(text, &error)]))?;
        let (mut values, mut problems) = (BTreeMap::new(), Vec::new());
        for (key, value) in raw.values() {
            let said = value.get_ref().trim();
            match key.form.expected(said) {
                _ if said.is_empty() => {}
                None => drop(values.insert(key.name, said.to_owned())),
                Some(expected) => {
                    let message = format!("expected {expected}, found \"{said}\"");
                    problems.push(Problem::at(text, &value.span(), key.name, message));
                }
            }
        }
        problems.sort_by_key(|problem| (problem.line, problem.column));
        if problems.is_empty() { Ok(Self { values }) } else { Err(invalid(problems)) }
    }

    /// What stands at a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Every key that has a value, in the order of the template.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, &str)> {
        KEYS.iter().filter_map(|key| Some((key.name, self.get(key.name)?)))
    }

    /// The keys without which a result cannot be published, and that have no value.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> + '_ {
        KEYS.iter().filter(|key| key.required && self.get(key.name).is_none()).map(|key| key.name)
    }
}

impl Form {
    /// What was expected instead of `value`; `None` if it will do.
    fn expected(&self, value: &str) -> Option<String> {
        let (fits, expected) = match self {
            Self::Text => (!value.contains(char::is_control), "one line of text".to_owned()),
            Self::Sha256 => {
                (Digest::from_hex(value).is_some(), "64 hexadecimal digits in lower case".to_owned())
            }
            Self::Date => (is_date(value), "a date as YYYY-MM-DD".to_owned()),
            Self::Price => (value.parse::<Price>().is_ok(), "a price above 0, such as 0.096 USD".to_owned()),
            Self::OneOf(words) => (words.contains(&value), format!("one of {}", words.join(", "))),
        };
        (!fits).then_some(expected)
    }
}

/// Whether `text` is a day as ISO 8601 has it; the length of its month is not checked.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return false };
    let number = |part: &str, digits: usize| {
        (part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse::<u16>().ok())
    };
    number(year, 4).is_some()
        && number(month, 2).flatten().is_some_and(|month| (1..=12).contains(&month))
        && number(day, 2).flatten().is_some_and(|day| (1..=31).contains(&day))
}
