//! QEMU's command lines, taken apart into options, and what differs between two of them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::System;

/// The options of a command line in their order, each with its value; the value is empty if it has none.
pub(super) struct Options<'a> {
    pub program: &'a str,
    options: Vec<(&'a str, &'a str)>,
}

/// An option that two command lines do not have in common.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct OptionDifference {
    /// The system that is compared with the subject.
    pub system: System,
    /// The option's name.
    pub option: String,
    /// What the subject's command gives it; `None` if it has no such option.
    pub subject_value: Option<String>,
    /// What the other's gives it.
    pub value: Option<String>,
}

/// The options that name what QEMU boots: systems differ in these.
const BOOTED: [&str; 6] = ["-kernel", "-initrd", "-append", "-drive", "-bios", "-vga"];

impl<'a> Options<'a> {
    /// Takes a command apart; `None` if there is none. Every option of QEMU has at most one value.
    pub fn of(command: &'a [String]) -> Option<Self> {
        let (program, mut words) = command.split_first()?;
        let mut options = Vec::new();
        while let Some((option, rest)) = words.split_first() {
            words = rest;
            let value = words.first().filter(|value| !value.starts_with('-'));
            if value.is_some() {
                words = &words[1..];
            }
            options.push((option.as_str(), value.map_or("", String::as_str)));
        }
        Some(Self { program, options })
    }

    /// The value of an option, if it is there.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.options.iter().find(|(option, _)| *option == name).map(|&(_, value)| value)
    }

    /// Every option except `named` and those for the booted files, in alphabetical order.
    pub fn rest(&self, named: &[&str]) -> Vec<String> {
        let others = self.options.iter().filter(|(option, value)| {
            let booted = BOOTED.contains(option) || (*option == "-device" && boots(value));
            !named.contains(option) && !booted
        });
        let mut rest: Vec<String> =
            others.map(|(option, value)| format!("{option} {value}").trim_end().to_owned()).collect();
        rest.sort_unstable();
        rest
    }

    /// What is in one of two command lines and not in the other, by option.
    pub fn differences(&self, system: System, other: &Self) -> Vec<OptionDifference> {
        let names: BTreeSet<&str> =
            self.options.iter().chain(&other.options).map(|(name, _)| *name).collect();
        let each = names.into_iter().filter_map(|name| {
            let (ours, theirs) = (self.only(name, other), other.only(name, self));
            (ours != theirs).then(|| OptionDifference {
                system,
                option: name.to_owned(),
                subject_value: ours,
                value: theirs,
            })
        });
        each.collect()
    }

    /// The values of an option that `other` does not give it, joined; `None` if there are none.
    fn only(&self, name: &str, other: &Self) -> Option<String> {
        let ours = self.options.iter().filter(|option| option.0 == name && !other.options.contains(option));
        let values: Vec<&str> = ours.map(|(_, value)| *value).collect();
        (!values.is_empty()).then(|| values.join(" and "))
    }
}

/// Whether a device is one that is booted from.
fn boots(device: &str) -> bool {
    device.split(',').any(|part| part == "drive=boot")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn tells_what_is_booted_from_the_rest() {
        let line =
            words("qemu -nodefaults -m 128M -device ide-hd,drive=boot -device x -kernel /k -append a=1");
        let options = Options::of(&line).expect("a command");
        assert_eq!((options.program, options.value("-m")), ("qemu", Some("128M")));
        assert_eq!(options.value("-nodefaults"), Some(""));
        assert_eq!(options.rest(&["-m"]), ["-device x", "-nodefaults"]);
        assert!(Options::of(&[]).is_none());
    }

    #[test]
    fn lists_what_differs() {
        let ours = words("qemu -m 128M -kernel /ours -device a -device b");
        let theirs = words("qemu -m 128M -kernel /theirs -append quiet -device b");
        let [ours, theirs] = [&ours, &theirs].map(|line| Options::of(line).expect("a command"));
        let differences = ours.differences(System::Linux, &theirs);
        let found: Vec<_> = differences
            .iter()
            .map(|d| (d.option.as_str(), d.subject_value.as_deref(), d.value.as_deref()))
            .collect();
        assert_eq!(
            found,
            [
                ("-append", None, Some("quiet")),
                ("-device", Some("a"), None),
                ("-kernel", Some("/ours"), Some("/theirs"))
            ]
        );
    }
}
