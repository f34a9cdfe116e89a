//! `assay new workload`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use abi::wire::Label;
use anyhow::{Context, anyhow};
use lab::{Coded, Exit, OrExit, console};

/// `assay new workload`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder to make; its last part is the name of the workload
    pub folder: PathBuf,
}

/// A file of the folder: its name, and its text. `NAME` stands for the workload's name in both.
const FILES: [(&str, &str); 5] = [
    ("NAME.rs", include_str!("workload/program.rs")),
    ("worker.rs", include_str!("workload/worker.rs")),
    ("oracle.rs", include_str!("workload/oracle.rs")),
    ("NAME.toml", include_str!("workload/manifest.toml")),
    ("README.md", include_str!("workload/README.md")),
];

/// Makes the folder, and prints how to go on.
///
/// # Errors
/// The name cannot be a workload's, the folder is there already, or a file cannot be written.
pub fn run(args: &Args) -> Result<Exit, Coded> {
    let folder = &args.folder;
    let name = name(folder).or_exit(Exit::Usage)?;
    let shown = folder.display().to_string();
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).with_context(|| shown.clone()).or_exit(Exit::Output)?;
    }
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(anyhow!("{shown}: is there already; give another name")).or_exit(Exit::Usage);
        }
        made => made.with_context(|| shown.clone()).or_exit(Exit::Output)?,
    }
    let steps = steps(&shown, &name);
    for (file, text) in FILES {
        let path = folder.join(file.replace("NAME", &name));
        let text = text.replace("COMMANDS", steps.trim_end()).replace("NAME", &name);
        fs::write(&path, text).with_context(|| path.display().to_string()).or_exit(Exit::Output)?;
    }
    console::data("folder", folder)?;
    console::data("commands", &steps)?;
    console::answer(&format!("{shown}: a workload that counts steps; to build and run it:\n\n{steps}"))?;
    Ok(Exit::Holds)
}

/// The name of a workload in `folder`: it is that of files, of a program in a ramdisk, and none of Assay's own.
fn name(folder: &Path) -> anyhow::Result<String> {
    let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    let fits = name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(plain);
    if !fits || Label::new(name).is_none() || ["worker", "oracle"].contains(&name) {
        return Err(anyhow!(
            "{}: a workload's name is 1 to 32 of a-z 0-9 _ -, begins with a letter, and is not `worker` or `oracle`",
            folder.display()
        ));
    }
    if workloads::by_name(name).is_some() {
        return Err(anyhow!("{name}: Assay has a workload of this name; give another"));
    }
    Ok(name.to_owned())
}

/// The commands that build and run it.
fn steps(folder: &str, name: &str) -> String {
    let quoted = |file: &str| {
        let path = format!("{folder}/{file}");
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
        if path.bytes().all(plain) { path } else { format!("'{}'", path.replace('\'', "'\\''")) }
    };
    let (program, source) = (quoted(name), quoted(&format!("{name}.rs")));
    let (oracle, method, answers) = (quoted("oracle"), quoted("oracle.rs"), quoted("oracle.txt"));
    let manifest = quoted(&format!("{name}.toml"));
    // A program is found in PATH if there is no slash in its name.
    let begun = if folder.starts_with('/') || folder.starts_with('.') { "" } else { "./" };
    format!(
        "rustc -O --edition 2024 --target x86_64-unknown-none -C strip=symbols \\\n    -o {program} {source}\n\
         rustc -O --edition 2024 -o {oracle} {method}\n\
         {begun}{oracle} > {answers}\n\
         assay run {manifest} --systems assay,native --rounds 1\n"
    )
}
