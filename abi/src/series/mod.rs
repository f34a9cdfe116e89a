//! Series: many samples of one cost of the platform or of a kernel, kept as a log-linear histogram. Both sides agree here on the rows,
//! on the buckets, and on how counts and samples are written in records.

mod bucket;
mod code;
mod due;
pub mod place;
mod row;

pub use bucket::{BUCKETS, bounds, bucket};
pub use code::{CodeError, Counts, Numbers, Packer};
pub use due::{BANDWIDTH_WARM_UPS, due, touched_pages};
pub use row::{Oracle, RowSpec, SeriesClass, SeriesRow, Shortened, Tier, Unavailable};

/// The samples of a batch row.
pub const BATCHES: u32 = 100;
/// The samples of an event row.
pub const EVENTS: u32 = 10_000;
/// How often a row is run before it is sampled. The first time is its `cold` figure.
pub const WARM_UPS: u32 = 16;
/// The least that a batch takes, in microseconds: N doubles until it does.
pub const BATCH_US: u64 = 200;
/// The fewest samples of a row. If a machine is so slow that there are fewer, the row has no figure.
pub const FEWEST: u32 = 8;
/// The shortest gap between two readings of the TSC that counts as noise, in microseconds.
pub const GAP_US: u64 = 1;
/// How long each CPU looks for gaps, in milliseconds, unless the plan says otherwise.
pub const NOISE_MS: u32 = 10_000;
/// The longest that a plan can ask for.
pub const MAX_NOISE_MS: u32 = 600_000;
