//! Heat maps: how long a line takes from each CPU to each other.

use std::collections::BTreeMap;

use abi::series::SeriesRow;
use maud::html;
use report::Table;
use results::System;

use super::Figure;
use super::over_boots::Places;
use crate::svg::{WIDTH, drawing, number, time_text};

/// The most CPUs whose cells have room for a number.
const NUMBERED: usize = 10;

/// A heat map for each system that measured transfers between CPUs.
pub fn heat_maps(places: &Places<'_>) -> Vec<Figure> {
    let mut systems: BTreeMap<System, BTreeMap<(u32, u32), f64>> = BTreeMap::new();
    for ((place, system), over) in places {
        if let (SeriesRow::CoreToCore, Some(peer)) = (place.row, place.peer) {
            // A round trip is two transfers.
            let pairs = systems.entry(*system).or_default();
            pairs.insert((place.cpu.into(), peer), over.cost(|of| of.median) / 2.0);
        }
    }
    let several = systems.len() > 1;
    systems.iter().map(|(&system, pairs)| figure(system, pairs, several)).collect()
}

fn figure(system: System, pairs: &BTreeMap<(u32, u32), f64>, several: bool) -> Figure {
    let mut cpus: Vec<u32> = pairs.keys().flat_map(|&(one, other)| [one, other]).collect();
    cpus.sort_unstable();
    cpus.dedup();
    let least = pairs.values().copied().fold(f64::INFINITY, f64::min);
    let most = pairs.values().copied().fold(0.0, f64::max);
    let of_pair = |one: u32, other: u32| pairs.get(&(one, other)).or(pairs.get(&(other, one))).copied();
    let (left, top) = (48.0, 26.0);
    let cell = ((WIDTH - left - 10.0) / cpus.len().max(1) as f64).min(90.0);
    let height = cell.min(46.0);
    let mut cells = Vec::new();
    for (row, &one) in cpus.iter().enumerate() {
        for (column, &other) in cpus.iter().enumerate() {
            let Some(ns) = of_pair(one, other).filter(|_| one != other) else { continue };
            // By the logarithm: one slow pair must not make all others look alike.
            let part = if most > least { (ns / least).ln() / (most / least).ln() } else { 0.5 };
            cells.push((left + cell * column as f64, top + height * row as f64, part, ns));
        }
    }
    let bottom = top + height * cpus.len() as f64;
    let step = cpus.len().div_ceil(16);
    let labelled: Vec<(usize, u32)> = cpus.iter().copied().enumerate().step_by(step.max(1)).collect();
    let content = html! {
        @for (x, y, part, ns) in &cells {
            rect class="cell" x=(number(*x + 0.5)) y=(number(*y + 0.5)) width=(number(cell - 1.0)) height=(number(height - 1.0))
                fill-opacity=(format!("{:.2}", 0.1 + 0.9 * part)) { title { (time_text(*ns)) } }
            @if cpus.len() <= NUMBERED {
                text class=(if *part > 0.55 { "tick long over" } else { "tick long" }) x=(number(x + cell / 2.0))
                    y=(number(y + height / 2.0 + 4.0)) text-anchor="middle" { (time_text(*ns)) }
            }
        }
        @for (at, cpu) in &labelled {
            text class="tick" x=(number(left - 6.0)) y=(number(top + height * (*at as f64 + 0.5) + 4.0)) text-anchor="end" { (cpu) }
            text class="tick" x=(number(left + cell * (*at as f64 + 0.5))) y=(number(top - 7.0)) text-anchor="middle" { (cpu) }
        }
        text class="name" x=(number(left - 30.0)) y="12" { "CPU" }
        text class="name" x=(number(left)) y=(number(bottom + 18.0)) {
            "from " (time_text(least)) " (pale) to " (time_text(most)) " (full)"
        }
    };
    let name = if several { format!("Core to core, {system}") } else { "Core to core".to_owned() };
    let description =
        format!("Transfers between {} CPUs take {} to {}.", cpus.len(), time_text(least), time_text(most));
    let header =
        std::iter::once("CPU".to_owned()).chain(cpus.iter().map(|cpu| format!("CPU {cpu}"))).collect();
    let rows = cpus.iter().map(|&one| {
        let cells = cpus.iter().map(|&other| match of_pair(one, other).filter(|_| one != other) {
            Some(ns) => time_text(ns),
            None => "-".to_owned(),
        });
        std::iter::once(format!("CPU {one}")).chain(cells).collect()
    });
    Figure {
        name,
        drawing: drawing(bottom + 28.0, &description, &content),
        caption: html! { p { "Half of the median round trip of a cache line between two CPUs; median over the boots." } },
        data: Some(Table { header, rows: rows.collect(), left: vec![0] }),
    }
}
