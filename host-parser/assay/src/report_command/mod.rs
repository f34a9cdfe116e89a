//! `assay report`: sessions and logs as one HTML file.

use std::path::{Component, Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use html::{Origin, Subject, document};
use lab::{Coded, Exit, OrExit, console};
use results::{Results, write_atomically};

use crate::verify::Opened;
use crate::{archive, parse};

/// `assay report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Sessions (folders or archives) or serial logs; several are reported one after the other, in one file
    #[arg(value_name = "SESSION|LOG", required = true)]
    pub of: Vec<PathBuf>,
    /// The file to write: one HTML file that needs no other, no script and no network
    #[arg(long, value_name = "FILE")]
    pub html: PathBuf,
}

/// The results of one set of runs, and where they come from.
struct Judged {
    name: String,
    results: Results,
    origin: Origin,
}

/// Judges all logs of each session again, and writes the report.
///
/// # Errors
/// A session or log cannot be read, or the file cannot be written. What does not verify is in the report, and ends with
/// [`Exit::NotVerified`].
pub fn run(args: &ReportArgs) -> Result<Exit, Coded> {
    let mut judged = Vec::new();
    for path in &args.of {
        judged.extend(judge(path, &args.html)?);
    }
    let subjects: Vec<Subject<'_>> = judged.iter().map(Judged::subject).collect();
    let page = document(&subjects);
    write_atomically(&args.html, |out| out.write_all(page.as_bytes())).or_exit(Exit::Output)?;
    let (shown, kib) = (args.html.display(), page.len().div_ceil(1024));
    console::answer(&format!("{shown}: {} in {kib} KiB\n", counted(subjects.len())))?;
    let verified =
        |of: &Judged| !matches!(&of.origin, Origin::Sealed { problems, .. } if !problems.is_empty());
    Ok(if judged.iter().all(verified) { Exit::Holds } else { Exit::NotVerified })
}

impl Judged {
    fn subject(&self) -> Subject<'_> {
        Subject { name: &self.name, results: &self.results, origin: &self.origin }
    }
}

fn counted(sessions: usize) -> String {
    format!("{sessions} {}", if sessions == 1 { "session" } else { "sessions" })
}

/// The results at `path`: of a session each set, of logs each row.
fn judge(path: &Path, to: &Path) -> Result<Vec<Judged>, Coded> {
    let name = path.display().to_string();
    if !path.is_dir() && !archive::is_archive(path) {
        let rows = parse::results_of(path)?;
        return Ok(rows
            .into_iter()
            .map(|results| Judged { name: name.clone(), results, origin: Origin::Logs })
            .collect());
    }
    let opened = Opened::open(path)?;
    let problems: Vec<String> = opened.problems().iter().map(ToString::to_string).collect();
    let head = opened.session.chain.head.to_string();
    let sets = opened.session.sets();
    let chosen = (0..sets.len()).filter(|&set| opened.row.is_none() || sets[set].row == opened.row);
    let of_set = |set: usize| {
        let folder =
            path.is_dir().then(|| relative(&opened.session.folder_of(set).join("runs"), to)).flatten();
        let origin = Origin::Sealed { head: head.clone(), problems: problems.clone(), folder };
        Judged { name: name.clone(), results: opened.session.results(set), origin }
    };
    let judged: Vec<Judged> = chosen.map(of_set).collect();
    if judged.is_empty() {
        return Err(anyhow!("{name}: has no such row")).or_exit(Exit::BadInput);
    }
    Ok(judged)
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
