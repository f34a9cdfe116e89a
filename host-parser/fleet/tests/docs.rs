//! The tables of docs/FLEET.md are those of the code.

use test_support::golden::{check_part, document};

#[test]
fn the_document_has_the_columns_of_every_table() {
    check_part(&document("FLEET.md"), "tables", &fleet::markdown());
}
