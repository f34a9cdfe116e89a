use stats::Changes;

use super::*;

fn line(at: usize, median: f64, kernel: &str) -> Line {
    Line {
        folder: format!("smp-process-scale/2026112{}T120000Z-0000000{}", at % 10, at % 10),
        started_unix_ms: 1_795_000_000_000 + 86_400_000 * at as i64,
        manifest: "manifests/smp-process-scale.toml".to_owned(),
        kernel: kernel.to_owned(),
        vmm: "QEMU emulator version 7.2.22".to_owned(),
        epoch: if at < 12 { "e-00000000" } else { "e-11111111" }.to_owned(),
        median,
        interval: Some((median - 0.1, median + 0.1)),
    }
}

fn history(later_kernel: &str) -> History {
    // The kernel changes two sessions after the level, by the estimate.
    let value = |at: usize| 2.0 + 0.01 * ((at * 7) % 5) as f64 - if at < 20 { 0.0 } else { 0.3 };
    let kernel = |at: usize| if at < 22 { "aaaaaaaaaaaaaaaa" } else { later_kernel };
    let lines: Vec<Line> = (0..40).map(|at| line(at, value(at), kernel(at))).collect();
    let values: Vec<f64> = lines.iter().map(|line| line.median).collect();
    History {
        machine: "m-12345678".to_owned(),
        system: "assay".to_owned(),
        workers: 2,
        work: "primes".to_owned(),
        metric: "speed-up".to_owned(),
        unit: "x".to_owned(),
        lines,
        changes: Changes::of(&values),
        epochs: vec![(
            12,
            vec![
                "host: Linux 6.1.0-30-amd64 -> Linux 6.1.0-31-amd64 and a text that is long enough"
                    .to_owned(),
            ],
        )],
    }
}

#[test]
fn a_change_is_marked_and_names_the_command_that_would_settle_it() {
    let page = page("smp-process-scale", &[history("bbbbbbbbbbbbbbbb")]);
    assert!(page.contains("HINT: -1"), "{page}");
    let command = "assay ab manifests/smp-process-scale.toml --kernel BEFORE --b-kernel AFTER";
    assert!(page.contains(command) && page.contains("aaaaaaaaaaaaaaaa before"), "{page}");
    let marks = page.lines().find(|line| line.contains('^')).unwrap();
    assert_eq!(
        (marks.chars().nth(2 + 12), marks.chars().position(|c| c == '^')),
        (Some('|'), Some(2 + 20)),
        "{page}"
    );
    let same = super::page("smp-process-scale", &[history("aaaaaaaaaaaaaaaa")]);
    assert!(same.contains("kernel and VMM are the same there"), "{same}");
    for line in page.lines().chain(same.lines()) {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn what_is_new_in_an_epoch_is_said_once_for_a_machine() {
    let both = [history("b"), History { metric: "time".to_owned(), ..history("b") }];
    let page = page("smp-process-scale", &both);
    assert_eq!(page.matches("epoch e-11111111 from").count(), 2, "{page}");
    assert_eq!(page.matches("6.1.0-31").count(), 1, "{page}");
}

#[test]
fn a_sparkline_goes_from_the_least_to_the_greatest() {
    assert_eq!(sparkline(&[1.0, 2.0, 3.0]), "▁▅█");
    assert_eq!(sparkline(&[5.0, 5.0]), "▅▅");
    assert_eq!(sparkline(&[]), "");
}

#[test]
fn an_experiment_without_figures_says_what_to_do() {
    assert!(page("x", &[]).contains("assay list"));
}
