//! What a change of a type means for the version of its form.

use serde_json::Value;

/// Where a reader of `old` would misread what `new` describes: a JSON pointer for each place. Nothing, if `new` only adds keys.
pub fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut places = Vec::new();
    compare("", old, new, &mut places);
    places
}

fn compare(at: &str, old: &Value, new: &Value, places: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, old) in old.iter().filter(|(key, _)| !is_for_people(at, key)) {
                let at = format!("{at}/{key}");
                match new.get(key) {
                    Some(new) => compare(&at, old, new, places),
                    None => places.push(at),
                }
            }
            // A new key of a form is an addition; a new key of the schema itself is a new demand on what was there.
            let added = new.keys().filter(|key| !old.contains_key(*key) && !is_for_people(at, key));
            places.extend(added.filter(|_| !has_names(at)).map(|key| format!("{at}/{key}")));
        }
        // What is always there now may be read by those who read the new form only.
        (Value::Array(old), Value::Array(new)) if at.ends_with("/required") => {
            places.extend(old.iter().filter(|key| !new.contains(key)).map(|key| format!("{at}/{key}")));
        }
        _ if old == new => {}
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (place, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{at}/{place}"), old, new, places);
            }
        }
        _ => places.push(at.to_owned()),
    }
}

/// Whether the keys of the object are names: of a form's keys, or of definitions.
fn has_names(at: &str) -> bool {
    at.ends_with("/properties") || at.ends_with("/$defs")
}

/// Whether the key of a schema only explains.
fn is_for_people(at: &str, key: &str) -> bool {
    !has_names(at) && matches!(key, "description" | "title")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_more_or_other_words_for_people_break_nothing() {
        let old = json!({ "properties": { "n": { "type": "integer" } }, "required": ["n"] });
        let new = json!({
            "description": "new",
            "properties": { "n": { "type": "integer", "title": "N" }, "title": { "type": "string" } },
            "required": ["n", "title"],
        });
        assert_eq!(breaks(&old, &new), Vec::<String>::new());
    }

    #[test]
    fn what_is_gone_or_another_type_breaks_and_is_named() {
        let old = json!({ "properties": { "n": { "type": "integer" }, "title": {} }, "required": ["n"] });
        let gone = json!({ "properties": { "n": { "type": "integer" } }, "required": ["n"] });
        assert_eq!(breaks(&old, &gone), ["/properties/title"]);
        let other =
            json!({ "properties": { "n": { "type": ["integer", "null"] }, "title": {} }, "required": [] });
        assert_eq!(breaks(&old, &other), ["/properties/n/type", "/required/\"n\""]);
        let narrower = json!({ "properties": { "n": { "type": "integer", "maximum": 5 }, "title": {} }, "required": ["n"] });
        assert_eq!(breaks(&old, &narrower), ["/properties/n/maximum"]);
    }

    #[test]
    fn another_word_in_a_list_of_words_breaks() {
        assert_eq!(breaks(&json!({ "enum": ["a", "b"] }), &json!({ "enum": ["a", "c"] })), ["/enum/1"]);
        assert_eq!(breaks(&json!({ "enum": ["a"] }), &json!({ "enum": ["a", "c"] })), ["/enum"]);
    }
}
