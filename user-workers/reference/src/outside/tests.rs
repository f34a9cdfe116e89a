//! Oracles: good ones, and each way in which one can be wrong.

use super::*;
use crate::laws::assert_laws;

/// An oracle of `items` items whose work differs, with a third parameter.
fn text(items: u64) -> String {
    let head =
        format!("{HEADER}\nanswer ones\nwork steps\nparameter first 10\nparameter end {}\n", 10 + items);
    let lines =
        (0..items).map(|item| format!("item {} {} {:016x}\n", item % 3, 1 + item * 7 % 40, mix(item)));
    head + "parameter words 7\n" + &lines.collect::<String>()
}

fn workload(text: &str) -> &'static dyn Workload {
    outside("mine", Calls::default(), Oracle::parse(text.as_bytes()).expect("an oracle"))
}

/// What is said of the file of three items with one piece of text replaced.
fn complaint(from: &str, to: &str) -> String {
    let good = text(3);
    assert_eq!(good.matches(from).count(), 1, "{from}");
    Oracle::parse(good.replace(from, to).as_bytes()).expect_err("a bad file").to_string()
}

#[test]
fn keeps_the_laws() {
    // With very few items a part of three can be empty, and so is its digest.
    for items in [20, 1000] {
        let workload = workload(&text(items));
        assert_laws(workload, workload.example());
    }
    let two = text(5).replace("parameter words 7\n", "");
    assert_laws(workload(&two), [10, 15, 0, 0]);
}

#[test]
fn adds_up_the_items_of_a_range_with_the_challenge() {
    let workload = workload(&text(100));
    let expected = |range: std::ops::Range<u64>, challenge: u64| Expectation {
        answer: range.clone().map(|item| item % 3).sum(),
        work: range.clone().map(|item| 1 + item * 7 % 40).sum(),
        digest: range.map(|item| mix(mix(item) ^ challenge)).fold(0, u64::wrapping_add),
    };
    for (first, end) in [(0, 100), (0, 1), (37, 90), (99, 100)] {
        for challenge in [0, 5, u64::MAX] {
            let given = workload.expectation([10 + first, 10 + end, 7, 0], challenge);
            assert_eq!(given, expected(first..end, challenge), "{first} to {end}");
        }
    }
    assert_eq!(workload.expectation([10, 110, 8, 0], 1), Expectation::default(), "of other words");
}

#[test]
fn parts_have_the_same_work_but_for_one_item() {
    let workload = workload(&text(1000));
    let whole = workload.example();
    let total = workload.expectation(whole, 0).work;
    for workers in 1..=16 {
        for part in workload.split(whole, workers) {
            let work = workload.expectation(part, 0).work;
            assert!(
                work.abs_diff(total / u64::from(workers)) <= 40,
                "{workers} workers: {part:?} has {work}"
            );
        }
    }
}

#[test]
fn a_manifest_may_ask_for_items_that_the_file_has_and_for_no_others() {
    let workload = workload(&text(20));
    for (whole, right) in [([10, 30, 7, 0], true), ([12, 13, 7, 0], true), ([9, 30, 7, 0], false)] {
        assert_eq!(workload.check(whole).is_ok(), right, "{whole:?}");
    }
    let expected = |whole| workload.check(whole).expect_err("refused");
    assert_eq!(expected([30, 31, 7, 0]).key, "first");
    assert_eq!(expected([12, 12, 7, 0]).key, "end");
    assert!(expected([12, 31, 7, 0]).expected.contains("at most 30"));
    assert_eq!(
        (expected([12, 13, 8, 0]).key.as_str(), &expected([12, 13, 8, 0]).expected[..2]),
        ("words", "7,")
    );
    assert_eq!(expected([12, 13, 7, 1]).expected, "0");
}

#[test]
fn a_file_is_written_as_it_was_read() {
    let text = text(9);
    assert_eq!(Oracle::parse(text.as_bytes()).unwrap().to_string(), text);
}

#[test]
fn names_the_line_that_is_wrong() {
    let first_item = format!("item 0 1 {:016x}", mix(0));
    for (from, to, line, what) in [
        (HEADER, "ASSAY-ORACLE2", 1, "expected ASSAY-ORACLE1"),
        ("answer ones\n", "answer \n", 2, "answer UNIT"),
        ("work steps", "work  steps", 3, "work UNIT"),
        ("work steps", "steps", 3, "found steps"),
        ("parameter first 10\n", "", 5, "found the end 7 after the first 13"),
        ("parameter first 10\n", "parameters\n", 4, "parameter KEY VALUE"),
        ("first 10", "First 10", 4, "key of a-z"),
        ("first 10", "first 010", 4, "VALUE"),
        ("first 10", "end 10", 5, "each key once"),
        ("end 13", "end 10", 6, "1 to 262144 items"),
        ("end 13", "end 9223372036854775807", 6, "1 to 262144 items"),
        ("end 13", "end 9223372036854775808", 5, "below 2^63"),
        ("end 13", "end 14", 10, "the end of the file"),
        ("end 13", "end 12", 9, "no more than the 2 items"),
        (&first_item, "item 0 0 0000000000000000", 7, "work above 0"),
        (&first_item, "item 0 1 000000000000000", 7, "item 10 as"),
        (&first_item, "item 0 1 000000000000000A", 7, "16 digits"),
        (&first_item, "item 0 1 0000000000000000 1", 7, "item ANSWER WORK DIGEST"),
        (&first_item, "item 9223372036854775808 1 0000000000000000", 7, "2^63"),
    ] {
        let said = complaint(from, to);
        assert!(said.starts_with(&format!("{line}: ")) && said.contains(what), "{from:?} to {to:?}: {said}");
    }
    assert_eq!(Oracle::parse(b"ASSAY-ORACLE1\n\xff").unwrap_err().line, 2);
    assert_eq!(Oracle::parse(b"").unwrap_err().line, 1);
}

#[test]
fn the_same_oracle_is_kept_once() {
    let [one, same] = [text(4), text(4)].map(|text| workload(&text));
    assert!(std::ptr::addr_eq(one, same));
    let prepared = Calls { prepare: true, verify: false };
    let other = outside("mine", prepared, Oracle::parse(text(4).as_bytes()).unwrap());
    assert_eq!((one.needs().prepare, other.needs().prepare), (false, true));
}
