//! The results for people: a table on the terminal, a summary in Markdown.

mod conditions;
mod markdown;
mod number;
mod side_by_side;
mod table;
mod terminal;
mod words;

pub use markdown::SummaryMarkdown;
pub use terminal::terminal;
