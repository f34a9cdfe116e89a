//! What this program is: its version and the commit that it was built from.

use results::Tool;

/// The same as of `assay`, which is built from the same sources.
pub fn tool() -> Tool {
    Tool { commit: Some(env!("ASSAY_BUILT_FROM").to_owned()), ..Tool::default() }
}
