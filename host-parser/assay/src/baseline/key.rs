//! A machine's key as a description stores it, and in what two keys differ.

use results::{Fact, MachineKey};
use serde::{Deserialize, Serialize};

/// The key of a machine.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// What must be equal.
    pub hard: Vec<StoredFact>,
    /// What may change, and then is named.
    pub epoch: Vec<StoredFact>,
}

/// A fact with its name.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoredFact {
    /// Its name.
    pub name: String,
    /// What it is.
    pub value: String,
}

/// A fact that two keys do not share.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Difference {
    what: String,
    a: Option<String>,
    b: Option<String>,
}

impl From<&MachineKey> for Key {
    fn from(key: &MachineKey) -> Self {
        let stored =
            |Fact { name, value }: &Fact| StoredFact { name: (*name).to_owned(), value: value.clone() };
        Self { hard: key.hard.iter().map(stored).collect(), epoch: key.epoch.iter().map(stored).collect() }
    }
}

impl Key {
    /// The hard facts that differ. If there are any, no figure of one machine may be divided by one of the other.
    pub fn hard_differences(&self, other: &Self) -> Vec<Difference> {
        differences(&self.hard, &other.hard)
    }

    /// The facts of the epoch that differ.
    pub fn epoch_differences(&self, other: &Self) -> Vec<Difference> {
        differences(&self.epoch, &other.epoch)
    }
}

/// Facts of one name belong together: firmware has a vendor and a version.
fn differences(a: &[StoredFact], b: &[StoredFact]) -> Vec<Difference> {
    let mut names: Vec<&str> = Vec::new();
    for fact in a.iter().chain(b) {
        if !names.contains(&fact.name.as_str()) {
            names.push(&fact.name);
        }
    }
    let value = |facts: &[StoredFact], name: &str| {
        let of: Vec<&str> =
            facts.iter().filter(|fact| fact.name == name).map(|fact| fact.value.as_str()).collect();
        Some(of.join(", ")).filter(|_| !of.is_empty())
    };
    let each = names.into_iter().map(|name| (name, value(a, name), value(b, name)));
    each.filter(|(_, a, b)| a != b).map(|(name, a, b)| Difference { what: name.to_owned(), a, b }).collect()
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not known".to_owned());
        write!(f, "{}: A {}, B {}", self.what, shown(&self.a), shown(&self.b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(of: &[(&str, &str)]) -> Vec<StoredFact> {
        let fact = |(name, value): &(&str, &str)| StoredFact {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        };
        of.iter().map(fact).collect()
    }

    #[test]
    fn facts_that_differ_or_are_missing_are_named_once() {
        let a = facts(&[("CPU", "x"), ("firmware", "SeaBIOS"), ("firmware", "1.16"), ("cores", "2")]);
        let b = facts(&[("CPU", "x"), ("firmware", "SeaBIOS"), ("firmware", "1.17")]);
        let said: Vec<String> = differences(&a, &b).iter().map(ToString::to_string).collect();
        assert_eq!(said, ["firmware: A SeaBIOS, 1.16, B SeaBIOS, 1.17", "cores: A 2, B not known"]);
        assert_eq!(differences(&a, &a), []);
    }
}
