//! `assay report`: sessions and logs as one HTML file.

use std::path::{Component, Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use html::{Origin, Subject, document};
use judging::{Judged, Seal, judge};
use lab::{Coded, Exit, OrExit, console};
use results::{Price, write_atomically};

use crate::foreign_figures::ForeignArgs;
use crate::lifecycle;
use crate::tool::tool;

/// `assay report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Sessions (folders or archives) or serial logs; several are reported one after the other, in one file
    #[arg(value_name = "SESSION|LOG", required = true)]
    pub of: Vec<PathBuf>,
    /// The file to write: one HTML file that needs no other, no script and no network
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
    /// What the machine costs an hour, such as 0.096/h or "0.096 USD/h": shows the work for one unit of money
    #[arg(long, value_name = "PRICE")]
    pub price: Option<Price>,
    /// Figures of other tools.
    #[command(flatten)]
    pub foreign: ForeignArgs,
}

/// Judges all logs of each session again, and writes the report.
///
/// # Errors
/// A session or log cannot be read, or the file cannot be written. What does not verify is in the report, and ends with
/// [`Exit::NotVerified`].
pub fn run(args: &ReportArgs) -> Result<Exit, Coded> {
    if let Some(session) = args.of.iter().find(|path| ::lifecycle::is_lifecycle(path)) {
        if args.of.len() > 1 {
            let error = anyhow!("{}: a lifecycle session has a report of its own", session.display());
            return Err(error).or_exit(Exit::Usage);
        }
        return lifecycle::report(session, &args.html);
    }
    let foreign = args.foreign.load()?;
    let mut judged = Vec::new();
    for path in &args.of {
        judged.extend(judge(path, &tool())?);
    }
    let origins: Vec<Origin> = judged.iter().map(|of| origin(of, &args.html)).collect();
    let subjects: Vec<Subject<'_>> = std::iter::zip(&judged, &origins)
        .map(|(of, origin)| Subject {
            name: &of.name,
            results: &of.results,
            origin,
            price: args.price.as_ref(),
            foreign: &foreign,
        })
        .collect();
    let page = document(&subjects);
    write_atomically(&args.html, |out| out.write_all(page.as_bytes())).or_exit(Exit::Output)?;
    console::data("file", &args.html)?;
    console::data("bytes", &page.len())?;
    console::data("sessions", &subjects.len())?;
    let (shown, kib) = (args.html.display(), page.len().div_ceil(1024));
    console::answer(&format!("{shown}: {} in {kib} KiB\n", counted(subjects.len())))?;
    Ok(if judged.iter().all(Judged::is_verified) { Exit::Holds } else { Exit::NotVerified })
}

/// Where results come from, for a report in the file `to`.
fn origin(of: &Judged, to: &Path) -> Origin {
    match &of.seal {
        None => Origin::Logs,
        Some(Seal { head, problems, runs }) => Origin::Sealed {
            head: head.clone(),
            problems: problems.clone(),
            folder: runs.as_ref().and_then(|runs| relative(runs, to)),
        },
    }
}

fn counted(sessions: usize) -> String {
    format!("{sessions} {}", if sessions == 1 { "session" } else { "sessions" })
}

/// The address of a folder relative to a file; `None` if it has none.
fn relative(folder: &Path, file: &Path) -> Option<String> {
    let whole = |path: &Path| std::path::absolute(path).ok();
    let (folder, file) = (whole(folder)?, whole(file)?);
    let (folder, from): (Vec<_>, Vec<_>) =
        (folder.components().collect(), file.parent()?.components().collect());
    let same = folder.iter().zip(&from).take_while(|(one, other)| one == other).count();
    let up = from[same..].iter().map(|_| Some("..".to_owned()));
    let down = folder[same..].iter().map(|component| match component {
        Component::Normal(name) => name.to_str().map(address),
        _ => None,
    });
    let parts: Vec<String> = up.chain(down).collect::<Option<_>>()?;
    Some(if parts.is_empty() { ".".to_owned() } else { parts.join("/") })
}

/// A name as a part of an address (RFC 3986, section 2.3): every other byte by its number.
fn address(name: &str) -> String {
    let mut address = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address += &format!("%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_addressed_from_the_file() {
        for (folder, file, address) in [
            ("/a/target/x/y/runs", "/a/report.html", Some("target/x/y/runs")),
            ("/a/target/x/y/runs", "/a/target/x/y/report.html", Some("runs")),
            ("/a/target/runs", "/a/docs/r.html", Some("../target/runs")),
            ("/a/with space/runs", "/a/r.html", Some("with%20space/runs")),
        ] {
            assert_eq!(relative(Path::new(folder), Path::new(file)).as_deref(), address, "{folder} {file}");
        }
    }
}
