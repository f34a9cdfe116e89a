//! `assay image`: writes an experiment as bootable images, in the forms that firmware, hypervisors and clouds take.
//!
//! All forms have the same content: kernel, plan, worker and boot configuration. The image tool knows how each form is
//! laid out. This module decides the content and the file names, and lists the results.

mod args;
mod form;
mod listing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow};
use experiment::boot_config::BootConfig;
use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk_with};
use lab::{Coded, Exit, OrExit, Places, console, image_tool};
use results::write_atomically;

pub use args::ImageArgs;

use form::Form;

/// The default setting of an image's boot configuration: the machine stays up for a while. A cloud can drop the serial
/// log with the machine (GCE), and a person needs time to read a screen.
const AFTER: &str = "after=linger:600";

/// Makes the images and lists them.
///
/// # Errors
/// A file is missing or broken, an output cannot be written, or a signal interrupted the command.
pub fn run(args: &ImageArgs) -> Result<Exit, Coded> {
    let manifest = Manifest::load(&Places::here().manifest(&args.manifest)).or_exit(Exit::BadInput)?;
    let config = config(args)?;
    let built = &args.built;
    let blob = WorkerBlob::of_manifest(&built.workers, &manifest).or_exit(Exit::Environment)?;
    let kernel = built.paths().read_kernel()?;
    let plan = plan(&manifest, &blob, args.challenge)?;
    let ramdisk = ramdisk_with(&config, &plan, &[&blob]);
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;

    fs::create_dir_all(&args.out).with_context(|| args.out.display().to_string()).or_exit(Exit::Output)?;
    let scratch = tempfile::Builder::new().prefix(".assay-").tempdir_in(&args.out);
    let scratch = scratch.with_context(|| args.out.display().to_string()).or_exit(Exit::Output)?;
    let ramdisk_path = scratch.path().join("ramdisk");
    write_atomically(&ramdisk_path, |out| out.write_all(&ramdisk)).or_exit(Exit::Output)?;

    let outputs = outputs(args, &manifest);
    let mut tool = Command::new(&built.image_tool);
    tool.arg("--kernel").arg(&built.kernel).arg("--ramdisk").arg(&ramdisk_path);
    let mut made = Vec::new();
    for (form, path) in &outputs {
        match form.option() {
            Some(option) => {
                tool.arg(option).arg(path);
                made.push(path.as_path());
            }
            None => write_for_direct_boot(path, &kernel, &ramdisk)?,
        }
    }
    if !made.is_empty() {
        image_tool::run(&mut tool, &made, &cancel)?;
    }

    let settings = config.words().collect::<Vec<_>>().join(" ");
    let files = listing::Listing::of(&args.out, &outputs)?;
    files.write_sums()?;
    console::data("folder", &args.out)?;
    console::data("files", &files.files())?;
    console::data("plan", &plan.digest().to_string())?;
    console::data("settings", &config.words().collect::<Vec<_>>())?;
    console::answer(&format!(
        "{files}\n{}\nplan {}\nboot configuration: {settings}\n",
        what_runs(&manifest),
        plan.digest()
    ))?;
    Ok(Exit::Holds)
}

/// Writes the two files that a VMM needs to boot the kernel without firmware.
fn write_for_direct_boot(folder: &Path, kernel: &[u8], ramdisk: &[u8]) -> Result<(), Coded> {
    fs::create_dir_all(folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    for (name, bytes) in [("assay-kernel", kernel), ("ramdisk.tar", ramdisk)] {
        write_atomically(&folder.join(name), |out| out.write_all(bytes)).or_exit(Exit::Output)?;
    }
    Ok(())
}

/// The default boot configuration with the settings of the command line.
fn config(args: &ImageArgs) -> Result<BootConfig, Coded> {
    let mut config = BootConfig::default();
    for word in std::iter::once(AFTER).chain(args.settings.iter().map(String::as_str)) {
        config.set(word).or_exit(Exit::Usage)?;
    }
    Ok(config)
}

/// The plan of a single boot: every iteration of every round of the manifest is one of its own.
fn plan(manifest: &Manifest, blob: &WorkerBlob, challenge: u64) -> Result<PlanBytes, Coded> {
    let (rounds, iterations) = (manifest.rounds(), manifest.iterations());
    let too_many = || {
        anyhow!(
            "{rounds} rounds of {iterations} iterations: one boot runs a case at most {} times; lower `rounds`",
            u16::MAX
        )
    };
    let iterations = manifest.iterations_of_an_image().ok_or_else(too_many).or_exit(Exit::BadInput)?;
    let options = PlanOptions { iterations, challenge, ..PlanOptions::default() };
    PlanBytes::new(manifest, blob, manifest.cases(), options).or_exit(Exit::BadInput)
}

/// How often one boot of the image runs each case, and what that is made of.
fn what_runs(manifest: &Manifest) -> String {
    let (rounds, iterations) = (manifest.rounds(), manifest.iterations());
    match iterations {
        1 => format!("one boot runs each case {rounds} times: once in each round"),
        _ => {
            let all = u32::from(rounds) * u32::from(iterations);
            format!("one boot runs each case {all} times: {iterations} iterations in each of {rounds} rounds")
        }
    }
}

/// The requested forms, each once, with their paths.
fn outputs(args: &ImageArgs, manifest: &Manifest) -> Vec<(Form, PathBuf)> {
    let asked = |form: &Form| args.format.is_empty() || args.format.contains(form);
    let path = |form: Form| (form, args.out.join(form.file_name(manifest.name().as_str())));
    Form::ALL.into_iter().filter(asked).map(path).collect()
}
