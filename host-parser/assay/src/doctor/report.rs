//! The report: for people, 80 columns wide, and as data.

use std::fmt::Write as _;

use host::HostIdentity;
use host::doctor::{Fault, Finding, Status};
use lab::Exit;
use serde::{Serialize, Serializer};

/// Of the form of the data; goes up where a key changes its meaning or goes away.
const SCHEMA: u32 = 1;
const COLUMNS: usize = 80;
const GROUP: usize = 10;
const STATUS: usize = 5;
const CHECK: usize = 18;

/// What was found, and what it comes to.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: u32,
    verdict: Verdict,
    exit_code: u8,
    host: HostIdentity,
    /// The CPUs that a guest would run on.
    guest_cpus: String,
    findings: Vec<Finding>,
}

/// The report, and what it was made from.
#[derive(Serialize)]
struct WithFacts<'a, F> {
    #[serde(flatten)]
    report: &'a Report,
    facts: &'a F,
}

/// What it comes to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// Nothing is in the way.
    Fit,
    /// A measurement is possible, and could be better.
    FitWithWarnings,
    /// A measurement is not possible.
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
    /// Sums up `findings`.
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

    /// What `assay` ends with.
    pub fn exit(&self) -> Exit {
        exit(&self.findings)
    }

    /// As data, `facts` beside what is made of them, with a line feed at its end.
    ///
    /// # Errors
    /// None that is known: nothing in it can fail to be written.
    pub fn json(&self, facts: &impl Serialize) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(&WithFacts { report: self, facts })? + "\n")
    }

    /// For people: the table, then what to do, then the verdict, so that what matters is in sight at the end.
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
            [(Status::Bad, "In the way of any measurement:"), (Status::Warn, "What would make it better:")]
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
        let of = |status| self.findings.iter().filter(move |finding| finding.status == status);
        let names = |status| of(status).map(|found| found.check.word()).collect::<Vec<_>>().join(", ");
        match (self.verdict, of(Status::Warn).count()) {
            (Verdict::Fit, _) => "fit for a measurement.".to_owned(),
            (Verdict::FitWithWarnings, 1) => {
                format!("fit for a measurement, with 1 warning: {}.", names(Status::Warn))
            }
            (Verdict::FitWithWarnings, many) => format!("fit for a measurement, with {many} warnings."),
            (Verdict::Unfit, _) => {
                format!("not fit for a measurement: {} (exit code {}).", names(Status::Bad), self.exit_code)
            }
        }
    }
}

/// What is missing or broken comes before what this host cannot do.
fn exit(findings: &[Finding]) -> Exit {
    let bad = || {
        findings
            .iter()
            .filter(|finding| finding.status == Status::Bad)
            .map(|found| of_fault(found.check.fault()))
    };
    bad().find(|exit| *exit != Exit::Unsupported).or_else(|| bad().next()).unwrap_or(Exit::Holds)
}

/// What `assay` ends with for a fault.
const fn of_fault(fault: Fault) -> Exit {
    match fault {
        Fault::Environment => Exit::Environment,
        Fault::Unsupported => Exit::Unsupported,
        Fault::Output => Exit::Output,
    }
}

/// So that the eye finds the worst.
const fn mark(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Unknown => "-",
        Status::Warn => "warn",
        Status::Bad => "BAD",
    }
}

/// Appends `head` and then `body`, broken between words and indented as far as the head is wide.
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
    fn warnings_alone_are_fit_and_what_is_bad_is_not() {
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
    fn the_worst_is_told_again_with_a_remedy_and_the_verdict_last() {
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
        assert!(at("\nload") < at("BAD") && at("BAD") < at("In the way of any measurement:"));
        assert!(at("In the way of any measurement:\nbusy-now") < at("What would make it better:\ngovernor"));
        assert!(text.ends_with("Verdict: not fit for a measurement: busy-now (exit code 6).\n"), "{text}");
    }

    #[test]
    fn the_data_has_words_and_the_same_findings() {
        let report = report(vec![Check::Cpus.bad("1"), Check::Accelerator.ok("kvm")]);
        let data: serde_json::Value =
            serde_json::from_str(&report.json(&serde_json::json!({ "a": 1 })).unwrap()).unwrap();
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
