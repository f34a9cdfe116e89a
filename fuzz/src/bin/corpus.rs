//! Unpacks the corpus for the fuzzer, and adds what it found. `tools/fuzz.sh` calls it; README.md says how to use it.

// tools/fuzz.sh compiles this package with the fuzzer's instrumentation, which needs the fuzzer's library.
#[cfg(fuzzing)]
use libfuzzer_sys as _;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use assay_fuzz::TARGETS;
use assay_fuzz::corpus::{Archive, inputs, is_name};

const USAGE: &str = "usage: corpus unpack FOLDER TARGET...   write each target's inputs to FOLDER/TARGET/
       corpus add TARGET PATH...          add files, or the files of folders, to TARGET's archive
       corpus add-as NAME TARGET FILE     add one file under a name that says what it shows";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        ["unpack", folder, targets @ ..] => targets.iter().try_for_each(|target| unpack(folder, target)),
        ["add", target, paths @ ..] => add(target, paths),
        ["add-as", name, target, file] => add_as(name, target, file),
        _ => Err(io::Error::other(USAGE)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

/// Writes the inputs of a target to its folder, which afterwards holds no other file.
fn unpack(folder: &str, target: &str) -> io::Result<()> {
    is_target(target)?;
    let folder = Path::new(folder).join(target);
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::create_dir_all(&folder)?,
    }
    inputs(target)?.into_iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes))
}

/// Adds all files to a target's archive, without names.
fn add(target: &str, paths: &[&str]) -> io::Result<()> {
    let files = paths.iter().map(|path| files(Path::new(path))).collect::<io::Result<Vec<_>>>()?.concat();
    extend(target, None, &files)
}

/// Adds one file to a target's archive.
fn add_as(name: &str, target: &str, file: &str) -> io::Result<()> {
    if !is_name(name) {
        return Err(io::Error::other(format!("{name}: a name has letters, digits, '-', '_' and '.'")));
    }
    extend(target, Some(name), &[file.into()])
}

fn extend(target: &str, name: Option<&str>, files: &[PathBuf]) -> io::Result<()> {
    is_target(target)?;
    let kept: Vec<Vec<u8>> = inputs(target)?.into_iter().map(|(_, bytes)| bytes).collect();
    let mut archive = Archive::load(target)?;
    let mut added = 0;
    for file in files {
        let bytes = fs::read(file)?;
        // Seeds are made by code and need not be kept.
        if !kept.contains(&bytes) && archive.add(name, bytes) {
            added += 1;
        }
    }
    if added > 0 {
        archive.save(target)?;
    }
    println!(
        "{target}: {added} of {} inputs are new; the archive has {}",
        files.len(),
        archive.inputs().len()
    );
    Ok(())
}

/// The file itself, or the files of a folder.
fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect()
}

fn is_target(target: &str) -> io::Result<()> {
    match TARGETS.iter().any(|(name, _)| *name == target) {
        true => Ok(()),
        false => Err(io::Error::other(format!("no such target: {target}"))),
    }
}
