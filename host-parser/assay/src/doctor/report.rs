//! The report: as text of 80 columns, and as JSON.

use std::fmt::Write as _;

use host::HostIdentity;
use host::doctor::{Fault, Finding, Status};
use lab::Exit;
use serde::{Serialize, Serializer};

/// Version of the JSON form. It increases when a key changes its meaning or is removed.
const SCHEMA: u32 = 1;
const COLUMNS: usize = 80;
const GROUP: usize = 10;
const STATUS: usize = 5;
const CHECK: usize = 18;

/// The findings and the verdict.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: u32,
    verdict: Verdict,
    exit_code: u8,
    host: HostIdentity,
    /// The host CPUs that a guest would run on.
    guest_cpus: String,
    findings: Vec<Finding>,
}

/// The report, with the facts that it is made from.
#[derive(Serialize)]
pub struct WithFacts<'a, F> {
    #[serde(flatten)]
    report: &'a Report,
    facts: &'a F,
}

/// Whether the host is fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// No finding is worse than `ok` or `unknown`.
    Fit,
    /// A measurement is possible, and the host could be improved.
    FitWithWarnings,
    /// No measurement is possible.
    Unfit,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::FitWithWarnings => "fit-with-warnings",
            Self::Unfit => "unfit",
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.word())
    }
}

impl Report {
    /// Sorts the findings and derives the verdict from the worst.
    pub fn new(host: HostIdentity, guest_cpus: String, mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.check);
        let verdict = match findings.iter().map(|finding| finding.status).max() {
            Some(Status::Bad) => Verdict::Unfit,
            Some(Status::Warn) => Verdict::FitWithWarnings,
            _ => Verdict::Fit,
        };
        let exit_code = exit(&findings) as u8;
        Self { schema: SCHEMA, verdict, exit_code, host, guest_cpus, findings }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        exit(&self.findings)
    }

    /// The report as data, with `facts` beside it.
    pub const fn with_facts<'a, F: Serialize>(&'a self, facts: &'a F) -> WithFacts<'a, F> {
        WithFacts { report: self, facts }
    }

    /// What to do first: about the first of the worst findings.
    pub fn first_remedy(&self) -> Option<String> {
        let worst = self.findings.iter().map(|finding| finding.status).max()?;
        let first = self.findings.iter().find(|finding| finding.status == worst)?;
        Some(format!("{}: {}", first.check.word(), first.remedy.as_deref()?))
    }

    /// The report as text: the table, the remedies, and the verdict on the last line.
    pub fn text(&self) -> String {
        let mut text = format!("{} on {}\n\n", self.host.system, self.host.cpu);
        let mut group = "";
        for finding in &self.findings {
            let name = if finding.group == group { "" } else { finding.group };
            group = finding.group;
            let (mark, check) = (mark(finding.status), finding.check.word());
            paragraph(&mut text, &format!("{name:GROUP$}{mark:STATUS$}{check:CHECK$}"), &finding.value);
        }
        for (status, title) in
            [(Status::Bad, "Prevents any measurement:"), (Status::Warn, "Would improve a measurement:")]
        {
            let of_status = self.findings.iter().filter(|finding| finding.status == status);
            for (i, finding) in of_status.enumerate() {
                if i == 0 {
                    let _ = write!(text, "\n{title}\n");
                }
                paragraph(&mut text, &format!("{:<1$}", finding.check.word(), CHECK), finding.why);
                paragraph(
                    &mut text,
                    &format!("{:>1$}", "-> ", CHECK),
                    finding.remedy.as_deref().unwrap_or_default(),
                );
            }
        }
        text.push('\n');
        paragraph(&mut text, "Verdict: ", &self.sentence());
        text
    }

    fn sentence(&self) -> String {
        match self.verdict {
            Verdict::Fit => "fit for a measurement.".to_owned(),
            Verdict::FitWithWarnings => match self.checks(Status::Warn).as_slice() {
                [one] => format!("fit for a measurement, with 1 warning: {one}."),
                all => format!("fit for a measurement, with {} warnings.", all.len()),
            },
            Verdict::Unfit => {
                let bad = self.checks(Status::Bad).join(", ");
                format!("not fit for a measurement: {bad} (exit code {}).", self.exit_code)
            }
        }
    }

    /// The checks that found this status.
    fn checks(&self, status: Status) -> Vec<&'static str> {
        let found = self.findings.iter().filter(|finding| finding.status == status);
        found.map(|finding| finding.check.word()).collect()
    }
}

/// The exit code of the worst finding: a missing or broken part comes before a limit of this host.
fn exit(findings: &[Finding]) -> Exit {
    let bad = findings.iter().filter(|finding| finding.status == Status::Bad);
    let exits: Vec<Exit> = bad.map(|finding| of_fault(finding.check.fault())).collect();
    let broken = exits.iter().find(|exit| **exit != Exit::Unsupported);
    broken.or(exits.first()).copied().unwrap_or(Exit::Holds)
}

/// The exit code for a fault.
const fn of_fault(fault: Fault) -> Exit {
    match fault {
        Fault::Environment => Exit::Environment,
        Fault::Unsupported => Exit::Unsupported,
        Fault::Output => Exit::Output,
    }
}

/// How the table marks a status; the worst stands out.
const fn mark(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Unknown => "-",
        Status::Warn => "warn",
        Status::Bad => "BAD",
    }
}

/// Appends `head` and `body`. Lines break between words and are indented by the width of `head`.
fn paragraph(text: &mut String, head: &str, body: &str) {
    let indent = head.chars().count();
    let mut line = head.to_owned();
    let mut column = indent;
    for word in body.split_whitespace() {
        let width = word.chars().count();
        if column > indent && column + 1 + width > COLUMNS {
            text.push_str(&line);
            text.push('\n');
            line = " ".repeat(indent);
            column = indent;
        }
        if column > indent {
            line.push(' ');
            column += 1;
        }
        line.push_str(word);
        column += width;
    }
    text.push_str(line.trim_end());
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use host::doctor::Check;

    use super::*;

    fn report(findings: Vec<Finding>) -> Report {
        let host = HostIdentity {
            system: "Linux 6.1 x86_64".to_owned(),
            cpu: "A CPU".to_owned(),
            cpus_online: 2,
            load: Some(0.0),
        };
        Report::new(host, "0,1".to_owned(), findings)
    }

    #[test]
    fn a_host_with_warnings_is_fit_and_one_with_a_bad_finding_is_not() {
        let fit = report(vec![Check::Smt.ok("none"), Check::Governor.unknown("no cpufreq")]);
        assert_eq!((fit.verdict, fit.exit()), (Verdict::Fit, Exit::Holds));
        let warned = report(vec![Check::Smt.warn("on")]);
        assert_eq!((warned.verdict, warned.exit()), (Verdict::FitWithWarnings, Exit::Holds));
        let unfit = report(vec![Check::Cpus.bad("1"), Check::Smt.warn("on")]);
        assert_eq!((unfit.verdict, unfit.exit()), (Verdict::Unfit, Exit::Unsupported));
        let broken = report(vec![Check::Cpus.bad("1"), Check::Qemu.bad("missing")]);
        assert_eq!(broken.exit(), Exit::Environment);
    }

    #[test]
    fn lists_the_worst_with_remedies_and_the_verdict_last() {
        let all = Check::ALL.iter().map(|check| match check {
            Check::Busy => check.bad("2.0 of 2 CPUs"),
            Check::Governor => check.warn("powersave"),
            _ => check.ok(format!("as it should be, at some length {}", "and more ".repeat(12))),
        });
        let text = report(all.collect()).text();
        assert!(
            text.lines().all(|line| line.chars().count() <= COLUMNS && line == line.trim_end()),
            "{text}"
        );
        let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("no {part:?} in\n{text}"));
        assert!(at("\nload") < at("BAD") && at("BAD") < at("Prevents any measurement:"));
        assert!(at("Prevents any measurement:\nbusy-now") < at("Would improve a measurement:\ngovernor"));
        assert!(text.ends_with("Verdict: not fit for a measurement: busy-now (exit code 6).\n"), "{text}");
    }

    #[test]
    fn json_has_the_findings_with_words_for_their_states() {
        let report = report(vec![Check::Cpus.bad("1"), Check::Accelerator.ok("kvm")]);
        let data: serde_json::Value =
            serde_json::to_value(report.with_facts(&serde_json::json!({ "a": 1 }))).unwrap();
        assert_eq!(
            (&data["schema"], &data["verdict"], &data["exit_code"]),
            (&1.into(), &"unfit".into(), &6.into())
        );
        assert_eq!(data["facts"]["a"], 1);
        let [first, second] = data["findings"].as_array().unwrap().as_slice() else { panic!("{data}") };
        assert_eq!((&first["check"], &first["status"]), (&"accelerator".into(), &"ok".into()));
        assert!(first["remedy"].is_null() && second["remedy"].is_string() && second["why"].is_string());
    }
}
