//! `transformer`: the same model in double precision, with whole matrices instead of groups and without any quantised
//! activation. The tokens are the same, since no second token comes near the best; a test holds that.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use abi::random::{SplitMix64, mix};

use crate::digest::bind;
use crate::kept::Kept;
use crate::{Expectation, Needs, Task, Units};

const WIDTH: usize = 128;
const HIDDEN: usize = 352;
const HEAD: usize = 32;
const LAYERS: usize = 4;
const VOCABULARY: usize = 1024;

/// The longest sequence, and the most sequences. So the tests can try every whole that can be run.
const MOST_TOKENS: u64 = 8;
const MOST_SEQUENCES: u64 = 8;

/// The memory of the program: the weights, the cosines and sines, the cache, each to a whole line.
const MEMORY_BYTES: u64 = ((LAYERS * (4 * WIDTH * WIDTH + 3 * WIDTH * HIDDEN) + VOCABULARY * WIDTH)
    + 4 * 8 * HEAD
    + 4 * 2 * LAYERS * 8 * WIDTH
    + 3 * 64) as u64;

/// The tokens of sequences.
static SEQUENCES: Kept<(u64, u64), Vec<u64>> = Kept::new(64);

crate::parameters! {
    /// Sequences of tokens.
    pub struct Transformer {
        /// The first sequence.
        first: {
            key: "first-sequence",
            expected: "a whole number below 8",
            fits: |whole| whole.first < MOST_SEQUENCES,
        },
        /// The end of the sequences, itself not one.
        end: {
            key: "end-sequence",
            expected: "a whole number above the first sequence and at most 8",
            fits: |whole| whole.first < whole.end && whole.end <= MOST_SEQUENCES,
        },
        /// The tokens of each sequence.
        tokens: {
            key: "tokens",
            expected: "a whole number of at least 1 and at most 8",
            fits: |whole| (1..=MOST_TOKENS).contains(&whole.tokens),
        },
    }
}

impl Task for Transformer {
    const NAME: &'static str = "transformer";

    const UNITS: Units = Units { answer: "sum of tokens", work: "tokens" };

    const NEEDS: Needs = Needs { prepare: true, ..Needs::NONE };

    fn example() -> Self {
        Self { first: 1, end: 5, tokens: 2 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let tokens = self.tokens.min(MOST_TOKENS);
        let (first, end) = (self.first, self.end.min(MOST_SEQUENCES));
        let of_sequence = |sequence: u64| {
            let made = SEQUENCES.get((sequence, tokens), || tokens_of(sequence, tokens));
            let digest = (0..).zip(&made).fold(0_u64, |sum, (position, token)| {
                sum.wrapping_add(mix(token ^ mix(sequence << 32 ^ position)))
            });
            Expectation { answer: made.iter().sum(), work: tokens, digest: bind(digest, challenge) }
        };
        (first..end).map(of_sequence).sum()
    }

    fn memory_bytes(&self) -> u64 {
        MEMORY_BYTES
    }
}

/// The tokens of a sequence.
fn tokens_of(sequence: u64, tokens: u64) -> Vec<u64> {
    let mut cache = Cache::default();
    let mut token = (1 + 37 * sequence) % VOCABULARY as u64;
    let next = |_| {
        token = MODEL.next(token, &mut cache).token;
        token
    };
    (0..tokens).map(next).collect()
}

/// The model: its matrices, and its embedding.
static MODEL: LazyLock<Model> = LazyLock::new(Model::new);

struct Model {
    layers: Vec<Layer>,
    embedding: Matrix,
}

struct Layer {
    query: Matrix,
    key: Matrix,
    value: Matrix,
    output: Matrix,
    up: Matrix,
    down: Matrix,
    gate: Matrix,
}

/// A matrix by rows.
struct Matrix {
    rows: Vec<Vec<f64>>,
}

/// The keys and values so far, by layer and position.
#[derive(Default)]
struct Cache {
    keys: [Vec<Vec<f64>>; LAYERS],
    values: [Vec<Vec<f64>>; LAYERS],
}

/// A token, and by how much its logit leads over that of the next best.
struct Next {
    token: u64,
    #[cfg_attr(not(test), expect(dead_code, reason = "a test holds that it is never small"))]
    lead: f64,
}

impl Matrix {
    /// The next matrix of the generator: each weight is the sum of two numbers of seven bits, less 127, times a 64th of
    /// `scale`.
    fn draw(random: &mut SplitMix64, rows: usize, columns: usize, scale: f64) -> Self {
        let mut weight = || {
            let draw = random.draw();
            let sum = (draw & 127) + (draw >> 8 & 127);
            (sum as f64 - 127.0) * scale / 64.0
        };
        Self { rows: (0..rows).map(|_| (0..columns).map(|_| weight()).collect()).collect() }
    }

    fn times(&self, x: &[f64]) -> Vec<f64> {
        self.rows.iter().map(|row| dot(row, x)).collect()
    }
}

impl Model {
    fn new() -> Self {
        let mut random = SplitMix64::new(42);
        let mut draw = |rows, columns, scale| Matrix::draw(&mut random, rows, columns, scale);
        let layer = |_| Layer {
            query: draw(WIDTH, WIDTH, 0.09),
            key: draw(WIDTH, WIDTH, 0.09),
            value: draw(WIDTH, WIDTH, 0.09),
            output: draw(WIDTH, WIDTH, 0.09),
            up: draw(HIDDEN, WIDTH, 0.075),
            down: draw(WIDTH, HIDDEN, 0.075),
            gate: draw(HIDDEN, WIDTH, 0.075),
        };
        let layers = (0..LAYERS).map(layer).collect();
        Self { layers, embedding: Matrix::draw(&mut random, VOCABULARY, WIDTH, 0.15) }
    }

    fn next(&self, token: u64, cache: &mut Cache) -> Next {
        let mut x = self.embedding.rows[usize::try_from(token).unwrap_or_default()].clone();
        for (number, layer) in self.layers.iter().enumerate() {
            layer.apply(&mut x, &mut cache.keys[number], &mut cache.values[number]);
        }
        let mut logits: Vec<(f64, u64)> =
            self.embedding.times(&normalised(&x)).into_iter().zip(0..).collect();
        logits.sort_by(|one, other| other.0.total_cmp(&one.0));
        Next { token: logits[0].1, lead: logits[0].0 - logits[1].0 }
    }
}

impl Layer {
    fn apply(&self, x: &mut [f64], keys: &mut Vec<Vec<f64>>, values: &mut Vec<Vec<f64>>) {
        let normal = normalised(x);
        let position = keys.len();
        let query = turned(self.query.times(&normal), position);
        keys.push(turned(self.key.times(&normal), position));
        values.push(self.value.times(&normal));
        let heads = (0..WIDTH / HEAD).flat_map(|head| attended(&query, keys, values, head * HEAD));
        add(x, &self.output.times(&heads.collect::<Vec<_>>()));

        let normal = normalised(x);
        let gated = self.up.times(&normal).into_iter().zip(self.gate.times(&normal));
        let hidden: Vec<f64> = gated.map(|(up, gate)| up / (1.0 + (-up).exp()) * gate).collect();
        add(x, &self.down.times(&hidden));
    }
}

/// What the head from column `from` on attends to.
fn attended(query: &[f64], keys: &[Vec<f64>], values: &[Vec<f64>], from: usize) -> Vec<f64> {
    let of_head = |all: &[f64]| all[from..from + HEAD].to_vec();
    let score = |key: &Vec<f64>| dot(&of_head(query), &of_head(key)) / (HEAD as f64).sqrt();
    let weights: Vec<f64> = keys.iter().map(|key| score(key).exp()).collect();
    let sum: f64 = weights.iter().sum();
    let mut out = vec![0.0; HEAD];
    for (weight, value) in weights.iter().zip(values) {
        for (out, value) in out.iter_mut().zip(of_head(value)) {
            *out += weight / sum * value;
        }
    }
    out
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn normalised(x: &[f64]) -> Vec<f64> {
    let root = (dot(x, x) / x.len() as f64 + 1e-5).sqrt();
    x.iter().map(|x| x / root).collect()
}

/// Each pair of a head, as a complex number, times e^(i position 10000^(-2 pair / HEAD)).
fn turned(mut x: Vec<f64>, position: usize) -> Vec<f64> {
    for (at, pair) in x.chunks_exact_mut(2).enumerate() {
        let frequency = 10_000_f64.powf(-((2 * at % HEAD) as f64) / HEAD as f64);
        let (sine, cosine) = (frequency * position as f64).sin_cos();
        let (a, b) = (pair[0], pair[1]);
        pair.copy_from_slice(&[a * cosine - b * sine, a * sine + b * cosine]);
    }
    x
}

fn add(x: &mut [f64], other: &[f64]) {
    x.iter_mut().zip(other).for_each(|(x, other)| *x += other);
}
