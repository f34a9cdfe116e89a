//! A session as one HTML file: its tables, and nothing to fetch.

use report::Table;

use crate::outcome::{LifeResults, Row};
use crate::text::{bursts, compared, conditions, gates, headline, machines, rows_of};

/// The style: the system's fonts and colours, numbers under each other.
const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color-scheme:light \
                     dark}table{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:1rem 0}caption{text-align:left;\
                     font-weight:600}td,th{padding:.2rem .8rem;border-bottom:1px solid;text-align:right}td.l,th.l{text-align:left}";

/// The document of a session that was verified. `problems` are what does not verify, and `head` its ledger's last digest.
#[must_use]
pub fn document(name: &str, results: &LifeResults, head: &str, problems: &[String]) -> String {
    let title = escaped(&format!("{} {name}", results.experiment));
    let mut body = format!("<h1>{title}</h1>\n<p><strong>{}</strong></p>\n", escaped(&headline(results)));
    if problems.is_empty() {
        body += &format!(
            "<p>Verified: every log was judged again. Head of the ledger: <code>{}</code></p>\n",
            escaped(head)
        );
    } else {
        let items: String = problems.iter().map(|problem| format!("<li>{}</li>", escaped(problem))).collect();
        body += &format!("<p><strong>Not verified</strong></p>\n<ul>{items}</ul>\n");
    }
    body += &format!("<p>{}</p>\n", escaped(&conditions(results)).replace('\n', "<br>"));
    for machine in machines(results) {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.key.machine == machine).collect();
        body += &table(&format!("{machine}, in ms"), &rows_of(&rows));
    }
    if !results.compared.is_empty() {
        let caption = "assay beside the VMM's own start (ms more) and Linux (times), by round";
        body += &table(caption, &compared(&results.compared));
    }
    if !results.bursts.is_empty() {
        body += &table("started at once, in ms", &bursts(results));
    }
    if !results.gates.is_empty() {
        body += &table("gates", &gates(results));
    }
    let failures = results.failures.iter().map(|failure| {
        let of = format!(
            "cycle {} ({} on {}): {}",
            failure.cycle, failure.subject, failure.machine, failure.detail
        );
        format!("<li>{}</li>", escaped(&of))
    });
    let failures: String = failures.collect();
    if !failures.is_empty() {
        body += &format!("<h2>Cycles that do not count</h2>\n<ul>{failures}</ul>\n");
    }
    let left_out: String =
        results.left_out.iter().map(|left| format!("<li>{}</li>", escaped(left))).collect();
    if !left_out.is_empty() {
        body += &format!("<h2>Left out</h2>\n<ul>{left_out}</ul>\n");
    }
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>{title}</title><style>{STYLE}</style></head>\n\
         <body>\n{body}</body>\n</html>\n"
    )
}

fn table(caption: &str, table: &Table) -> String {
    let line = |cells: &[String], tag: &str| {
        let cells = cells.iter().enumerate().map(|(column, cell)| {
            let class = if table.left.contains(&column) { " class=\"l\"" } else { "" };
            format!("<{tag}{class}>{}</{tag}>", escaped(cell))
        });
        format!("<tr>{}</tr>\n", cells.collect::<String>())
    };
    let rows: String = table.rows.iter().map(|row| line(row, "td")).collect();
    let (caption, head) = (escaped(caption), line(&table.header, "th"));
    format!("<table><caption>{caption}</caption>\n<thead>{head}</thead>\n<tbody>{rows}</tbody></table>\n")
}

/// Text as HTML has it.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        assert_eq!(escaped("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
    }
}
