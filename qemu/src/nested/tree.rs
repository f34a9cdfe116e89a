//! The files of an L1 guest, and their initramfs: a cpio archive (Linux,
//! Documentation/driver-api/early-userspace/buffer-format.rst).

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use cpio::newc::{self, Builder};

use super::{NestedError, closure};
use crate::file_error::FileError;

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const PLAIN: u32 = 0o100_644;

/// Files by their absolute paths in the guest.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    files: BTreeMap<PathBuf, Content>,
    folders: BTreeSet<PathBuf>,
}

#[derive(Clone, Debug)]
enum Content {
    /// A file of this machine, or what a link leads to.
    Of(PathBuf),
    /// These bytes, as a program.
    Bytes(Vec<u8>),
}

impl Tree {
    /// Adds a file of this machine at its own place. What a link leads to is copied.
    pub fn add(&mut self, path: &Path) {
        self.add_at(path, path);
    }

    /// Adds a file of this machine at another place.
    pub fn add_at(&mut self, place: &Path, path: &Path) {
        self.files.insert(absolute(place), Content::Of(absolute(path)));
    }

    /// Adds a program of this machine, and every library that it is linked to.
    ///
    /// # Errors
    /// A library is missing.
    pub fn add_program(&mut self, path: &Path) -> Result<(), NestedError> {
        self.add(path);
        closure::libraries(path)?.iter().for_each(|library| self.add(library));
        Ok(())
    }

    /// Adds a program with this content.
    pub fn add_bytes(&mut self, place: &str, content: Vec<u8>) {
        self.files.insert(place.into(), Content::Bytes(content));
    }

    /// Adds an empty folder.
    pub fn add_folder(&mut self, place: &Path) {
        self.folders.insert(absolute(place));
    }

    /// Adds a folder of this machine with all that is in it.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn add_all_of(&mut self, folder: &Path) -> Result<(), NestedError> {
        let unreadable = |source| FileError::Unreadable { path: folder.to_owned(), source };
        self.add_folder(folder);
        for entry in folder.read_dir().map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.is_dir() { self.add_all_of(&path)? } else { self.add(&path) }
        }
        Ok(())
    }

    /// Writes the archive into the file `into`.
    ///
    /// # Errors
    /// A file cannot be read, or the archive cannot be written.
    pub fn write(&self, into: &Path) -> Result<(), NestedError> {
        let unwritable = |source| FileError::Unwritable { path: into.to_owned(), source };
        let mut out = BufWriter::with_capacity(1 << 20, File::create(into).map_err(unwritable)?);
        let folders = self.all_folders();
        for (inode, folder) in (1..).zip(&folders) {
            let entry = Builder::new(&name_of(folder)).ino(inode).mode(FOLDER).nlink(2);
            out = entry.write(out, 0).finish().map_err(unwritable)?;
        }
        let first = u32::try_from(folders.len()).unwrap_or(0) + 1;
        for (inode, (place, content)) in (first..).zip(&self.files) {
            let (bytes, mode) = content.read().map_err(|source| match content {
                Content::Of(path) => FileError::Unreadable { path: path.clone(), source },
                Content::Bytes(_) => unwritable(source),
            })?;
            let entry = Builder::new(&name_of(place)).ino(inode).mode(mode).nlink(1);
            let length =
                u32::try_from(bytes.len()).map_err(|_| unwritable(io::ErrorKind::FileTooLarge.into()))?;
            let mut writer = entry.write(out, length);
            writer.write_all(&bytes).map_err(unwritable)?;
            out = writer.finish().map_err(unwritable)?;
        }
        Ok(newc::trailer(out).and_then(|mut out| out.flush()).map_err(unwritable)?)
    }

    /// Every folder, its parents first.
    fn all_folders(&self) -> BTreeSet<PathBuf> {
        let parents = self.files.keys().flat_map(|path| path.ancestors().skip(1));
        let named = self.folders.iter().flat_map(|path| path.ancestors());
        parents.chain(named).filter(|path| path.parent().is_some()).map(Path::to_owned).collect()
    }
}

impl Content {
    fn read(&self) -> io::Result<(Vec<u8>, u32)> {
        match self {
            Self::Bytes(bytes) => Ok((bytes.clone(), PROGRAM)),
            Self::Of(path) => {
                let bytes = std::fs::read(path)?;
                let runs = path.metadata()?.permissions().mode() & 0o111 != 0;
                Ok((bytes, if runs { PROGRAM } else { PLAIN }))
            }
        }
    }
}

/// Absolute, and without `..`, which Linux's unpacker does not understand.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for part in path.components() {
        if part == std::path::Component::ParentDir {
            plain.pop();
        } else {
            plain.push(part)
        }
    }
    plain
}

/// A path's name in the archive: relative to the root.
fn name_of(path: &Path) -> String {
    path.strip_prefix("/").unwrap_or(path).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn entries(archive: &Path) -> Vec<(String, u32, Vec<u8>)> {
        let mut rest = File::open(archive).unwrap();
        let mut found = Vec::new();
        loop {
            let mut reader = newc::Reader::new(rest).unwrap();
            if reader.entry().is_trailer() {
                return found;
            }
            let (name, mode) = (reader.entry().name().to_owned(), reader.entry().mode());
            let mut data = Vec::new();
            reader.read_to_end(&mut data).unwrap();
            rest = reader.finish().unwrap();
            found.push((name, mode, data));
        }
    }

    #[test]
    fn has_files_at_their_places_behind_their_folders() {
        let here = tempfile::tempdir().unwrap();
        let (file, link) = (here.path().join("a file"), here.path().join("link"));
        std::fs::write(&file, "content").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let mut tree = Tree::default();
        tree.add_at(Path::new("/x/../y/z/file"), &file);
        tree.add_at(Path::new("/y/link"), &link);
        tree.add_bytes("/init", b"program".to_vec());
        tree.add_folder(Path::new("/proc"));
        let archive = here.path().join("archive");
        tree.write(&archive).unwrap();
        let expected = [
            ("proc", FOLDER, ""),
            ("y", FOLDER, ""),
            ("y/z", FOLDER, ""),
            ("init", PROGRAM, "program"),
            ("y/link", PLAIN, "content"),
            ("y/z/file", PLAIN, "content"),
        ];
        let expected = expected.map(|(name, mode, data)| (name.to_owned(), mode, data.as_bytes().to_vec()));
        assert_eq!(entries(&archive), expected);
    }

    #[test]
    fn names_a_file_that_is_missing() {
        let here = tempfile::tempdir().unwrap();
        let mut tree = Tree::default();
        tree.add(Path::new("/nowhere/at/all"));
        let message = tree.write(&here.path().join("archive")).unwrap_err().to_string();
        assert!(message.starts_with("/nowhere/at/all: "), "{message}");
    }

    #[test]
    fn takes_a_whole_folder() {
        let here = tempfile::tempdir().unwrap();
        std::fs::create_dir(here.path().join("inner")).unwrap();
        std::fs::write(here.path().join("inner/file"), "").unwrap();
        let mut tree = Tree::default();
        tree.add_all_of(here.path()).unwrap();
        assert_eq!(tree.files.keys().collect::<Vec<_>>(), [&here.path().join("inner/file")]);
        assert!(tree.all_folders().contains(&here.path().join("inner")));
    }
}
