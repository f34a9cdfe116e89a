//! Log: JSON lines of a service. Keys repeat, times grow, identifiers do neither.

use abi::random::{SplitMix64, mix};

use crate::out::Out;
use crate::words::{Word, below, bits, zipf};

const LEVELS: [&str; 8] = ["info", "info", "info", "info", "debug", "debug", "warn", "error"];

const PATHS: [&str; 8] = [
    "/api/v1/users",
    "/api/v1/orders",
    "/static/app.js",
    "/healthz",
    "/api/v1/cart",
    "/login",
    "/metrics",
    "/api/v2/search",
];

/// Fills `out` with log lines.
pub fn log(out: &mut [u8], seed: u64) {
    let mut out = Out::new(out);
    let mut random = SplitMix64::new(mix(seed ^ 0x10c5));
    let mut time_ms = 1_700_000_000_000_u64.wrapping_add(seed.wrapping_mul(1_000_000));
    while !out.is_full() {
        time_ms = time_ms.wrapping_add(below(&mut random, 900));
        line(&mut out, time_ms, &mut random);
    }
}

fn line(out: &mut Out<'_>, time_ms: u64, random: &mut SplitMix64) {
    let draw = random.draw();
    out.bytes(b"{\"ts\":");
    out.decimal(time_ms);
    out.bytes(b",\"level\":\"");
    out.bytes(LEVELS[bits(draw, 7)].as_bytes());
    out.bytes(b"\",\"path\":\"");
    // Both draws must set a bit, so that the first paths are the most frequent.
    out.bytes(PATHS[bits(draw >> 3 & draw >> 6, 7)].as_bytes());
    out.bytes(b"\",\"status\":");
    out.bytes(if draw >> 10 & 15 == 0 { b"404" } else { b"200" });
    out.bytes(b",\"user\":");
    out.decimal(zipf(random) * 7919);
    out.bytes(b",\"latency_us\":");
    out.decimal(100 + ((below(random, 1 << 12) * below(random, 1 << 12)) >> 10));
    out.bytes(b",\"trace\":\"");
    out.identifier(random.draw());
    out.bytes(b"\",\"msg\":\"");
    for _ in 0..2 + below(random, 5) {
        out.bytes(Word::of(zipf(random)).letters());
        out.byte(b' ');
    }
    out.bytes(b"\"}\n");
}
