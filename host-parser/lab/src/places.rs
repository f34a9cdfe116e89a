//! Where the files of a build are, and where sessions go: the one place that decides.
//!
//! A command finds what it needs from any folder. What decides is where the program itself lies:
//!
//! | the program | files | sessions |
//! |---|---|---|
//! | in the target folder of a checkout | of the checkout in the current folder, if that has a kernel; else of its own | target/ there |
//! | in BIN, and BIN/../lib/assay exists | BIN/../lib/assay | XDG_DATA_HOME/assay/sessions |
//! | elsewhere, and `assay` exists in XDG_DATA_HOME or in one of XDG_DATA_DIRS | there | XDG_DATA_HOME/assay/sessions |
//! | elsewhere | of the checkout in the current folder | target/ there |
//!
//! All files come from one such place: a kernel of one build is never paired with the workers of another. The variables
//! and their defaults are those of the XDG Base Directory Specification, version 0.8; a relative path in one is ignored.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The name of our folders below those of the system and the user.
const NAME: &str = "assay";
/// What shows that a folder is a checkout with a build.
const BUILT: &str = "target/kernel/assay-kernel";

/// Where files are and go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Places {
    files: Files,
    /// Where the user's data go: XDG_DATA_HOME/assay.
    data: PathBuf,
    /// What can be fetched again: XDG_CACHE_HOME/assay.
    cache: PathBuf,
    /// The folder of this program.
    programs: PathBuf,
}

/// Where the files of the build are.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Files {
    /// In a checkout; the empty path is the current folder.
    Checkout(PathBuf),
    /// In the folder that `make install` or the archive of `make dist` made.
    Installed(PathBuf),
}

impl Places {
    /// For this process.
    pub fn here() -> &'static Self {
        static HERE: OnceLock<Places> = OnceLock::new();
        HERE.get_or_init(|| {
            Self::decide(&program(), &env::current_dir().unwrap_or_default(), |name| env::var_os(name))
        })
    }

    /// For a program at `program` that is started in `current` with these variables.
    fn decide(program: &Path, current: &Path, variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let xdg = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let of_home =
            |below: &str| xdg("HOME").map_or_else(|| current.join(".assay"), |home| home.join(below));
        let data_home = xdg("XDG_DATA_HOME").unwrap_or_else(|| of_home(".local/share"));
        let cache_home = xdg("XDG_CACHE_HOME").unwrap_or_else(|| of_home(".cache"));
        let data_dirs = variable("XDG_DATA_DIRS").filter(|dirs| !dirs.is_empty());
        let data_dirs = data_dirs.unwrap_or_else(|| "/usr/local/share:/usr/share".into());

        let programs = program.parent().unwrap_or(Path::new("")).to_owned();
        let beside = programs.parent().map(|prefix| prefix.join("lib").join(NAME));
        let shared = env::split_paths(&data_dirs).filter(|path| path.is_absolute());
        let shared = std::iter::once(data_home.clone()).chain(shared).map(|folder| folder.join(NAME));
        let files = match checkout_of(&programs) {
            Some(own) if own == current || current.join(BUILT).exists() => Files::Checkout(PathBuf::new()),
            Some(own) => Files::Checkout(own),
            None => {
                let installed = beside.into_iter().chain(shared).find(|folder| is_installed(folder));
                installed.map_or(Files::Checkout(PathBuf::new()), Files::Installed)
            }
        };
        Self { files, data: data_home.join(NAME), cache: cache_home.join(NAME), programs }
    }

    /// The stripped kernel, as it goes into an image.
    pub fn kernel(&self) -> PathBuf {
        self.file(BUILT, "assay-kernel")
    }

    /// The kernel with its symbols.
    pub fn symbols(&self) -> PathBuf {
        self.file("target/x86_64-unknown-none/kernel/assay-kernel", "assay-kernel.symbols")
    }

    /// The folder of the kernels that lack checks.
    pub fn profiles(&self) -> PathBuf {
        self.file("target/profiles", "profiles")
    }

    /// The folder of the workers' programs.
    pub fn workers(&self) -> PathBuf {
        self.file("target/release", "workers")
    }

    /// The image tool.
    pub fn image_tool(&self) -> PathBuf {
        self.file("target/release/assay-image", "assay-image")
    }

    /// The static Linux twin.
    pub fn twin(&self) -> PathBuf {
        self.file("target/x86_64-unknown-linux-gnu/release/assay-twin", "assay-twin")
    }

    /// The program of `assay history` and `assay fleet`.
    pub fn keep(&self) -> PathBuf {
        let beside = self.programs.join("assay-keep");
        if beside.exists() { beside } else { self.file("target/release/assay-keep", "assay-keep") }
    }

    /// A file of the manifests' folder, or a folder in it; the folder itself for the empty name.
    pub fn in_manifests(&self, name: &str) -> PathBuf {
        let folder = self.file("manifests", "manifests");
        if name.is_empty() { folder } else { folder.join(name) }
    }

    /// The manifest that a command line names: the file itself if there is one, else that of this name among ours, with
    /// or without `manifests/` and `.toml`. What is not there at all stays as it was named, for the message.
    pub fn manifest(&self, named: &Path) -> PathBuf {
        if named.exists() || named.is_absolute() {
            return named.to_owned();
        }
        let below = named.strip_prefix("manifests").unwrap_or(named);
        let ours = self.in_manifests("").join(below);
        let mut with_end = ours.clone().into_os_string();
        with_end.push(".toml");
        let found = [ours, with_end.into()].into_iter().find(|path| path.exists());
        found.unwrap_or_else(|| named.to_owned())
    }

    /// Where sessions go: a folder for each experiment.
    pub fn sessions(&self) -> PathBuf {
        match &self.files {
            Files::Checkout(root) => root.join("target"),
            Files::Installed(_) => self.data.join("sessions"),
        }
    }

    /// Where images go.
    pub fn images(&self) -> PathBuf {
        match &self.files {
            Files::Checkout(root) => root.join("target/images"),
            Files::Installed(_) => PathBuf::from("assay-images"),
        }
    }

    /// The folder that keeps the distribution's Linux kernel.
    pub fn linux(&self) -> PathBuf {
        match &self.files {
            Files::Checkout(root) => root.join("target/linux"),
            Files::Installed(_) => self.cache.join("linux"),
        }
    }

    fn file(&self, of_checkout: &str, installed: &str) -> PathBuf {
        match &self.files {
            Files::Checkout(root) => root.join(of_checkout),
            Files::Installed(folder) => folder.join(installed),
        }
    }
}

/// This program's path. Without /proc, as in a plain root folder, it is what the caller named, if that is a path.
fn program() -> PathBuf {
    let named = || Some(PathBuf::from(env::args_os().next()?)).filter(|path| path.components().count() > 1);
    let absolute = || std::path::absolute(named()?).ok();
    env::current_exe().ok().or_else(absolute).unwrap_or_default()
}

/// The checkout in whose target folder this folder of programs is: CHECKOUT/target/PROFILE, with or without a target's
/// name before the profile.
fn checkout_of(programs: &Path) -> Option<PathBuf> {
    let above = programs.ancestors().skip(1).take(2);
    let target = above.into_iter().find(|folder| folder.file_name().is_some_and(|name| name == "target"))?;
    let root = target.parent()?;
    root.join("manifests").is_dir().then(|| root.to_owned())
}

fn is_installed(folder: &Path) -> bool {
    folder.join("assay-kernel").is_file()
}

#[cfg(test)]
#[path = "places_tests.rs"]
mod tests;
