//! The texts of earlier boots' records. Boots of one machine describe it in the same words, at the same places: a text that
//! was read before need not be read again.

use abi::wire::{FieldError, Record};

/// How many places are remembered: more than what describes a machine with hundreds of CPUs.
const MOST: usize = 1_024;

/// How often in a row the text at a place may differ from the remembered one until it is one that always changes.
const MISSES: u8 = 4;

/// The texts at the places of a boot, each with its record.
#[derive(Default)]
pub(super) struct Known(Vec<Option<Text>>);

struct Text {
    /// The name and the fields, of at most [`abi::wire::MAX_LINE_BYTES`].
    bytes: Vec<u8>,
    record: Record,
    misses: u8,
}

impl Known {
    /// Reads the text of the record at this place in its boot: gives what [`Record::parse`] does.
    pub fn read(&mut self, place: usize, text: &[u8]) -> Result<Record, FieldError> {
        if place >= MOST {
            return Record::parse(text);
        }
        if self.0.len() <= place {
            self.0.resize_with(place + 1, || None);
        }
        match &mut self.0[place] {
            Some(known) if known.bytes == text => {
                known.misses = 0;
                Ok(known.record)
            }
            Some(known) if known.misses < MISSES => {
                let record = Record::parse(text)?;
                known.bytes.clear();
                known.bytes.extend_from_slice(text);
                (known.record, known.misses) = (record, known.misses + 1);
                Ok(record)
            }
            Some(_) => Record::parse(text),
            none => {
                let record = Record::parse(text)?;
                *none = Some(Text { bytes: text.to_vec(), record, misses: 0 });
                Ok(record)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_parsing_gives_whatever_was_read_before() {
        let texts: [&[u8]; 5] =
            [b"warm-up ms=20", b"warm-up ms=21", b"warm-up ms=021", b"", b"case-ready case=1 iter=0"];
        let mut known = Known::default();
        for round in 0..200_usize {
            let text = texts[round * round % 7 % texts.len()];
            for place in [round % 3, MOST - 1, MOST, usize::MAX] {
                assert_eq!(known.read(place, text), Record::parse(text), "{round}, {place}");
            }
        }
        assert_eq!(known.0.len(), MOST);
    }
}
