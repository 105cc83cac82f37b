//! What a training loop needs besides a network.
//!
//! In: seeds, counts, predictions. Out: orders of images, masks of dropout, checkpoints, scores
//! and intervals. Left out: the loop itself, which belongs to the chapter. Random numbers of an
//! epoch depend on the seed and the epoch alone, so that a training can go on after any epoch.

mod adamw;
mod checkpoint;
mod losses;
mod score;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngCore, SeedableRng};

pub use adamw::{AdamW, Moments};
pub use checkpoint::Checkpoint;
pub use losses::Losses;
pub use score::{CONFIDENCE, Confusion, Interval, bootstrap_mean, paired_bootstrap};

/// The random numbers of one epoch.
#[derive(Debug)]
pub struct EpochRandom(StdRng);

impl EpochRandom {
    /// Starts the random numbers of an epoch.
    pub fn new(seed: u64, epoch: usize) -> Self {
        // A step that shares no factor with 2⁶⁴, so that no two epochs of near seeds meet.
        Self(StdRng::seed_from_u64(
            seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(epoch as u64),
        ))
    }

    /// Returns the numbers below `count` in random order.
    pub fn order(&mut self, count: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        order.shuffle(&mut self.0);
        order
    }

    /// Returns factors for dropout: 0 with probability `rate`, otherwise 1/(1 − rate).
    pub fn dropout(&mut self, count: usize, rate: f64) -> Vec<f32> {
        let kept = (1.0 / (1.0 - rate)) as f32;
        let limit = (rate * (f64::from(u32::MAX) + 1.0)) as u32;
        let mut bytes = vec![0; count * 4];
        self.0.fill_bytes(&mut bytes);
        let numbers = bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        numbers.map(|number| if number < limit { 0.0 } else { kept }).collect()
    }
}

/// The mean of all numbers so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunningMean {
    sum: f64,
    count: u64,
}

impl RunningMean {
    /// Adds a number.
    pub fn add(&mut self, number: f64) {
        self.sum += number;
        self.count += 1;
    }

    /// Returns the mean; of no numbers it is not a number.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// Returns the sum and the number of numbers, from which to go on exactly.
    pub fn state(&self) -> (f64, u64) {
        (self.sum, self.count)
    }

    /// Goes on from such a state.
    pub fn from_state((sum, count): (f64, u64)) -> Self {
        Self { sum, count }
    }
}
