//! Outputs that are either whole or untouched. Each is built under a temporary name in its own directory and then
//! renamed; a rename is atomic only within a file system.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::{Builder, NamedTempFile, TempDir};

/// An output under construction. Dropping it removes it.
pub struct Staged {
    file: NamedTempFile,
    destination: PathBuf,
}

impl Staged {
    /// Starts an empty output for `destination` and creates its directory if it is missing.
    pub fn new(destination: &Path) -> Result<Self> {
        // The umask applies to this mode. The usual mode of a temporary file, 0600, would remain on the image.
        let file = Builder::new()
            .prefix(".assay-image-")
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(directory_of(destination)?)
            .with_context(|| format!("{}: cannot create a file beside it", destination.display()))?;
        Ok(Self { file, destination: destination.to_owned() })
    }

    /// The file to build the output in.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// The path of that file, for another program.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Gives the finished output its name and replaces any older file.
    pub fn publish(self) -> Result<()> {
        let Self { file, destination } = self;
        file.persist(&destination)
            .with_context(|| format!("{}: cannot be replaced", destination.display()))?;
        let bytes = fs::metadata(&destination)?.len();
        println!("{} ({} KiB)", destination.display(), bytes.div_ceil(1024));
        Ok(())
    }
}

/// Makes a directory for intermediate files beside `destination`. Dropping it removes it.
pub fn scratch(destination: &Path) -> Result<TempDir> {
    Builder::new()
        .prefix(".assay-image-")
        .tempdir_in(directory_of(destination)?)
        .with_context(|| format!("{}: cannot create a directory beside it", destination.display()))
}

fn directory_of(destination: &Path) -> Result<&Path> {
    let directory = match destination.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(directory).with_context(|| format!("{}: cannot create it", directory.display()))?;
    Ok(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publishing_replaces_an_older_file() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("made/on/demand/image");
        for content in ["first", "second"] {
            let staged = Staged::new(&destination).unwrap();
            fs::write(staged.path(), content).unwrap();
            staged.publish().unwrap();
            assert_eq!(fs::read_to_string(&destination).unwrap(), content);
        }
    }

    #[test]
    fn an_abandoned_output_leaves_the_old_one_and_no_litter() {
        let dir = tempfile::tempdir().unwrap();
        let destination = dir.path().join("image");
        fs::write(&destination, "old").unwrap();
        let staged = Staged::new(&destination).unwrap();
        fs::write(staged.path(), "half").unwrap();
        drop(staged);
        assert_eq!(fs::read_to_string(&destination).unwrap(), "old");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_bare_file_name_means_the_current_directory() {
        assert_eq!(directory_of(Path::new("image")).unwrap(), Path::new("."));
    }
}
