//! The VMMs' command lines, taken apart into options, and what differs between two of them.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::{RunRecord, System};

/// The options of a command line in their order, each with its value; the value is empty if it has none. A configuration
/// that the command reads from a file is taken apart too: its options are the paths of its values.
pub(super) struct Options<'a> {
    pub program: &'a str,
    options: Vec<(String, String)>,
}

/// An option that two command lines do not have in common.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// The options that name what is booted: systems differ in these. QEMU's, Cloud Hypervisor's, Firecracker's.
const BOOTED: [&str; 12] = [
    "-kernel",
    "-initrd",
    "-append",
    "-drive",
    "-bios",
    "-vga",
    "--kernel",
    "--initramfs",
    "--cmdline",
    "boot-source.kernel_image_path",
    "boot-source.initrd_path",
    "boot-source.boot_args",
];

/// Firecracker's option that names the file of its configuration. Each run has one of its own; what is in it counts.
const CONFIGURATION: &str = "--config-file";

impl<'a> Options<'a> {
    /// Takes the command of a run apart; `None` if there is none, or if its configuration is no JSON.
    pub fn of_run(run: &'a RunRecord) -> Option<Self> {
        let mut options = Self::of(&run.made.command)?;
        if let Some(configuration) = &run.made.configuration {
            options.options.retain(|(option, _)| option != CONFIGURATION);
            flatten("", &serde_json::from_str(configuration).ok()?, &mut options.options);
        }
        Some(options)
    }

    /// Takes a command apart; `None` if there is none. Every option has at most one value.
    pub fn of(command: &'a [String]) -> Option<Self> {
        let (program, mut words) = command.split_first()?;
        let mut options = Vec::new();
        while let Some((option, rest)) = words.split_first() {
            words = rest;
            let value = words.first().filter(|value| !value.starts_with('-'));
            if value.is_some() {
                words = &words[1..];
            }
            options.push((option.clone(), value.cloned().unwrap_or_default()));
        }
        Some(Self { program, options })
    }

    /// The value of an option, if it is there.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(option, _)| option == name).map(|(_, value)| value.as_str())
    }

    /// Every option except `named` and those for the booted files, in alphabetical order.
    pub fn rest(&self, named: &[&str]) -> Vec<String> {
        let others = self.options.iter().filter(|(option, value)| {
            let booted = BOOTED.contains(&option.as_str()) || (option == "-device" && boots(value));
            !named.contains(&option.as_str()) && !booted
        });
        let mut rest: Vec<String> =
            others.map(|(option, value)| format!("{option} {value}").trim_end().to_owned()).collect();
        rest.sort_unstable();
        rest
    }

    /// What is in one of two command lines and not in the other, by option.
    pub fn differences(&self, system: System, other: &Self) -> Vec<OptionDifference> {
        let names: BTreeSet<&str> =
            self.options.iter().chain(&other.options).map(|(name, _)| name.as_str()).collect();
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
        let values: Vec<&str> = ours.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(" and "))
    }
}

/// Adds every value of `json` with its path.
fn flatten(path: &str, json: &Value, into: &mut Vec<(String, String)>) {
    match json {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&path, value, into);
            }
        }
        Value::String(text) => into.push((path.to_owned(), text.clone())),
        other => into.push((path.to_owned(), other.to_string())),
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

    #[test]
    fn takes_a_configuration_apart_and_leaves_out_its_file() {
        let verdict = evidence::gate::Gate::default().judge(
            &evidence::transcript::Transcript::read(b""),
            &evidence::gate::RunExpectation::default(),
            &evidence::gate::HostEvidence::default(),
        );
        let mut run = RunRecord::new(0, 0, verdict);
        run.making().command = words("firecracker --no-api --config-file /runs/1.json");
        let json = r#"{"boot-source": {"kernel_image_path": "/k"}, "machine-config": {"vcpu_count": 2}, "drives": []}"#;
        run.making().configuration = Some(json.to_owned());
        let options = Options::of_run(&run).expect("options");
        assert_eq!(options.value("machine-config.vcpu_count"), Some("2"));
        assert_eq!(options.rest(&["machine-config.vcpu_count"]), ["--no-api", "drives []"]);
        run.making().configuration = Some("{".to_owned());
        assert!(Options::of_run(&run).is_none());
    }
}
