//! A workload's parameters: named fields of a struct in its own folder, integers in a manifest, four words on the wire.
//!
//! [`parameters!`](crate::parameters) makes all three from one list. Nothing else converts between them.

use std::collections::BTreeMap;

use abi::worker::PARAMS;

/// Parameters as the plan, the records and the worker have them, in the order of their declaration. Words that a
/// workload does not use are 0.
pub type Words = [u64; PARAMS];

/// The table `[workload.parameters]` of a manifest.
pub type Table<'a> = BTreeMap<&'a str, i64>;

/// A parameter, as a manifest's author needs to know it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Parameter {
    /// Its key in a manifest.
    pub key: &'static str,
    /// Its meaning: the doc comment of its field.
    pub meaning: &'static str,
    /// The values it can have, as the words that follow "expected".
    pub expected: &'static str,
}

/// A parameter that does not fit.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct BadParameter {
    /// Its key, as the manifest has it or should have it.
    pub key: String,
    /// What was expected, as the words that follow "expected".
    pub expected: String,
}

impl BadParameter {
    /// `parameter` has a value that does not fit, or has none.
    #[must_use]
    pub fn of(parameter: &Parameter) -> Self {
        Self { key: parameter.key.to_owned(), expected: parameter.expected.to_owned() }
    }
}

/// Parameters as a type of their own. [`parameters!`](crate::parameters) implements this.
pub trait Parameters: Sized {
    /// The parameters, in the order of their words; at most [`PARAMS`].
    const PARAMETERS: &'static [Parameter];

    /// Decodes any words. A word without a parameter is ignored.
    fn from_words(words: Words) -> Self;

    /// Encodes the parameters; a word without a parameter is 0.
    fn words(&self) -> Words;

    /// Whether they describe a whole that can be run.
    ///
    /// # Errors
    /// The first parameter that does not fit.
    fn check(&self) -> Result<(), &'static Parameter>;
}

/// Declares the parameters of a workload: a struct of `u64` fields. Each field has the key that a manifest uses, the
/// words for what is expected of it, and the test for that, which may use the other fields.
///
/// ```
/// workloads::parameters! {
///     /// Rolls of dice.
///     pub struct Dice {
///         /// How many dice are rolled.
///         dice: {
///             key: "dice",
///             expected: "a whole number of at least 1 and at most 100",
///             fits: |whole| (1..=100).contains(&whole.dice),
///         },
///     }
/// }
/// use workloads::Parameters;
///
/// assert_eq!(Dice::from_words([3, 0, 0, 0]), Dice { dice: 3 });
/// assert_eq!(Dice { dice: 0 }.check(), Err(&Dice::PARAMETERS[0]));
/// assert_eq!(Dice::PARAMETERS[0].meaning, "How many dice are rolled.");
/// ```
#[macro_export]
macro_rules! parameters {
    (
        $(#[$meta:meta])*
        $visibility:vis struct $Name:ident {
            $(
                #[doc = $meaning:literal]
                $field:ident: { key: $key:literal, expected: $expected:literal, fits: $fits:expr $(,)? }
            ),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        $visibility struct $Name {
            $(#[doc = $meaning] pub $field: u64,)+
        }

        impl $crate::Parameters for $Name {
            const PARAMETERS: &'static [$crate::Parameter] = {
                const LIST: &[$crate::Parameter] = &[$($crate::Parameter {
                    key: $key,
                    meaning: $meaning.trim_ascii(),
                    expected: $expected,
                }),+];
                assert!(LIST.len() <= $crate::MAX_PARAMETERS, "a worker is given four words");
                LIST
            };

            fn from_words(words: $crate::Words) -> Self {
                let mut words = words.into_iter();
                Self { $($field: words.next().unwrap_or_default()),+ }
            }

            fn words(&self) -> $crate::Words {
                let mut words = $crate::Words::default();
                for (word, value) in words.iter_mut().zip([$(self.$field),+]) {
                    *word = value;
                }
                words
            }

            fn check(&self) -> Result<(), &'static $crate::Parameter> {
                let tests: &[fn(&Self) -> bool] = &[$($fits),+];
                let misfit = Self::PARAMETERS.iter().zip(tests).find(|(_, fits)| !fits(self));
                misfit.map_or(Ok(()), |(parameter, _)| Err(parameter))
            }
        }
    };
}
