//! Each form of one session with two systems, as a golden file.

use evidence::gate::Scaling;
use export::{Better, Form, Subject};
use results::{Results, System};
use test_support::golden;

use super::systems::{compared, rounds, side};

pub fn session() -> Results {
    compared(rounds(6, &[1, 2, 4], &[side(System::Assay), side(System::Linux)]))
}

pub fn write(results: &Results, form: Form, better: Better) -> String {
    let subject = Subject { name: "target/smp-process-scale/test", results };
    form.write(&[subject], better).unwrap_or_else(|error| panic!("{}: {error}", form.word()))
}

#[test]
fn the_forms_are_as_they_were() {
    let results = session();
    for &form in Form::ALL {
        let file = golden::path("tests/forms").join(format!("{}.txt", form.word()));
        golden::check(&file, write(&results, form, Better::Bigger).as_bytes());
    }
    let smaller = write(&results, Form::GithubActionBenchmark, Better::Smaller);
    golden::check(
        &golden::path("tests/forms").join("github-action-benchmark-smaller.txt"),
        smaller.as_bytes(),
    );
}

#[test]
fn a_case_that_shows_function_only_is_in_no_form_of_figures() {
    let results = session();
    assert!(results.cases.iter().any(|row| row.stats.functional_only.is_some()));
    for &form in Form::ALL.iter().filter(|&&form| form != Form::Csv) {
        let text = write(&results, form, Better::Bigger);
        for word in ["smp4", "workers=4", "workers=\"4\"", "\"workers\": \"4\"", "speed-up.assay.4"] {
            assert!(!text.contains(word), "{}: {text}", form.word());
        }
    }
}

/// The grammar of benchmark lines (golang.org/design/14313-benchmark-format): a name, a count, pairs of value and unit.
#[test]
fn benchfmt_has_a_line_for_each_sample_by_the_grammar() {
    let text = write(&session(), Form::Benchfmt, Better::Bigger);
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("Benchmark")).collect();
    // Two systems, two cases that show speed, six rounds.
    assert_eq!(lines.len(), 2 * 2 * 6, "{text}");
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        assert!(words.len() >= 4 && words.len().is_multiple_of(2), "{line}");
        assert!(
            words[0]["Benchmark".len()..].starts_with(|letter: char| letter.is_ascii_uppercase()),
            "{line}"
        );
        assert!(!words[0].rsplit('-').next().unwrap().bytes().all(|byte| byte.is_ascii_digit()), "{line}");
        assert!(words[1].parse::<u64>().is_ok(), "{line}");
        assert!(
            words[2..]
                .chunks(2)
                .all(|pair| pair[0].parse::<f64>().is_ok() && pair[1].parse::<f64>().is_err()),
            "{line}"
        );
    }
    for key in text.lines().filter_map(|line| line.split_once(": ")).map(|(key, _)| key) {
        assert!(key.starts_with(|letter: char| letter.is_ascii_lowercase()) && !key.contains(' '), "{key}");
    }
}

#[test]
fn the_ratio_of_weak_scaling_is_an_efficiency() {
    let mut results = session();
    results.experiment.scaling = Some(Scaling::Weak);
    for &form in &[Form::GithubActionBenchmark, Form::Bencher, Form::Junit, Form::Openmetrics] {
        let text = write(&results, form, Better::Bigger);
        assert!(
            text.contains("efficiency") && !text.contains("speed-up\"") && !text.contains("speedup"),
            "{text}"
        );
    }
}

#[test]
fn every_word_names_its_form() {
    for &form in Form::ALL {
        assert_eq!(Form::of_word(form.word()), Some(form));
        assert!(!form.meaning().is_empty());
    }
    assert_eq!(Form::of_word("xlsx"), None);
}

#[test]
fn the_page_lists_every_form() {
    let mut table = String::from("| `--format` | what reads it |\n|---|---|\n");
    for form in Form::ALL {
        table += &format!("| `{}` | {} |\n", form.word(), form.meaning());
    }
    golden::check_part(&golden::document("EXPORTING.md"), "forms", &table);
}
