//! Bencher's metric format (`bmf.json`): latency in ns, throughput as work a second, and the speed-up, for which
//! Bencher knows no unit.

use serde_json::{Map, Value, json};

use super::{Better, FormError, pretty};
use crate::Subject;
use crate::figures::{figures, rate};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    let mut all = Map::new();
    for subject in subjects {
        for figure in figures(subject.results) {
            let mut measures = Map::new();
            if let Some(speedup) = figure.scales() {
                let mut value = json!({ "value": speedup.median });
                if let Some(of) = speedup.interval {
                    value["lower_value"] = json!(of.low);
                    value["upper_value"] = json!(of.high);
                }
                measures.insert(figure.ratio_name().to_owned(), value);
            }
            if let Some(nanos) = &figure.stats.nanos {
                measures.insert(
                    "latency".to_owned(),
                    json!({ "value": nanos.median, "lower_value": nanos.min, "upper_value": nanos.max }),
                );
            }
            if let Some(rate) = rate(subject.results, &figure) {
                measures.insert("throughput".to_owned(), json!({ "value": rate.per_second }));
            }
            if !measures.is_empty() {
                all.insert(figure.name(subject), Value::Object(measures));
            }
        }
    }
    if all.is_empty() { Err(FormError::Nothing) } else { Ok(pretty(&Value::Object(all))) }
}
