//! `assay image`: an experiment as images that boot anywhere, in the forms that firmware, hypervisors and clouds take.
//!
//! All of them hold the same: kernel, plan, worker and boot configuration. What a form looks like is the image tool's
//! business; here is what goes into it, what it is called, and what became of it.

mod args;
mod form;
mod listing;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use host_parser::boot_config::BootConfig;
use host_parser::manifest::Manifest;
use host_parser::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk_with};
use host_parser::results::write_atomically;
use lab::{Coded, Exit, OrExit, console, image_tool};

pub use args::ImageArgs;

use form::Form;

/// What an image's boot configuration says unless it is told otherwise. A cloud's serial log can be gone with the
/// machine (GCE), and on a screen somebody has to have the time to read.
const AFTER: &str = "after=linger:600";

/// Makes the images and says what they are.
///
/// # Errors
/// Whatever is missing or broken by its name, a file that cannot be written, or that it was interrupted.
pub fn run(args: &ImageArgs) -> Result<Exit, Coded> {
    let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
    let config = config(args)?;
    let built = &args.built;
    let blob = WorkerBlob::load(&built.workers, manifest.program()).or_exit(Exit::Environment)?;
    let kernel = built.paths().read_kernel()?;
    let plan = plan(&manifest, &blob)?;
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
            // What a VMM boots directly is no image: these two are enough.
            None => {
                let file = |name: &str, bytes: &[u8]| {
                    write_atomically(&path.join(name), |out| out.write_all(bytes)).or_exit(Exit::Output)
                };
                fs::create_dir_all(path).with_context(|| path.display().to_string()).or_exit(Exit::Output)?;
                file("assay-kernel", &kernel)?;
                file("ramdisk.tar", &ramdisk)?;
            }
        }
    }
    if !made.is_empty() {
        image_tool::run(&mut tool, &made, &cancel)?;
    }

    let settings = config.words().collect::<Vec<_>>().join(" ");
    let files = listing::Listing::of(&args.out, &outputs)?;
    files.write_sums()?;
    console::answer(&format!("{files}\nplan {}; boot configuration: {settings}\n", plan.digest()))?;
    Ok(Exit::Holds)
}

/// The boot configuration: what was asked for, and otherwise a machine that stays up for a while.
fn config(args: &ImageArgs) -> Result<BootConfig, Coded> {
    let mut config = BootConfig::default();
    for word in std::iter::once(AFTER).chain(args.settings.iter().map(String::as_str)) {
        config.set(word).or_exit(Exit::Usage)?;
    }
    Ok(config)
}

/// One boot runs all that the manifest runs in many: its rounds are the plan's iterations.
fn plan(manifest: &Manifest, blob: &WorkerBlob) -> Result<PlanBytes, Coded> {
    let options = PlanOptions { iterations: manifest.rounds(), ..PlanOptions::default() };
    PlanBytes::new(manifest, blob, manifest.cases(), options).or_exit(Exit::BadInput)
}

/// The forms asked for, each once, and where they go.
fn outputs(args: &ImageArgs, manifest: &Manifest) -> Vec<(Form, PathBuf)> {
    let asked = |form: &Form| args.format.is_empty() || args.format.contains(form);
    let path = |form: Form| (form, args.out.join(form.file_name(manifest.name().as_str())));
    Form::ALL.into_iter().filter(asked).map(path).collect()
}
