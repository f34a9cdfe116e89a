//! docs/MANIFEST.md against the format: what the reader of manifests accepts is what the page lists.
//!
//! The table of keys is made from their declarations; `ASSAY_BLESS=1` rewrites it. All else is compared with the reader
//! itself, by what it says of a key or a word that it does not know.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use experiment::manifest::{KEYS, LifeRow, MAX_ITERATIONS, MAX_ROUNDS, Manifest};
use test_support::golden;

/// The tables of a manifest; the first is the file itself.
const TABLES: [&str; 13] = [
    "",
    "workload",
    "cases",
    "gate",
    "oracle",
    "timeouts",
    "machine",
    "platform",
    "mechanisms",
    "lifecycle",
    "lifecycle.also",
    "lifecycle.gates",
    "control",
];

/// A key and a word that no manifest has.
const UNKNOWN: &str = "no-such-thing";

fn path() -> PathBuf {
    golden::document("MANIFEST.md")
}

fn page() -> String {
    std::fs::read_to_string(path()).expect("the page is there")
}

/// The manifest that the page shows.
fn example() -> String {
    let page = page();
    let (_, rest) = page.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    example.to_owned()
}

/// The cells of the rows of the table under `heading`, without its head.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let page = page();
    let (_, part) = page.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    let table =
        part.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    table.skip(2).map(cells).collect()
}

/// The first cells of these rows, without the back quotes.
fn names(rows: &[Vec<String>]) -> BTreeSet<String> {
    rows.iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
}

/// The row of a key.
fn row(key: &str) -> String {
    let rows = rows("Keys").into_iter().filter(|row| row[0] == format!("`{key}`")).collect::<Vec<_>>();
    assert_eq!(rows.len(), 1, "{key}");
    rows[0].join(" | ")
}

/// What is said of the example with `from` replaced by `to`.
fn complaint(from: &str, to: &str) -> String {
    let example = example();
    assert!(example.contains(from), "{from}");
    let changed = example.replacen(from, to, 1);
    let refused = Manifest::parse(Path::new("x.toml"), changed.as_bytes());
    refused.expect_err("a change that is refused").to_string()
}

/// The words in back quotes after `expected`: those that would have been accepted.
fn expected_words(complaint: &str) -> Vec<String> {
    let (_, expected) = complaint.split_once("expected ").unwrap_or_else(|| panic!("{complaint}"));
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The words after the colon of `expected WHAT: one, two, found ...`.
fn listed_words(complaint: &str, what: &str) -> BTreeSet<String> {
    let (_, list) =
        complaint.split_once(&format!("expected {what}: ")).unwrap_or_else(|| panic!("{complaint}"));
    let (list, _) = list.split_once(", found").unwrap_or_else(|| panic!("{complaint}"));
    list.split(", ").map(str::to_owned).collect()
}

/// The keys that the reader accepts in a table, with the table's name before them.
fn accepted_keys(table: &str) -> Vec<String> {
    let said = match table {
        "" => complaint("schema = 1", &format!("schema = 1\n{UNKNOWN} = 1")),
        // The example has none of them.
        "platform" | "mechanisms" | "lifecycle" | "control" => {
            complaint("[machine]", &format!("[{table}]\n{UNKNOWN} = 1\n[machine]"))
        }
        "lifecycle.also" | "lifecycle.gates" => {
            complaint("[machine]", &format!("[[{table}]]\n{UNKNOWN} = 1\n[machine]"))
        }
        table => complaint(&format!("[{table}]"), &format!("[{table}]\n{UNKNOWN} = 1")),
    };
    assert!(said.contains(&format!("unknown field `{UNKNOWN}`")), "{said}");
    let keys = expected_words(&said).into_iter();
    let keys = keys.map(|key| if table.is_empty() { key } else { format!("{table}.{key}") });
    keys.filter(|key| !TABLES.contains(&key.as_str())).collect()
}

#[test]
fn the_table_of_keys_is_made_from_their_declarations() {
    let mut table =
        "| key | type | values | default | meaning | example |\n|---|---|---|---|---|---|\n".to_owned();
    for key in KEYS {
        let meaning = key.meaning.split_whitespace().collect::<Vec<_>>().join(" ");
        let (form, values, default) = (key.form, key.values, key.default);
        let _ = writeln!(
            table,
            "| `{}` | {form} | {values} | {default} | {meaning} | `{}` |",
            key.key, key.example
        );
    }
    golden::check_part(&path(), "keys", &table);
}

#[test]
fn declares_every_key_that_the_reader_accepts_and_no_other() {
    let accepted: BTreeSet<String> = TABLES.into_iter().flat_map(accepted_keys).collect();
    let declared: BTreeSet<String> = KEYS.iter().map(|key| key.key.to_owned()).collect();
    assert_eq!(declared, accepted);
    assert_eq!(declared.len(), KEYS.len());
}

#[test]
fn shows_a_manifest_that_is_accepted() {
    let shown = Manifest::parse(Path::new("x.toml"), example().as_bytes()).expect("a manifest");
    assert!(shown.can_claim());
}

#[test]
fn names_every_word_that_a_key_can_have() {
    for (key, line, table) in [
        ("tier", "tier = \"scaling\"", ""),
        ("cases.sweep", "workers = [1, 2, 4]", "sweep = "),
        ("machine.type", "type = \"q35\"", "type = "),
        ("machine.boot", "boot = \"direct\"", "boot = "),
    ] {
        let assignment = if table.is_empty() { "tier = " } else { table };
        let words = expected_words(&complaint(line, &format!("{assignment}\"{UNKNOWN}\"")));
        assert!(!words.is_empty(), "{key}");
        let row = row(key);
        assert!(words.iter().all(|word| row.contains(&format!("`{word}`"))), "{key}: {words:?}");
    }
}

#[test]
fn states_the_bounds_of_rounds_and_iterations() {
    assert!(row("rounds").contains(&format!("1 to {MAX_ROUNDS}")));
    assert!(row("cases.iterations").contains(&format!("1 to {MAX_ITERATIONS}")));
}

#[test]
fn the_table_of_parameters_is_made_from_the_registry() {
    let mut table = "| workload | key | values | meaning |\n|---|---|---|---|\n".to_owned();
    for workload in workloads::REGISTRY.measured() {
        for parameter in workload.parameters() {
            let (key, expected, meaning) = (parameter.key, parameter.expected, parameter.meaning);
            let _ = writeln!(table, "| `{}` | `{key}` | {expected} | {meaning} |", workload.name());
        }
    }
    golden::check_part(&path(), "parameters", &table);
}

#[test]
fn lists_every_parameter_of_every_workload() {
    let programs =
        listed_words(&complaint("\"primes\"", &format!("\"{UNKNOWN}\"")), "a worker program of this tier");
    let listed: BTreeSet<(String, String)> = rows("Parameters of each workload")
        .iter()
        .map(|row| (row[0].trim_matches('`').to_owned(), row[1].trim_matches('`').to_owned()))
        .collect();
    let mut accepted = BTreeSet::new();
    for program in programs {
        let other = example().replacen("\"primes\"", &format!("\"{program}\""), 1);
        let other = other.replacen("first-candidate", UNKNOWN, 1);
        let said = Manifest::parse(Path::new("x.toml"), other.as_bytes()).expect_err("refused").to_string();
        let keys = listed_words(&said, "a parameter of this program");
        accepted.extend(keys.into_iter().map(|key| (program.clone(), key)));
    }
    assert_eq!(listed, accepted);
}

#[test]
fn lists_everything_that_a_kernel_can_do_wrong() {
    let control = format!("[control]\nexpect = \"cpu-missing\"\nkernel = \"{UNKNOWN}\"\n[machine]");
    let words = listed_words(&complaint("[machine]", &control), "one of");
    assert_eq!(names(&rows("What a kernel can do wrong")), words);
}

#[test]
fn the_table_of_lifecycle_rows_is_made_from_their_declarations() {
    let mut table = "| row | what it is |\n|---|---|\n".to_owned();
    for row in LifeRow::ALL {
        let meaning = row.meaning().split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(table, "| `{row}` | {meaning} |");
    }
    golden::check_part(&golden::document("LIFECYCLE.md"), "rows", &table);
}
