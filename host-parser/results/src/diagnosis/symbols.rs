//! Addresses to functions and lines, by the kernel's unstripped ELF.

use std::fmt;

use abi::wire::Hex64;
use addr2line::gimli::{self, Dwarf, EndianSlice, LittleEndian};
use addr2line::{Context, FrameIter, demangle_auto};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};
use serde::{Deserialize, Serialize};

type Reader<'a> = EndianSlice<'a, LittleEndian>;

/// The folders, below the workspace, of the source that the kernel is built from and that is ours.
const OWN_SOURCES: [&str; 3] = ["abi/src/", "harness/src/", "kernel/src/"];

/// The names of one kernel's addresses.
pub struct Symbols<'a> {
    lines: Context<Reader<'a>>,
    /// Start, end and name of every function, by address: for code written in assembly.
    functions: Vec<(u64, u64, &'a str)>,
}

/// Why there are no names for addresses.
#[derive(Debug, thiserror::Error)]
pub enum SymbolsError {
    /// Not an ELF, or one with broken contents.
    #[error("not an ELF with symbols: {0}")]
    Unreadable(String),
    /// It does not show whether it is the kernel that ran.
    #[error("it has no build ID")]
    NoBuildId,
    /// It belongs to other code.
    #[error("its build ID begins with {found}, that of the kernel that ran with {expected}")]
    OtherKernel {
        /// In the ELF.
        found: Hex64,
        /// In the kernel that ran.
        expected: Hex64,
    },
    /// A stripped kernel.
    #[error("it has neither lines nor function names: expected the kernel as it was before it was stripped")]
    Stripped,
}

/// A place in the source: a function, and those that it was inlined into, innermost first. Never empty.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Place {
    /// The functions.
    pub frames: Vec<Frame>,
}

/// A function, and a line in it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Frame {
    /// The function; one that was inlined goes without its module.
    pub function: String,
    /// The file: its crate's folder, `src/` and the rest, such as `kernel/src/panic.rs`.
    pub file: Option<String>,
    /// The line.
    pub line: Option<u32>,
}

impl<'a> Symbols<'a> {
    /// Reads the ELF of the kernel whose build ID begins with `build`.
    ///
    /// # Errors
    /// Why its addresses cannot be trusted, or have no names.
    pub fn parse(elf: &'a [u8], build: Hex64) -> Result<Self, SymbolsError> {
        let file = object::File::parse(elf).map_err(unreadable)?;
        let id = file.build_id().map_err(unreadable)?.and_then(|id| id.first_chunk());
        let found = Hex64(u64::from_be_bytes(*id.ok_or(SymbolsError::NoBuildId)?));
        if found != build {
            return Err(SymbolsError::OtherKernel { found, expected: build });
        }
        let section = |id: gimli::SectionId| {
            let section = file.section_by_name(id.name());
            let data = section.map_or(Ok(&[][..]), |section| section.data());
            data.map(|data| EndianSlice::new(data, LittleEndian)).map_err(unreadable)
        };
        let lines = Context::from_dwarf(Dwarf::load(section)?).map_err(unreadable)?;
        let functions = functions(&file);
        let has_lines = file.section_by_name(".debug_line").is_some();
        if functions.is_empty() && !has_lines {
            return Err(SymbolsError::Stripped);
        }
        Ok(Self { lines, functions })
    }

    /// The place of an instruction: the kernel's own function at it, below any library code that was inlined there.
    /// `None` if nothing of the kernel is.
    #[must_use]
    pub fn place(&self, address: u64) -> Option<Place> {
        let frames = self.frames(address);
        let own = frames.iter().position(Frame::is_own);
        let frames = match own {
            Some(first) => frames[first..].iter().filter(|frame| frame.is_own()).cloned().collect(),
            None => frames.into_iter().take(1).collect(),
        };
        Some(Place { frames }).filter(|place| !place.frames.is_empty()).or_else(|| self.function(address))
    }

    /// The place of a line of source, as a panic names it: `kernel/src/control.rs`, 42.
    #[must_use]
    pub fn place_of_line(&self, file: &str, line: u32) -> Option<Place> {
        let is_it = |frame: &Frame| frame.line == Some(line) && frame.file.as_deref() == Some(file);
        let lines = self.lines.find_location_range(0, u64::MAX).ok()?;
        let at_line = lines.filter(|(_, _, location)| {
            location.line == Some(line) && location.file.is_some_and(|path| short(path) == file)
        });
        at_line.map(|(address, _, _)| self.frames(address)).find_map(|mut frames| {
            let first = frames.iter().position(is_it)?;
            frames.drain(..first);
            Some(Place { frames })
        })
    }

    /// Every function at an address, innermost first.
    fn frames(&self, address: u64) -> Vec<Frame> {
        let found = self.lines.find_frames(address).skip_all_loads();
        found.map(frames).unwrap_or_default()
    }

    /// The function that an address is in, by the symbol table.
    fn function(&self, address: u64) -> Option<Place> {
        let after = self.functions.partition_point(|&(start, ..)| start <= address);
        let &(_, end, name) = self.functions[..after].last()?;
        let function = demangle_auto(name.into(), None).into_owned();
        (address < end).then(|| Place { frames: vec![Frame { function, file: None, line: None }] })
    }
}

fn unreadable(error: impl fmt::Display) -> SymbolsError {
    SymbolsError::Unreadable(error.to_string())
}

fn frames(mut found: FrameIter<'_, Reader<'_>>) -> Vec<Frame> {
    let mut frames = Vec::new();
    // A broken entry ends the list.
    while let Ok(Some(frame)) = found.next() {
        let Some(Ok(function)) = frame.function.as_ref().map(|name| name.demangle()) else { continue };
        let file = frame.location.as_ref().and_then(|location| location.file).map(short);
        let line = frame.location.as_ref().and_then(|location| location.line);
        frames.push(Frame { function: function.into_owned(), file, line });
    }
    frames
}

/// The functions of the symbol table. One of assembly need not have a size: it ends where the next one begins.
fn functions<'a>(file: &object::File<'a>) -> Vec<(u64, u64, &'a str)> {
    let text = file.symbols().filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.is_definition());
    let named = text.filter_map(|symbol| Some((symbol.address(), symbol.size(), symbol.name().ok()?)));
    let mut functions: Vec<_> = named.filter(|(_, _, name)| !name.is_empty()).collect();
    functions.sort_unstable();
    let starts: Vec<u64> = functions.iter().map(|&(start, ..)| start).collect();
    for (function, next) in functions.iter_mut().zip(starts.into_iter().skip(1).chain([u64::MAX])) {
        let (start, size, _) = *function;
        function.1 = if size == 0 { next } else { start.saturating_add(size) };
    }
    functions
}

/// A path from the last `src` on, with the folder that it is in.
fn short(path: &str) -> String {
    let source = path.rfind("/src/").unwrap_or(0);
    let folder = path[..source].rfind('/').map_or(0, |slash| slash + 1);
    path[folder..].to_owned()
}

impl Frame {
    fn is_own(&self) -> bool {
        let file = self.file.as_deref().unwrap_or_default();
        OWN_SOURCES.iter().any(|folder| file.starts_with(folder))
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.function)?;
        match (&self.file, self.line) {
            (Some(file), Some(line)) => write!(f, " at {file}:{line}"),
            (Some(file), None) => write!(f, " at {file}"),
            (None, _) => Ok(()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, frame) in self.frames.iter().enumerate() {
            write!(f, "{}{frame}", if index == 0 { "" } else { ", in " })?;
        }
        Ok(())
    }
}
