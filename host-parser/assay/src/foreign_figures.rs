//! `--foreign`: figures of other tools, which every command that takes them shows and none judges.

use std::path::Path;

use clap::Args;
use foreign::{Figure, Figures, Unit};
use lab::{Coded, Exit, OrExit, console};
use serde::Serialize;

/// The option.
#[derive(Args, Clone, Debug, Default)]
pub struct ForeignArgs {
    /// Figures of another tool to show beside ours: TOOL=FILE with the output of one run; may be repeated
    ///
    /// kvm-unit-tests (what x86/vmexit.flat printed), hyperfine (its JSON), sel4bench (its JSON, or a console with it),
    /// memtest86+ (its serial log), kevlar (the console of its benchmarks). Foreign figures are shown as they are. No
    /// rule judges them.
    #[arg(long, value_name = "TOOL=FILE")]
    pub foreign: Vec<String>,
}

impl ForeignArgs {
    /// Reads all of them.
    ///
    /// # Errors
    /// An option names no tool, or a file cannot be read or has no figures.
    pub fn load(&self) -> Result<Vec<Figures>, Coded> {
        let all: Result<Vec<_>, _> = self.foreign.iter().map(|option| Figures::load(option)).collect();
        all.or_exit(Exit::BadInput)
    }
}

/// Adds the figures to the answer for a program.
///
/// # Errors
/// As of [`console::data`].
pub fn data(all: &[Figures]) -> Result<(), Coded> {
    console::data("foreign", &all.iter().map(ForeignData::of).collect::<Vec<_>>())
}

/// Figures of another tool, for a program.
#[derive(Serialize)]
struct ForeignData<'f> {
    tool: &'static str,
    file: &'f Path,
    /// What its figures are.
    kind: &'static str,
    figures: Vec<ForeignFigure<'f>>,
}

/// One of them.
#[derive(Serialize)]
struct ForeignFigure<'f> {
    name: &'f str,
    /// None if the tool has skipped it.
    value: Option<f64>,
    unit: Unit,
    samples: u64,
    note: &'f str,
}

impl<'f> ForeignData<'f> {
    fn of(figures: &'f Figures) -> Self {
        let figure = |of: &'f Figure| ForeignFigure {
            name: &of.name,
            value: of.value,
            unit: of.unit,
            samples: of.samples,
            note: &of.note,
        };
        let (tool, file) = (figures.tool, figures.path.as_path());
        Self { tool: tool.word(), file, kind: tool.kind(), figures: figures.all.iter().map(figure).collect() }
    }
}
