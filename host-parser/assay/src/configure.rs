//! `assay configure`: shows the boot configuration of an image or a stick, and changes it in place.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;
use experiment::boot_config::ImageFile;
use lab::{Coded, Exit, OrExit, console};

/// `assay configure`.
#[derive(Args, Debug)]
pub struct ConfigureArgs {
    /// Disk image, ISO or block device, changed in place
    pub image: PathBuf,
    /// Settings, such as serial=com2 or after=linger:600; KEY= removes one
    #[arg(value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
}

/// Applies the settings and prints the resulting configuration.
///
/// # Errors
/// The image has no boot configuration or cannot be written, or the kernel does not know a setting.
pub fn run(args: &ConfigureArgs) -> Result<Exit, Coded> {
    let write = !args.settings.is_empty();
    let mut image = ImageFile::open(&args.image, write).or_exit(Exit::BadInput)?;
    for word in &args.settings {
        image.config.set(word).or_exit(Exit::Usage)?;
    }
    if write {
        image.write().or_exit(Exit::Output)?;
    }
    console::data("image", &args.image)?;
    console::data("copies", &image.copies())?;
    console::data("settings", &image.config.words().collect::<Vec<_>>())?;
    let copies = match image.copies() {
        1 => String::new(),
        n => format!(", {n} copies"),
    };
    let mut text = format!("{}{copies}:\n", args.image.display());
    for word in image.config.words() {
        let _ = writeln!(text, "  {word}");
    }
    if image.config.words().next().is_none() {
        text += "  nothing set: the kernel's defaults\n";
    }
    console::answer(&text)?;
    Ok(Exit::Holds)
}
