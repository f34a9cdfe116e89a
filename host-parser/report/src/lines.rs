//! Sentences as lines of a terminal.

use std::borrow::Cow;

use textwrap::{Options, WordSplitter};

/// The longest line of a sentence that is broken.
const WIDTH: usize = 80;

/// A sentence as lines that begin with `indent`, broken at its spaces. All but the first are indented further.
pub(super) fn wrapped(sentence: &str, indent: &str) -> Vec<String> {
    let further = format!("{indent}  ");
    let options = Options::new(WIDTH)
        .initial_indent(indent)
        .subsequent_indent(&further)
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(sentence, options).into_iter().map(Cow::into_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_at_its_spaces_and_a_long_word_is_not() {
        let long = "x".repeat(WIDTH);
        let lines = wrapped(&format!("{} {long} end", "word ".repeat(30).trim_end()), "  ");
        assert!(lines.iter().all(|line| line.starts_with("  ") && !line.ends_with(' ')), "{lines:?}");
        assert!(lines.iter().all(|line| line.len() <= WIDTH || line.trim() == long), "{lines:?}");
        assert_eq!(lines.join("").split_whitespace().count(), 32, "{lines:?}");
        assert_eq!(lines.len(), 4);
    }
}
