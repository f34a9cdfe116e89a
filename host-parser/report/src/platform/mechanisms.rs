//! The costs of a kernel's mechanisms: a table for each system, their medians side by side with what stands for each row on
//! Linux, and the authority profile. There is no sum of rows and no score: rows of different kinds have no common unit.

use std::collections::BTreeMap;

use abi::series::{SeriesRow, Tier};
use abi::wire::record::{MechanismGrant, MechanismObject};
use evidence::gate::{Mechanisms, SeriesPlace};
use results::System;

use super::relations::Relations;
use super::{Boots, OverBoots, argument, median, missing, name, table, text, time};
use crate::lines::wrapped;
use crate::table::{Table, none};

/// Everything about the mechanisms, as lines; empty if no run measured them.
pub(super) fn lines(all: &[Boots<'_>]) -> Vec<String> {
    let measured: Vec<_> = all
        .iter()
        .map(|boots| (boots, boots.places(Tier::Mechanism)))
        .filter(|(_, places)| !places.is_empty())
        .collect();
    let mut lines = Vec::new();
    for (boots, places) in &measured {
        lines.push(String::new());
        lines.push(format!("MECHANISMS, {}: {}", boots.system, boots.unit()));
        lines.extend(text(&table(places, &Relations::of(None))));
        lines.extend(missing(places));
        lines.extend(boots.failed(Tier::Mechanism));
    }
    let Some((first, _)) = measured.first() else { return lines };
    lines.push("b: a batch, whose percentiles are of batch means; times of one operation".to_owned());
    let columns: Vec<_> = measured.iter().map(|(boots, places)| (boots.system, places.as_slice())).collect();
    if columns.len() > 1 {
        lines.push(String::new());
        lines.push("MECHANISMS SIDE BY SIDE: medians; read each line with its difference below".to_owned());
        lines.extend(text(&side_by_side(&columns)));
    }
    lines.extend(differences(&columns));
    let setting = first.measured.iter().find_map(|measured| measured.platform()?.mechanisms.as_ref());
    lines.extend(setting.map(profile).unwrap_or_default());
    lines
}

/// The medians of each system, a line for each place.
fn side_by_side(columns: &[(System, &[(SeriesPlace, OverBoots<'_>)])]) -> Table {
    let mut by_place: BTreeMap<(SeriesRow, u64), Vec<Option<f64>>> = BTreeMap::new();
    for (column, (_, places)) in columns.iter().enumerate() {
        for (place, over) in places.iter().filter(|(_, over)| !over.passed.is_empty()) {
            let medians = over.passed.iter().map(|figures| figures.costs.median).collect();
            let cells = by_place.entry((place.row, place.arg)).or_insert_with(|| vec![None; columns.len()]);
            cells[column] = Some(median(medians));
        }
    }
    let systems = columns.iter().map(|(system, _)| system.to_string());
    let header = ["row", "arg"].map(str::to_owned).into_iter().chain(systems);
    let rows = by_place.into_iter().map(|((row, arg), cells)| {
        let place = SeriesPlace { row, arg, cpu: 0, peer: None };
        let medians = cells.into_iter().map(|cell| cell.map_or_else(none, time));
        [name(row), argument(place)].into_iter().chain(medians).collect()
    });
    Table { header: header.collect(), rows: rows.collect(), left: vec![0] }
}

/// What stands for each row on Linux, and how the two differ.
fn differences(columns: &[(System, &[(SeriesPlace, OverBoots<'_>)])]) -> Vec<String> {
    let is_there = |row| {
        let mut places = columns.iter().flat_map(|(_, places)| places.iter());
        places.any(|(place, over)| place.row == row && !over.passed.is_empty())
    };
    let mut lines = vec![String::new(), "what stands for each row on Linux, and how it differs:".to_owned()];
    for row in SeriesRow::of_tier(Tier::Mechanism).filter(|&row| is_there(row)) {
        let spec = row.spec();
        let line = match spec.not_on_linux {
            "" => format!("{row}: {}. {}.", spec.twin, capital(spec.differs)),
            why => format!("{row}: nothing. {}.", capital(why)),
        };
        lines.extend(wrapped(&line, "  "));
    }
    lines
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// The authority profile.
fn profile(setting: &Mechanisms) -> Vec<String> {
    let mut lines = vec![String::new(), "authority of the tasks:".to_owned()];
    for MechanismObject { name, kind, bytes } in &setting.objects {
        let length = if *bytes == 0 { String::new() } else { format!(", {bytes} bytes") };
        let handles = setting.grants.iter().filter(|grant| grant.object == *name);
        let handles: Vec<_> = handles
            .map(|MechanismGrant { task, slot, rights, .. }| format!("{task} slot {slot} {rights}"))
            .collect();
        lines.extend(wrapped(&format!("{name}, {kind}{length}: {}", handles.join("; ")), "  "));
    }
    lines
}
