//! The serial log of memtest86+ (8.10 and later): `MTLOG ts=SECONDS ev=EVENT key=value ...`. A test's time is that from its
//! `test_start` to its `test_end`; each has the number of errors with it. Source: memtest86plus, `app/` (serial log).

use std::path::Path;

use super::{Figure, ForeignError, Unit};

/// A test that has begun.
struct Begun {
    test: u32,
    name: String,
    at: f64,
}

/// The time of each test that came to its end.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Figure>, ForeignError> {
    let mut all = Vec::new();
    let (mut pass, mut begun): (u32, Option<Begun>) = (0, None);
    for (line, text) in (1..).zip(text.lines()) {
        let Some(event) = Event::of(text) else { continue };
        match event.kind {
            "pass_start" => pass = event.number("pass").unwrap_or(pass),
            "test_start" => {
                begun = event.number("test").map(|test| Begun {
                    test,
                    name: event.text("name").unwrap_or_default().to_owned(),
                    at: event.at,
                });
            }
            "test_end" => {
                let Some(of) = begun.take().filter(|of| event.number("test") == Some(of.test)) else {
                    continue;
                };
                let name = format!("pass {}, test {}: {}", pass + 1, of.test, of.name);
                if event.at < of.at {
                    let detail = "it ends before it begins: give the log of one run";
                    return Err(ForeignError::Figure { path: path.to_owned(), line, name, detail });
                }
                let errors = event.number("errors").unwrap_or(0);
                let note = if errors > 0 { format!("{errors} ERRORS of memory") } else { String::new() };
                let (value, unit) = (Some(event.at - of.at), Unit::Seconds);
                all.push(Figure { name, value, unit, samples: 1, note, beside: None });
            }
            _ => {}
        }
    }
    Ok(all)
}

/// A line of the log.
struct Event<'t> {
    at: f64,
    kind: &'t str,
    fields: Vec<(&'t str, &'t str)>,
}

impl<'t> Event<'t> {
    fn of(line: &'t str) -> Option<Self> {
        let fields = fields(line.split_once("MTLOG ")?.1.trim_end());
        let of = |key| fields.iter().find(|(name, _)| *name == key).map(|(_, value)| *value);
        let at = of("ts")?.parse().ok().filter(|at: &f64| at.is_finite())?;
        Some(Self { at, kind: of("ev")?, fields })
    }

    fn text(&self, key: &str) -> Option<&'t str> {
        self.fields.iter().find(|(name, _)| *name == key).map(|(_, value)| *value)
    }

    fn number(&self, key: &str) -> Option<u32> {
        self.text(key)?.parse().ok()
    }
}

/// `key=value` words; a value in quotes may have spaces.
fn fields(mut text: &str) -> Vec<(&str, &str)> {
    let mut all = Vec::new();
    while let Some((key, rest)) = text.trim_start().split_once('=') {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        all.push((key, value));
        text = after;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "MTLOG ts=0.0 ev=start version=8.10.abc arch=x86_64\r\nMTLOG ts=0.1 ev=info cpu=\"A CPU = fast\"\r\n\
        MTLOG ts=1.0 ev=pass_start pass=0\r\nMTLOG ts=1.2 ev=test_start test=3 name=\"Moving inversions, 1s\"\r\n\
        MTLOG ts=31.2 ev=tick pass=0 pass_pct=5 test=3 test_pct=50 errors=0\r\nMTLOG ts=61.7 ev=test_end test=3 errors=2\r\n\
        MTLOG ts=61.8 ev=test_start test=4 name=\"Own address\"\r\n";

    #[test]
    fn a_test_that_ended_has_its_time_and_its_errors() {
        let read = read(Path::new("m.log"), LOG).unwrap();
        let [one] = &read[..] else { panic!("{read:?}") };
        assert_eq!(one.name, "pass 1, test 3: Moving inversions, 1s");
        assert!((one.value.unwrap() - 60.5).abs() < 1e-9, "{one:?}");
        assert_eq!(one.note, "2 ERRORS of memory");
    }

    #[test]
    fn two_logs_in_one_are_refused() {
        let swapped = LOG.replace("ts=61.7", "ts=0.7");
        assert!(read(Path::new("m.log"), &swapped).unwrap_err().to_string().contains("m.log:6: "));
        assert_eq!(read(Path::new("m.log"), "no log\nMTLOG ts=x ev=y\n").unwrap(), []);
    }
}
