//! A transformer's forward pass in the shape of llama2.c's, with eight-bit weights that a generator gives.
//!
//! Weights are integers from -127 to 127 times a scale for each matrix; activations are quantised in groups of 32 before
//! each product, whose sums are then exact integers. All else is in single precision. The functions are the crate `libm`'s,
//! the same code everywhere.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

use abi::random::SplitMix64;

/// The width of the model, of its feed-forward layers, and of a head.
pub const WIDTH: usize = 128;
pub const HIDDEN: usize = 352;
const HEAD: usize = 32;
const HEADS: usize = WIDTH / HEAD;

/// The layers, the tokens that there are, and the longest sequence.
pub const LAYERS: usize = 4;
pub const VOCABULARY: usize = 1024;
pub const LONGEST: usize = 8;

/// The weights that share a scale when activations are quantised.
const GROUP: usize = 32;

/// The matrices of a layer, rows by columns, and the scale of their weights: query, key, value, output; up, down, gate.
const LAYER: [(usize, usize, f32); 7] = [
    (WIDTH, WIDTH, ATTENTION),
    (WIDTH, WIDTH, ATTENTION),
    (WIDTH, WIDTH, ATTENTION),
    (WIDTH, WIDTH, ATTENTION),
    (HIDDEN, WIDTH, FEED_FORWARD),
    (WIDTH, HIDDEN, FEED_FORWARD),
    (HIDDEN, WIDTH, FEED_FORWARD),
];
const ATTENTION: f32 = 0.09 / 64.0;
const FEED_FORWARD: f32 = 0.075 / 64.0;
const EMBEDDING: f32 = 0.15 / 64.0;

/// The weights of a layer, and of all layers and the embedding.
const LAYER_WEIGHTS: usize = 4 * WIDTH * WIDTH + 3 * WIDTH * HIDDEN;
pub const WEIGHTS: usize = LAYERS * LAYER_WEIGHTS + VOCABULARY * WIDTH;

/// The keys and values of a sequence, for each layer and position.
pub const CACHE: usize = 2 * LAYERS * LONGEST * WIDTH;

/// The cosines and sines of the positions.
pub const TURNS: usize = LONGEST * HEAD;

/// Fills the weights.
pub fn fill_weights(weights: &mut [i8]) {
    let mut random = SplitMix64::new(42);
    for weight in weights {
        let [one, other, ..] = random.draw().to_le_bytes();
        // The sum of two numbers of seven bits: from -127 to 127, those near 0 the most frequent.
        *weight = (i16::from(one & 127) + i16::from(other & 127) - 127) as i8;
    }
}

/// Fills the cosines and sines: pair `i` of a head turns by 10000^(-2i/HEAD) for each position.
pub fn fill_turns(turns: &mut [f32]) {
    for (position, turns) in turns.chunks_exact_mut(HEAD).enumerate() {
        for (pair, turn) in turns.chunks_exact_mut(2).enumerate() {
            let frequency = libm::powf(10_000.0, -((2 * pair) as f32) / HEAD as f32);
            let angle = frequency * position as f32;
            turn.copy_from_slice(&[libm::cosf(angle), libm::sinf(angle)]);
        }
    }
}

/// The model, with the cache of one sequence.
pub struct Model<'a> {
    pub weights: &'a [i8],
    pub turns: &'a [f32],
    pub cache: &'a mut [f32],
}

impl Model<'_> {
    /// The token after `token` at `position`, whose predecessors are in the cache.
    pub fn next(&mut self, token: usize, position: usize) -> usize {
        let (layers, embedding) = self.weights.split_at(LAYERS * LAYER_WEIGHTS);
        let mut x = [0_f32; WIDTH];
        for (x, weight) in x.iter_mut().zip(&embedding[token * WIDTH..]) {
            *x = f32::from(*weight) * EMBEDDING;
        }
        let caches = self.cache.chunks_exact_mut(2 * LONGEST * WIDTH);
        for (weights, cache) in layers.chunks_exact(LAYER_WEIGHTS).zip(caches) {
            layer(&mut x, weights, self.turns, cache, position);
        }
        let normal = normalised(&x);
        let mut logits = [0_f32; VOCABULARY];
        multiply(&mut logits, &normal, embedding, EMBEDDING);
        let best = |best: usize, at: usize| if logits[at] > logits[best] { at } else { best };
        (1..VOCABULARY).fold(0, best)
    }
}

fn layer(x: &mut [f32; WIDTH], weights: &[i8], turns: &[f32], cache: &mut [f32], position: usize) {
    let mut rest = weights;
    let [query, key, value, output, up, down, gate] = LAYER.map(|(rows, columns, scale)| {
        let (matrix, after) = rest.split_at(rows * columns);
        rest = after;
        (matrix, scale)
    });
    let (keys, values) = cache.split_at_mut(LONGEST * WIDTH);
    let normal = normalised(x);
    let mut q = [0_f32; WIDTH];
    multiply(&mut q, &normal, query.0, query.1);
    let at = position * WIDTH;
    multiply(&mut keys[at..at + WIDTH], &normal, key.0, key.1);
    multiply(&mut values[at..at + WIDTH], &normal, value.0, value.1);
    let turns = &turns[position * HEAD..][..HEAD];
    turn(&mut q, turns);
    turn(&mut keys[at..at + WIDTH], turns);

    let mut attended = [0_f32; WIDTH];
    for head in 0..HEADS {
        attend(&mut attended, &q, keys, values, head, position);
    }
    let mut added = [0_f32; WIDTH];
    multiply(&mut added, &attended, output.0, output.1);
    add(x, &added);

    let normal = normalised(x);
    let (mut upwards, mut gated) = ([0_f32; HIDDEN], [0_f32; HIDDEN]);
    multiply(&mut upwards, &normal, up.0, up.1);
    multiply(&mut gated, &normal, gate.0, gate.1);
    for (up, gate) in upwards.iter_mut().zip(&gated) {
        *up = *up / (1.0 + libm::expf(-*up)) * gate;
    }
    multiply(&mut added, &upwards, down.0, down.1);
    add(x, &added);
}

/// The attention of one head: the values, weighted by how well their keys fit.
fn attend(out: &mut [f32], q: &[f32], keys: &[f32], values: &[f32], head: usize, position: usize) {
    let of_head = |all: &[f32], at: usize| -> [f32; HEAD] {
        core::array::from_fn(|i| all[at * WIDTH + head * HEAD + i])
    };
    let q = of_head(q, 0);
    let mut scores = [0_f32; LONGEST];
    for (at, score) in scores.iter_mut().enumerate().take(position + 1) {
        let key = of_head(keys, at);
        let dot = q.iter().zip(&key).fold(0.0, |sum, (q, key)| sum + q * key);
        *score = dot / libm::sqrtf(HEAD as f32);
    }
    let scores = &mut scores[..=position];
    let most = scores.iter().fold(f32::MIN, |most, score| most.max(*score));
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::expf(*score - most);
        sum += *score;
    }
    for (at, score) in scores.iter().enumerate() {
        for (out, value) in out[head * HEAD..][..HEAD].iter_mut().zip(of_head(values, at)) {
            *out += score / sum * value;
        }
    }
}

/// y = W x, with x quantised in groups.
#[inline(never)]
fn multiply(y: &mut [f32], x: &[f32], weights: &[i8], scale: f32) {
    let mut quantised = [0_i8; HIDDEN];
    let mut scales = [0_f32; HIDDEN / GROUP];
    let groups = x.chunks_exact(GROUP).zip(quantised.chunks_exact_mut(GROUP)).zip(&mut scales);
    for ((x, quantised), group_scale) in groups {
        let most = x.iter().fold(0_f32, |most, x| most.max(libm::fabsf(*x)));
        *group_scale = if most == 0.0 { 1.0 } else { most / 127.0 };
        for (q, x) in quantised.iter_mut().zip(x) {
            *q = libm::rintf(x / *group_scale) as i8;
        }
    }
    for (y, row) in y.iter_mut().zip(weights.chunks_exact(x.len())) {
        let groups = row.chunks_exact(GROUP).zip(quantised.chunks_exact(GROUP)).zip(&scales);
        *y = groups.fold(0.0, |sum, ((row, quantised), group_scale)| {
            let products = row.iter().zip(quantised).map(|(w, q)| i32::from(*w) * i32::from(*q));
            sum + products.sum::<i32>() as f32 * (group_scale * scale)
        });
    }
}

/// x divided by the root of its mean square.
fn normalised(x: &[f32; WIDTH]) -> [f32; WIDTH] {
    let mean = x.iter().fold(0.0, |sum, x| sum + x * x) / WIDTH as f32;
    let factor = 1.0 / libm::sqrtf(mean + 1e-5);
    x.map(|x| x * factor)
}

/// Turns each pair by its position's angle.
fn turn(x: &mut [f32], turns: &[f32]) {
    for head in x.chunks_exact_mut(HEAD) {
        for (pair, turn) in head.chunks_exact_mut(2).zip(turns.chunks_exact(2)) {
            let ([a, b], [cosine, sine]) = (&mut *pair, turn) else { continue };
            (*a, *b) = (*a * cosine - *b * sine, *a * sine + *b * cosine);
        }
    }
}

fn add(x: &mut [f32; WIDTH], other: &[f32; WIDTH]) {
    for (x, other) in x.iter_mut().zip(other) {
        *x += other;
    }
}
