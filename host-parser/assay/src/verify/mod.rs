//! `assay verify`: derives the results of sealed sessions again, and says where the stored ones differ.

mod args;

use std::fs;
use std::path::{Path, PathBuf};

use crate::lifecycle;
use anyhow::{Context, anyhow};
use judging::Opened;
use lab::{Coded, Exit, OrExit, console};
use report::{terminal, terminal_in_colour, write_all};
use results::seal::signature::{PublicKey, verify};
use results::seal::{CHAIN, Problem, SIGNATURE, SealedSession};
use serde::Serialize;

pub use args::VerifyArgs;

/// Verifies every session, prints what was found and returns the exit code.
///
/// # Errors
/// A session or the key cannot be read, or standard output cannot be written.
pub fn run(args: &VerifyArgs) -> Result<Exit, Coded> {
    let key = args.signed_by.as_deref().map(read_key).transpose()?;
    let mut exit = Exit::Holds;
    let mut verified = Vec::new();
    for path in &args.sessions {
        if ::lifecycle::is_lifecycle(path) {
            let (found, of_it) = lifecycle_session(path, args)?;
            verified.push(found);
            exit = worse(exit, of_it);
            continue;
        }
        let opened = Opened::open(path)?;
        let mut problems = opened.problems();
        problems.extend(key.as_ref().and_then(|key| signature_problem(&opened, key)));
        console::answer(&text(path, &opened.session, &problems, key.is_some()))?;
        verified.push(Verified::of(path, &opened.session, &problems));
        if let Some(folder) = &args.rebuild {
            rebuild(&opened.session, &place_of(folder, path, args.sessions.len() > 1))?;
        }
        let of_it = exit_of(problems.is_empty(), opened.session.chain.end.is_some());
        exit = worse(exit, of_it);
    }
    console::data("sessions", &verified)?;
    Ok(exit)
}

/// The exit code of one session.
const fn exit_of(holds: bool, ended: bool) -> Exit {
    match (holds, ended) {
        (false, _) => Exit::NotVerified,
        (true, false) => Exit::Invalid,
        (true, true) => Exit::Holds,
    }
}

/// The exit code of sessions that were verified, after one more.
fn worse(exit: Exit, of_it: Exit) -> Exit {
    if of_it == Exit::NotVerified || exit == Exit::Holds { of_it } else { exit }
}

/// Verifies a session of machines' lives, and prints what was found.
fn lifecycle_session(path: &Path, args: &VerifyArgs) -> Result<(Verified, Exit), Coded> {
    for (given, option) in [(args.signed_by.is_some(), "--signed-by"), (args.rebuild.is_some(), "--rebuild")]
    {
        if given {
            let error = anyhow!("{option}: {}: a lifecycle session has neither", path.display());
            return Err(error).or_exit(Exit::Unsupported);
        }
    }
    let found = lifecycle::verified(path)?;
    let mut text = format!("{}\n  recorded by {}, session {}\n", path.display(), found.tool, found.session);
    text += &format!("  {} machines, head of the ledger {}\n", found.cycles, found.head);
    if !found.ended {
        text += "  INCOMPLETE: the ledger has no end: the session still runs, or was killed\n";
    }
    if found.problems.is_empty() {
        text += "VERIFIED: the results follow from the logs and the recorded times\n";
        text += "  recorded, not derived: when each line arrived, what was left, the commands\n";
    } else {
        text += &format!("NOT VERIFIED: {}\n", found.problems.len());
        for problem in &found.problems {
            text += &format!("  {problem}\n");
        }
    }
    console::answer(&text)?;
    let exit = exit_of(found.problems.is_empty(), found.ended);
    let incomplete = found.results.as_ref().and_then(|results| results.incomplete.clone());
    let verified = Verified {
        path: path.to_owned(),
        tool: found.tool,
        session: found.session,
        runs: found.cycles,
        head: found.head.to_string(),
        ended: found.ended,
        incomplete,
        verified: found.problems.is_empty(),
        problems: found.problems.iter().map(Difference::of).collect(),
    };
    Ok((verified, exit))
}

/// What was found of a session, for a program.
#[derive(Serialize)]
struct Verified {
    path: PathBuf,
    /// What recorded it.
    tool: String,
    session: String,
    runs: usize,
    /// The head of its chain.
    head: String,
    /// Whether its chain has an end: it was neither killed, nor does it still run.
    ended: bool,
    /// Why it ended early.
    incomplete: Option<String>,
    verified: bool,
    problems: Vec<Difference>,
}

/// Something that does not verify.
#[derive(Serialize)]
struct Difference {
    place: String,
    detail: String,
}

impl Difference {
    fn of(problem: &Problem) -> Self {
        let Problem { place, detail } = problem;
        Self { place: place.clone(), detail: detail.clone() }
    }
}

impl Verified {
    fn of(path: &Path, session: &SealedSession, problems: &[Problem]) -> Self {
        let chain = &session.chain;
        Self {
            path: path.to_owned(),
            tool: chain.commitment.tool.to_string(),
            session: chain.commitment.session.to_string(),
            runs: session.runs(),
            head: chain.head.to_string(),
            ended: chain.end.is_some(),
            incomplete: chain.end.as_ref().and_then(|end| end.incomplete.clone()),
            verified: problems.is_empty(),
            problems: problems.iter().map(Difference::of).collect(),
        }
    }
}

/// Where the results of one of several sessions go: each has a folder of its own.
fn place_of(folder: &Path, session: &Path, several: bool) -> PathBuf {
    match session.file_name().filter(|_| several) {
        Some(name) => folder.join(name),
        None => folder.to_owned(),
    }
}

/// Writes the results of every set of a session into `folder`, and prints them.
fn rebuild(session: &SealedSession, folder: &Path) -> Result<(), Coded> {
    for (number, set) in session.sets().iter().enumerate() {
        let results = session.results(number);
        let folder = set.row.as_ref().map_or_else(|| folder.to_owned(), |row| folder.join(row));
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        write_all(&folder, &results).or_exit(Exit::Output)?;
        let text = if console::has_colours() { terminal_in_colour } else { terminal };
        console::answer(&format!("\n{}\nwritten into {}\n", text(&results), folder.display()))?;
    }
    Ok(())
}

fn read_key(path: &Path) -> Result<PublicKey, Coded> {
    let text =
        fs::read_to_string(path).with_context(|| path.display().to_string()).or_exit(Exit::BadInput)?;
    PublicKey::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display())).or_exit(Exit::BadInput)
}

/// What is wrong with the signature of a session.
fn signature_problem(opened: &Opened, key: &PublicKey) -> Option<Problem> {
    let [chain, signature] = [CHAIN, SIGNATURE].map(|name| opened.session.folder.join(name));
    let verified = fs::read(&chain)
        .and_then(|chain| Ok((chain, fs::read_to_string(&signature)?)))
        .map_err(|error| format!("cannot be read: {error}"))
        .and_then(|(chain, signature)| verify(key, &chain, &signature).map_err(|error| error.to_string()));
    verified.err().map(|detail| Problem { place: opened.shown(&signature.display().to_string()), detail })
}

/// What was found of a session, for people.
fn text(path: &Path, session: &SealedSession, problems: &[Problem], signed: bool) -> String {
    let chain = &session.chain;
    let mut text = format!("{}\n", path.display());
    let commitment = &chain.commitment;
    text += &format!("  recorded by {}, session {}\n", commitment.tool, commitment.session);
    let lines = 1 + chain.entries.len() + usize::from(chain.end.is_some());
    text += &format!("  {} runs, {lines} lines of the chain, its head {}\n", session.runs(), chain.head);
    match &chain.end {
        None => text += "  INCOMPLETE: the chain has no end: the session still runs, or was killed\n",
        Some(end) => {
            if let Some(why) = &end.incomplete {
                text += &format!("  incomplete: {why}\n");
            }
        }
    }
    if problems.is_empty() {
        let signed = if signed { "; the signature is of the key" } else { "" };
        text += &format!("VERIFIED: the results follow from the logs and the recorded evidence{signed}\n");
        text += "  recorded, not derived: environment, commands, times, what the host observed\n";
        return text;
    }
    text += &format!("NOT VERIFIED: {}\n", problems.len());
    for problem in problems {
        text += &format!("  {problem}\n");
    }
    let ours = crate::tool::tool();
    if commitment.tool != ours {
        text += &format!("  this is {ours}: another version may judge by other rules\n");
    }
    text
}
