//! What this program is: its version and the commit that it was built from.

use results::Tool;

/// `0.1.0 (0123456789ab)`, with `dirty` if its source differed from the commit.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("ASSAY_BUILT_FROM"), ")");

/// The same for results.
pub fn tool() -> Tool {
    Tool { commit: Some(env!("ASSAY_BUILT_FROM").to_owned()), ..Tool::default() }
}
