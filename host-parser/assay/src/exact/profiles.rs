//! `assay exact profiles`: what each check of the kernel costs, by kernels that were built without it.

use std::path::Path;

use abi::checks::{Check, Checks};
use abi::series::{SeriesRow, Tier};
use anyhow::anyhow;
use exact::Row;
use lab::{Coded, Exit, OrExit, console};
use serde::Serialize;

use super::args::ExactProfilesArgs;
use super::counted;
use super::text::grouped;
use crate::ending::Ending;

/// The folder of the kernel without any of the checks.
const ALL: &str = "all";

/// A kernel that was counted.
#[derive(Debug, Serialize)]
struct Profile {
    /// The check that it lacks, or `all`.
    without: &'static str,
    rows: Vec<ProfileRow>,
}

/// A row of it.
#[derive(Debug, Serialize)]
struct ProfileRow {
    name: String,
    /// The instructions of one operation.
    least: u64,
    /// How many more than those of the kernel with all checks.
    more: i64,
}

/// Counts the kernel, and the kernels that lack checks, and prints one table.
///
/// # Errors
/// A kernel is missing, lacks other checks than its folder says, or cannot be run.
pub fn run(args: &ExactProfilesArgs) -> Result<Ending, Coded> {
    let kernel = |without: &str| args.folder.join(without).join("assay-kernel");
    if let Some(missing) = all().map(|(without, _)| kernel(without)).find(|kernel| !kernel.exists()) {
        return Err(anyhow!("{}: no such kernel; `make run-profiles` builds it", missing.display()))
            .or_exit(Exit::Environment);
    }
    let whole = mechanisms(counted::count_profile(&args.run(None), Checks::NONE)?);
    let mut profiles = Vec::new();
    for (without, left_out) in all() {
        console::note(&format!("without {without}: {} of {}", profiles.len() + 1, Check::ALL.len() + 1));
        profiles.push(profile(args, &whole, without, left_out, &kernel(without))?);
    }
    console::data("kernel", &whole.iter().map(|row| (row.name.clone(), row.least())).collect::<Vec<_>>())?;
    console::data("profiles", &profiles)?;
    console::answer(&table(&whole, &profiles))?;
    Ok(Exit::Holds.into())
}

/// The kernels, by the name of their folder.
fn all() -> impl Iterator<Item = (&'static str, Checks)> {
    let each = Check::ALL.iter().map(|&check| (check.word(), Checks::NONE.with(check, true)));
    let none = Check::ALL.iter().fold(Checks::NONE, |all, &check| all.with(check, true));
    each.chain([(ALL, none)])
}

fn profile(
    args: &ExactProfilesArgs,
    whole: &[Row],
    without: &'static str,
    left_out: Checks,
    kernel: &Path,
) -> Result<Profile, Coded> {
    let rows = mechanisms(counted::count_profile(&args.run(Some(kernel)), left_out)?);
    let rows = rows.iter().filter_map(|row| {
        let of_whole = whole.iter().find(|of| of.name == row.name)?.least();
        let more = i64::try_from(row.least()).ok()? - i64::try_from(of_whole).ok()?;
        Some(ProfileRow { name: row.name.clone(), least: row.least(), more })
    });
    Ok(Profile { without, rows: rows.collect() })
}

/// The rows of the mechanisms, which the checks are part of. Not the attacks: a kernel without a check has none.
fn mechanisms(rows: Vec<Row>) -> Vec<Row> {
    let is_mechanism = |row: &Row| {
        let name = row.name.split(' ').next().unwrap_or_default();
        SeriesRow::of_tier(Tier::Mechanism).any(|of| of.word() == name)
            && ![SeriesRow::Attack.word(), SeriesRow::AttackCross.word()].contains(&name)
    };
    rows.into_iter().filter(is_mechanism).collect()
}

/// The table, at most 80 columns wide.
fn table(whole: &[Row], profiles: &[Profile]) -> String {
    let mut text = "\
instructions (TCG) of one operation, the least of its samples; not times
with all checks, and how many more or fewer without one of them, and without any

"
    .to_owned();
    text += &format!("{:<16}{:>10}", "row", "with all");
    for profile in profiles {
        text += &format!("{:>9}", short(profile.without));
    }
    for row in whole {
        text += &format!("\n{:<16}{:>10}", row.name, grouped(row.least()));
        for profile in profiles {
            let own = profile.rows.iter().find(|own| own.name == row.name);
            let cell = own.map_or_else(|| "-".to_owned(), |own| signed(own.more));
            text += &format!("{cell:>9}");
        }
    }
    text += "\n\n-: no figure, since what the row has refused is not refused without the check\n";
    for check in Check::ALL {
        let line = format!("{} ({}): {}", short(check.word()), check.word(), check.gives_up());
        text += &format!("{}\n", textwrap::fill(&line, textwrap::Options::new(80).subsequent_indent("  ")));
    }
    text
}

/// The head of a check's column.
fn short(word: &str) -> &str {
    match word {
        "generation" => "gener.",
        "revocation" => "revoc.",
        "registers" => "regist.",
        "write-xor-execute" => "w^x",
        other => other,
    }
}

fn signed(more: i64) -> String {
    let digits = grouped(more.unsigned_abs());
    match more {
        0 => digits,
        1.. => format!("+{digits}"),
        _ => format!("-{digits}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, least: u64) -> Row {
        Row::new(name, vec![least]).expect("a sample")
    }

    #[test]
    fn is_at_most_80_columns_wide_and_has_a_line_for_each_row_and_check() {
        let whole = [row("shm_xfer 1048576", 1_803_964), row("cap_refused 4", 90)];
        let profiles: Vec<_> = all()
            .map(|(without, _)| Profile {
                without,
                rows: vec![ProfileRow { name: whole[0].name.clone(), least: 1, more: -99_999 }],
            })
            .collect();
        let text = table(&whole, &profiles);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        assert_eq!(text.matches("-99,999").count(), profiles.len());
        let refused = text.lines().find(|line| line.starts_with("cap_refused 4")).expect("a line");
        assert_eq!(refused.matches(" -").count(), profiles.len(), "{refused}");
        assert!(Check::ALL.iter().all(|check| text.contains(&format!("({}): ", check.word()))));
    }

    #[test]
    fn only_rows_of_operations_are_compared() {
        let rows =
            ["boot", "worker", "cap_ok", "map 16", "attack 3", "syscall, refused"].map(|name| row(name, 1));
        let left: Vec<_> = mechanisms(rows.to_vec()).into_iter().map(|row| row.name).collect();
        assert_eq!(left, ["cap_ok", "map 16"]);
    }

    #[test]
    fn the_last_kernel_lacks_every_check() {
        let (name, lacks) = all().last().expect("a kernel");
        assert!(name == ALL && Check::ALL.iter().all(|&check| lacks.has(check)));
    }
}
