//! The table of agreements: what each field of each record is compared with, or why a change of it is harmless. And the
//! proof: any change of one number in a good log, with its sequence numbers, checksums and digest made right again, is
//! refused, or the table says that it is harmless within a bound, and then no time in the measurement changes by more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use abi::wire::record::Moment;
use abi::wire::{Envelope, Record, Timestamp, encode};
use evidence::gate::{Gate, HostEvidence, Measurement, RunExpectation};
use evidence::transcript::Transcript;
use test_support::golden;
use test_support::guest::{Guest, KHZ};
use test_support::platform;
use test_support::script::Script;

/// What a field must agree with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Agrees {
    /// Every other value is refused.
    Exactly,
    /// Other values within the bound are harmless: they change no time by more than a millisecond.
    Within,
    /// Nothing in the log says what it must be, and no figure depends on it.
    Nothing,
}

use Agrees::{Exactly, Nothing, Within};

/// A field, how it agrees, and with what, or why that is harmless.
type Entry = (&'static str, Agrees, &'static str);

const TABLE: &[Entry] = include!("agreements/table.rs");

fn entries() -> BTreeMap<&'static str, (Agrees, &'static str)> {
    TABLE.iter().map(|&(field, agrees, what)| (field, (agrees, what))).collect()
}

/// `record.field` of every field of every record.
fn fields() -> Vec<String> {
    let of = |spec: &abi::wire::MessageSpec| {
        spec.fields.iter().map(|f| format!("{}.{}", spec.name, f.key)).collect::<Vec<_>>()
    };
    Record::SPECS.iter().flat_map(of).collect()
}

#[test]
fn every_field_has_one_entry_and_every_entry_a_field() {
    let (entries, fields): (Vec<String>, Vec<String>) =
        (TABLE.iter().map(|entry| entry.0.to_owned()).collect(), fields());
    assert_eq!(entries, [vec!["ts".to_owned()], fields].concat());
}

#[test]
fn protocol_has_the_table() {
    let mut text =
        "\n| field | agrees | with what, or why a change is harmless |\n|---|---|---|\n".to_owned();
    for (field, agrees, what) in TABLE {
        let word = match agrees {
            Exactly => "exactly",
            Within => "within a bound",
            Nothing => "harmless",
        };
        let _ = writeln!(text, "| `{field}` | {word} | {what} |");
    }
    golden::check_part(&golden::document("PROTOCOL.md"), "agreements", &text);
}

/// Good logs of one, two and four CPUs, of several iterations, and of a sweep.
fn good() -> Vec<(&'static str, Vec<u8>)> {
    // Little to verify: the test judges some thousand logs.
    let of = |cpus| Guest { whole: [2, 3_000, 0, 0], ..Guest::of(cpus) };
    let of_sweep = || Guest { whole: [2, 3_000, 0, 0], ..Guest::sweeping(4, 2) };
    let sweep = Guest { iterations: 2, ..of_sweep() };
    vec![
        ("one", of(1).log()),
        ("two", of(2).log()),
        ("four", of(4).log()),
        ("iterations", Guest { cases: vec![1, 2], iterations: 3, ..of(2) }.log()),
        ("sweep", sweep.log()),
        ("sweep of one iteration", Guest { iterations: 1, ..of_sweep() }.log()),
    ]
}

fn judge(log: &[u8]) -> Option<Measurement> {
    let verdict =
        Gate::default().judge(&Transcript::read(log), &RunExpectation::default(), &HostEvidence::default());
    verdict.outcome.measurement().cloned()
}

/// Other values of a field, as text: numbers beside it, half and twice, none and the largest.
fn others(value: &str) -> Vec<String> {
    if let Ok(number) = value.parse::<u64>() {
        let near = [number.wrapping_add(1), number.wrapping_sub(1), number / 2, number.wrapping_mul(2)];
        let far = [0, 1, u64::MAX, u64::from(u32::MAX), u64::from(u16::MAX)];
        return near.into_iter().chain(far).filter(|&other| other != number).map(|n| n.to_string()).collect();
    }
    if let Ok(number) = value.parse::<i64>() {
        let near = [number + 1, number - 1, number / 2, number * 2];
        let far = [0, 1, -1, i64::MIN, i64::MAX, 1_000_000, -1_000_000];
        return near.into_iter().chain(far).filter(|&other| other != number).map(|n| n.to_string()).collect();
    }
    let hex = value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    match value {
        _ if hex => {
            vec!["0".repeat(value.len()), format!("{}1", &value[..value.len() - 1]), "f".repeat(value.len())]
        }
        "-" => vec!["0".to_owned(), "1".to_owned()],
        _ => Vec::new(),
    }
}

/// The log with this field of record `at` changed and everything else made right again, if the record can have it.
fn changed(script: &Script, at: usize, key: &str, to: &str) -> Option<Vec<u8>> {
    let mut script = script.clone();
    let envelope = &mut script.records[at];
    if key == "ts" {
        envelope.ts = stamp(to);
    } else {
        let words = fields_of(&envelope.record);
        let words = words.iter().map(|(name, value)| (name, if name == key { to } else { value }));
        let text: String = words.map(|(name, value)| format!(" {name}={value}")).collect();
        envelope.record = Record::parse_fields(envelope.record.name().as_bytes(), text.as_bytes()).ok()?;
    }
    Some(script.log())
}

/// A time stamp as it is printed: seconds with six decimals, or `-`.
fn stamp(text: &str) -> Timestamp {
    let micros = text.replace('.', "").parse().ok();
    micros.map_or(Timestamp::UNKNOWN, Timestamp::from_micros)
}

/// The fields of a record, by name and text.
fn fields_of(record: &Record) -> Vec<(String, String)> {
    let line = encode(&Envelope { seq: 0, ts: Timestamp::UNKNOWN, record: *record });
    let text = String::from_utf8_lossy(line.as_bytes()).into_owned();
    let words = text.split(' ').filter_map(|word| word.split_once('='));
    let words = words.filter(|(name, _)| !matches!(*name, "seq" | "ts" | "ev" | "crc"));
    words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Every change of one number that passes, with the largest change of a time in the measurement, in cycles.
fn passing() -> BTreeMap<String, u64> {
    let mut passing: BTreeMap<String, u64> = BTreeMap::new();
    let two = Guest { whole: [2, 3_000, 0, 0], ..Guest::of(2) };
    let platform = ("platform", platform::log_with(&two, &platform::records_with_samples()));
    for (name, log) in good().into_iter().chain([platform]) {
        let good = judge(&log).unwrap_or_else(|| panic!("the log {name} is not good"));
        let script = Script::of(&log);
        for at in first_and_last(&script) {
            let Envelope { ts, record, .. } = script.records[at];
            let mut fields = fields_of(&record);
            fields.push((
                "ts".to_owned(),
                ts.micros().map_or("-".to_owned(), |us| format!("{:.6}", us as f64 / 1e6)),
            ));
            // The count and the digest of `end` are made right again.
            fields.retain(|(key, _)| !matches!((record.name(), key.as_str()), ("end", "records" | "digest")));
            for (key, value) in fields {
                let field = if key == "ts" { key.clone() } else { format!("{}.{key}", record.name()) };
                for other in if key == "ts" { stamps(&value) } else { others(&value) } {
                    let Some(measured) = changed(&script, at, &key, &other).and_then(|log| judge(&log))
                    else {
                        continue;
                    };
                    let most = passing.entry(field.clone()).or_default();
                    *most = apart(&good, &measured).max(*most);
                }
            }
        }
    }
    passing
}

/// The places of the first and the last record of each kind.
fn first_and_last(script: &Script) -> BTreeSet<usize> {
    let mut places: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (at, envelope) in script.records.iter().enumerate() {
        places.entry(envelope.record.name()).or_insert((at, at)).1 = at;
    }
    places.into_values().flat_map(|(first, last)| [first, last]).collect()
}

/// Other time stamps: none, the first, later and earlier by a little and by much.
fn stamps(value: &str) -> Vec<String> {
    let Ok(seconds) = value.parse::<f64>() else { return vec!["0.000000".to_owned()] };
    let moved = [0.000_1, -0.000_1, 0.1, -0.1, 10.0].map(|by| format!("{:.6}", (seconds + by).max(0.0)));
    moved.into_iter().chain(["-".to_owned()]).filter(|other| other != value).collect()
}

/// By how much the times of two measurements differ at most, in cycles.
fn apart(one: &Measurement, other: &Measurement) -> u64 {
    let times =
        |measured: &Measurement| measured.samples().iter().map(|sample| sample.cycles.0).collect::<Vec<_>>();
    let (one, other) = (times(one), times(other));
    assert_eq!(one.len(), other.len());
    one.into_iter().zip(other).map(|(one, other)| one.abs_diff(other)).max().unwrap_or(0)
}

#[test]
fn a_change_of_one_number_is_refused_or_harmless_by_the_table() {
    let entries = entries();
    let mut wrong = Vec::new();
    for (field, moved) in passing() {
        let (agrees, _) = entries.get(field.as_str()).copied().unwrap_or((Exactly, ""));
        let bound = match agrees {
            Exactly => {
                wrong.push(format!("{field} passes"));
                continue;
            }
            Within => KHZ,
            Nothing => 0,
        };
        if moved > bound {
            wrong.push(format!("{field} changes a time by {moved} cycles, more than {bound}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Records whose loss a log survives, and why that is harmless. None may be there twice, and the order of the records of
/// an iteration is held by `rules::order`.
const MAY_BE_LOST: &[(&str, &str)] = &[
    ("platform", "disclosure only"),
    ("dmi", "disclosure only"),
    ("phase", "disclosure only"),
    ("counters", "of a boot with one worker they say that its CPU has none; of others they are missed"),
    ("register", "only dr7 is known to be of every machine; a difference that is lost is not seen"),
    (
        "sweep",
        "of one iteration: its cases then count as listed, and answers and wholes are judged all the same",
    ),
    ("warp", "on a machine of one CPU there is nothing to compare; on others it is missed"),
    ("topology", "a machine of one CPU without it is a machine whose places are unknown"),
];

/// Whether such a record is missed in this log although a log can survive its loss.
fn needed(log: &str, record: &str) -> bool {
    match record {
        "warp" | "counters" => log != "one",
        // Its cases take turns.
        "sweep" => log == "sweep",
        _ => false,
    }
}

/// Without `back`, a log of one iteration is that of an older kernel, which is judged by `done`.
fn is_back(record: Record) -> bool {
    matches!(record, Record::Mark(mark) if mark.moment == Moment::Back)
}

fn name_of_one_iteration(log: &str) -> bool {
    ["one", "two", "four", "sweep of one iteration"].contains(&log)
}

#[test]
fn a_record_that_is_lost_twice_or_elsewhere_is_missed() {
    for (name, log) in good() {
        let script = Script::of(&log);
        for at in 0..script.records.len() - 1 {
            let record = script.records[at].record.name();
            let harmless = MAY_BE_LOST.iter().any(|&(kind, _)| kind == record)
                || is_back(script.records[at].record) && name_of_one_iteration(name);
            let mut without = script.clone();
            without.records.remove(at);
            assert!(
                (harmless && !needed(name, record)) || judge(&without.log()).is_none(),
                "{name}: `{record}` {at} can be lost"
            );
            let mut twice = script.clone();
            twice.records.insert(at, script.records[at]);
            assert!(judge(&twice.log()).is_none(), "{name}: `{record}` {at} can be there twice");
        }
    }
}

#[test]
fn the_records_of_an_iteration_have_one_order() {
    for (name, log) in good() {
        let script = Script::of(&log);
        let first = script.place(|record| matches!(record, Record::CaseReady(_)));
        for at in first..script.records.len() - 1 {
            let mut swapped = script.clone();
            // The stamps stay where they are.
            let (one, other) = (swapped.records[at].record, swapped.records[at + 1].record);
            (swapped.records[at].record, swapped.records[at + 1].record) = (other, one);
            let pair = [one.name(), other.name()];
            // Splits and steps of the boot are announced beside the iterations, and no rule depends on their place.
            let free = pair.iter().any(|name| matches!(*name, "split" | "phase"));
            assert!(free || judge(&swapped.log()).is_none(), "{name}: {pair:?} at {at} can change places");
        }
    }
}
