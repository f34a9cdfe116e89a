//! What the figures show.

use evidence::gate::Scaling;

use super::made::{all, figure, page, path, platform, several, with_excluded, with_foreign};
use super::rounds::whole;

/// How many dots a path has.
fn dots(path: &str) -> usize {
    path.matches("h0").count()
}

/// How many rings.
fn rings(path: &str) -> usize {
    path.matches('M').count()
}

#[test]
fn every_sample_is_a_dot_of_the_scaling_curve() {
    let scaling = figure(&page(&whole()), "Scaling");
    assert_eq!(dots(&path(&scaling, "dots s0")), 7 * 3, "{scaling}");
    assert_eq!(rings(&path(&scaling, "rings s0")), 0);
    assert_eq!(path(&scaling, "mark s0").matches('M').count(), 3, "a median for each case");
    assert!(path(&scaling, "whisker s0").matches('M').count() == 9, "an interval and its ends for each case");
}

#[test]
fn an_excluded_sample_is_hollow_and_has_its_reason() {
    let page = page(&with_excluded());
    for name in ["Scaling", "Times, 2 workers"] {
        let figure = figure(&page, name);
        let counted = if name == "Scaling" { 20 } else { 6 };
        assert_eq!(
            (dots(&path(&figure, "dots s0")), rings(&path(&figure, "rings s0"))),
            (counted, 1),
            "{figure}"
        );
        assert!(figure.contains("<title>excluded: vcpu-preempted</title>"), "{figure}");
        assert!(figure.contains("excluded: 1 <code>vcpu-preempted</code>"), "the legend has it: {figure}");
    }
    let times = figure(&page, "Times, 2 workers");
    assert!(times.contains("<td class=\"l\">vcpu-preempted</td>"), "the table has it: {times}");
}

#[test]
fn the_ideal_goes_through_as_many_times_the_workers() {
    let scaling = figure(&page(&whole()), "Scaling");
    let ideal = path(&scaling, "ideal");
    let (from, to) = ideal.trim_start_matches('M').split_once('L').expect("two ends");
    let y = |end: &str| end.split(' ').nth(1).and_then(|y| y.parse::<f64>().ok()).expect("a place");
    // From 0 at the lower edge, 4 is four times as high as 1.
    let height = |end: &str| 296.0 - y(end);
    assert!((height(to) / height(from) - 4.0).abs() < 0.01, "{ideal}");
}

#[test]
fn the_ideal_of_weak_scaling_is_level() {
    let mut results = whole();
    results.experiment.scaling = Some(Scaling::Weak);
    let page = page(&results);
    let ideal = path(&figure(&page, "Scaling"), "ideal");
    let heights: Vec<&str> = ideal.split(['M', 'L']).filter_map(|end| end.split(' ').nth(1)).collect();
    assert_eq!(heights.len(), 2, "{ideal}");
    assert_eq!(heights[0], heights[1], "{ideal}");
    assert!(page.contains(">efficiency</text>") && !page.contains("Part of the ideal"), "{page}");
}

#[test]
fn each_worker_of_each_round_is_a_line_and_the_last_one_stands_out() {
    let page = page(&whole());
    for (case, name) in [(1, "Timeline, 1 worker"), (2, "Timeline, 2 workers"), (4, "Timeline, 4 workers")] {
        let figure = figure(&page, name);
        let lines = |class: &str| {
            let start = format!("<path class=\"{class}\"");
            let (_, from) = figure.split_once(&start).expect(class);
            from.split_once(" d=\"").expect("data").1.split('"').next().unwrap_or("").matches('H').count()
        };
        let last = if case > 1 { 7 } else { 0 };
        assert_eq!((lines("bars s0"), lines("bars last")), (7 * case - last, last), "{figure}");
    }
}

#[test]
fn each_pair_of_cpus_has_two_cells_of_the_heat_map() {
    let figure = figure(&page(&platform()), "Core to core");
    let cpus = figure.matches("<th scope=\"col\"").count() - 1;
    assert_eq!(figure.matches("<rect class=\"cell\"").count(), cpus * (cpus - 1), "{figure}");
}

#[test]
fn a_row_of_single_operations_has_a_histogram_with_its_percentiles() {
    let page = page(&platform());
    let histogram = figure(&page, "Distribution, overhead_event");
    assert!(!path(&histogram, "area s0").is_empty(), "{histogram}");
    for word in ["p50", "p95", "p99"] {
        assert!(histogram.contains(&format!(">{word}</text>")), "{word}: {histogram}");
    }
    assert!(page.contains("<h4>What the machine costs</h4>"));
}

#[test]
fn the_ratios_to_linux_have_a_line_for_each_other_system_and_none_for_all() {
    let page = page(&several());
    let ratios = figure(&page, "Times as fast as Linux");
    let rows = ratios.split_once("<tbody>").expect("data").1.matches("<tr>").count();
    assert_eq!(rows, 2, "assay and native, one workload: {ratios}");
    let shown = page.to_lowercase();
    for word in ["geometric", "overall", "total score", "average of"] {
        assert!(!shown.contains(word), "{word}");
    }
}

#[test]
fn every_figure_has_its_data_as_a_table() {
    for (name, results) in all() {
        let page = page(&results);
        for part in page.split("<figure>").skip(1) {
            let figure = part.split("</figure>").next().unwrap_or(part);
            let title = figure.split("<h4>").nth(1).and_then(|of| of.split('<').next()).unwrap_or("");
            // It shows the same data as the curve beside it.
            assert!(title == "Part of the ideal" || figure.contains("<table>"), "{name}: {title}");
            assert!(figure.contains("role=\"img\" aria-label=\""), "{name}: {title} has no description");
        }
    }
}

#[test]
fn no_place_is_not_a_number() {
    for (name, results) in all() {
        let page = page(&results);
        for word in ["NaN", "inf"] {
            assert!(
                !page.contains(&format!("\"{word}")) && !page.contains(&format!(" {word} ")),
                "{name}: {word}"
            );
        }
    }
}

#[test]
fn foreign_figures_are_plotted_beside_ours_and_labelled() {
    let page = with_foreign();
    assert!(page.contains("No rule judges them"), "{page}");
    let vmexit = figure(&page, "Foreign 1: kvm-unit-tests");
    // Two figures and a skipped one, which has a row in the table and no dot. The legend has a mark of each too.
    let (drawing, _) = vmexit.split_once("</svg>").expect("a drawing");
    assert_eq!(drawing.matches("<path class=\"dots s2\" d=\"M").count(), 2, "{vmexit}");
    assert_eq!(drawing.matches("<path class=\"mark s0\" d=\"M").count(), 1, "ours, exit_cpuid: {vmexit}");
    for word in ["FOREIGN, kvm-unit-tests", "<code>vmexit.log</code>", "skipped", "exit_cpuid", "ticks"] {
        assert!(vmexit.contains(word), "{word}: {vmexit}");
    }
    let kevlar = figure(&page, "Foreign 2: kevlar");
    assert!(
        kevlar.contains("a_program_with_a_name_...") && kevlar.contains("&lt;console&gt;.log"),
        "{kevlar}"
    );
    assert!(kevlar.contains("a_program_with_a_name_that_no_line_holds"), "the table has the name: {kevlar}");
    assert!(!page.contains("<console>"));
}
