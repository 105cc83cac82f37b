//! Measurement of how long something takes.
//!
//! In: a closure. Out: robust statistics of its wall time in seconds. Left out: publishing;
//! measured times differ from run to run, so a claim about them needs a margin.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A repetition lasts at least so long, so that the clock's resolution does not matter.
const SHORTEST_REPETITION: Duration = Duration::from_millis(5);

/// Wall time per call in seconds, from [`measure`].
#[derive(Clone, Debug, PartialEq)]
pub struct Timing {
    /// Half of the repetitions were faster.
    pub median: f64,
    /// A quarter of the repetitions were faster.
    pub lower: f64,
    /// Three quarters of the repetitions were faster.
    pub upper: f64,
    /// The fastest repetition.
    pub fastest: f64,
    /// Every repetition, in order.
    pub samples: Vec<f64>,
    /// Calls in each repetition, over which it is averaged.
    pub calls: u64,
}

impl Timing {
    /// The median in milliseconds.
    pub fn milliseconds(&self) -> f64 {
        self.median * 1e3
    }
}

/// Measures the wall time of a call, by so many repetitions after a warm-up.
///
/// A repetition consists of as many calls as take about 5 ms. What the closure returns is kept
/// from being optimised away.
///
/// # Panics
///
/// If there are no repetitions.
#[track_caller]
pub fn measure<T>(repetitions: usize, mut work: impl FnMut() -> T) -> Timing {
    if repetitions == 0 {
        panic!("a measurement needs at least one repetition");
    }
    let mut repeat = |calls: u64| {
        let start = Instant::now();
        for _ in 0..calls {
            black_box(work());
        }
        start.elapsed()
    };
    repeat(1);
    let mut calls = 1;
    while repeat(calls) < SHORTEST_REPETITION {
        calls *= 2;
    }
    let samples = (0..repetitions).map(|_| repeat(calls).as_secs_f64() / calls as f64).collect();
    Timing::new(samples, calls)
}

impl Timing {
    fn new(samples: Vec<f64>, calls: u64) -> Self {
        let mut sorted = samples.clone();
        sorted.sort_by(f64::total_cmp);
        let quantile = |share: f64| {
            let at = share * (sorted.len() - 1) as f64;
            let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
            below + (above - below) * at.fract()
        };
        Self {
            median: quantile(0.5),
            lower: quantile(0.25),
            upper: quantile(0.75),
            fastest: quantile(0.0),
            samples,
            calls,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_quantiles_of_the_repetitions() {
        let timing = Timing::new(vec![4.0, 1.0, 3.0, 2.0], 1);
        let found = (timing.fastest, timing.lower, timing.median, timing.upper);
        assert_eq!(found, (1.0, 1.75, 2.5, 3.25));
        assert_eq!(timing.milliseconds(), 2500.0);
    }

    #[test]
    fn short_calls_are_batched() {
        let mut calls = 0_u64;
        let timing = measure(3, || calls += 1);
        assert!(timing.calls > 1);
        assert_eq!(timing.samples.len(), 3);
        assert!(calls >= 4 * timing.calls);
        assert!(timing.median > 0.0);
    }
}
