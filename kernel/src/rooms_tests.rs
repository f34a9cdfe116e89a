//! The kernel's rooms are layers: a file uses only its own room and rooms below it. docs/ARCHITECTURE.md lists them from
//! the top down.

use std::fs;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;

/// The rooms of the document, from the top down; each row of its table may name several that stand side by side.
fn rows() -> Vec<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("../docs/ARCHITECTURE.md")).unwrap();
    let (_, section) = text.split_once("\n### `kernel`\n").unwrap();
    let (_, table) = section.split_once("| room |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("| `"));
    rows.map(|row| {
        let names = row.split('|').nth(1).unwrap().split(',');
        names.map(|name| name.trim().trim_matches('`').into()).collect()
    })
    .collect()
}

/// Every source file of the library, with its room.
fn files(directory: &Path, room: Option<&str>, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let room = room.unwrap_or(&name);
        if path.is_dir() {
            files(&path, Some(room), found);
        } else if !["lib", "main", "pvh_entry", "rooms_tests"].contains(&room) {
            found.push((room.to_owned(), path));
        }
    }
}

/// The rooms that a source text names after `crate::`.
fn used(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for path in text.split("crate::").skip(1) {
        let group = path.strip_prefix('{').and_then(|group| group.split('}').next());
        let names = group.unwrap_or(path).split(',').take(if group.is_some() { usize::MAX } else { 1 });
        rooms.extend(names.map(first_word));
    }
    rooms
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|&char| char.is_ascii_alphanumeric() || char == '_').collect()
}

#[test]
fn a_room_uses_only_rooms_below_it() {
    let rows = rows();
    let floor = |room: &str| rows.iter().position(|row| row.iter().any(|name| name == room));
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, &mut all);
    assert!(all.len() > 50, "{}", all.len());
    for (room, path) in all {
        let own =
            floor(&room).unwrap_or_else(|| panic!("docs/ARCHITECTURE.md does not list the room {room}"));
        let text = fs::read_to_string(&path).unwrap();
        for other in used(&text).iter().filter(|&other| *other != room) {
            let below = floor(other).is_some_and(|other| other > own);
            assert!(below, "{} uses {other}, which is not below {room}", path.display());
        }
    }
}

#[test]
fn finds_every_form_of_a_path() {
    let text = "use crate::mem::{phys, Frames};\nuse crate::{console, power::off};\nlet x = crate::cpu::PerCpu::all();";
    assert_eq!(used(text), ["mem", "console", "power", "cpu"]);
}
