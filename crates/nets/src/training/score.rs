//! How good predictions are, and how sure a mean is.
//!
//! In: predictions with true labels; samples. Out: confusion matrices; percentile intervals of
//! the bootstrap (Efron and Tibshirani, 1993, section 13.3). Left out: tests of significance.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Resamples of a bootstrap.
const RESAMPLES: usize = 2_000;

/// Share of the resamples within an interval.
pub const CONFIDENCE: f64 = 0.95;

/// How often a class (row) was taken for a class (column).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion<const CLASSES: usize>(pub [[usize; CLASSES]; CLASSES]);

impl<const CLASSES: usize> Confusion<CLASSES> {
    /// Counts predictions.
    ///
    /// # Panics
    /// If there are not as many labels as predictions, or one is no class.
    pub fn new(labels: &[u8], predictions: &[u8]) -> Self {
        assert_eq!(labels.len(), predictions.len(), "one label for each prediction");
        let mut counts = [[0; CLASSES]; CLASSES];
        for (&label, &prediction) in labels.iter().zip(predictions) {
            counts[usize::from(label)][usize::from(prediction)] += 1;
        }
        Self(counts)
    }

    /// Returns the share of right predictions.
    pub fn accuracy(&self) -> f64 {
        let right: usize = (0..CLASSES).map(|class| self.0[class][class]).sum();
        right as f64 / self.0.iter().flatten().sum::<usize>() as f64
    }

    /// Returns the share of each class that was recognised; none of a class that did not occur.
    pub fn recall(&self) -> [Option<f64>; CLASSES] {
        std::array::from_fn(|class| {
            let count: usize = self.0[class].iter().sum();
            (count > 0).then(|| self.0[class][class] as f64 / count as f64)
        })
    }
}

/// A mean with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// The mean of the sample.
    pub mean: f64,
    /// Upper end.
    pub high: f64,
}

/// Resamples numbers.
///
/// # Panics
/// If there are none.
pub fn bootstrap_mean(numbers: &[f64], seed: u64) -> Interval {
    let rows: Vec<Vec<f64>> = numbers.iter().map(|&number| vec![number]).collect();
    paired_bootstrap(&rows, seed)
}

/// Resamples rows, and within them columns, which are the same for all rows.
///
/// Of differences between two trained networks, by seed (row) and by image (column), it gives the
/// interval of the mean difference for other seeds and other images.
///
/// # Panics
/// If there are no numbers, or rows differ in length.
pub fn paired_bootstrap(rows: &[Vec<f64>], seed: u64) -> Interval {
    let width = rows.first().map_or(0, Vec::len);
    assert!(width > 0 && rows.iter().all(|row| row.len() == width), "a table of numbers");
    let mean = rows.iter().flatten().sum::<f64>() / (rows.len() * width) as f64;
    let mut rng = StdRng::seed_from_u64(seed);
    let mut counts = vec![0_u32; width];
    let mut means: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            counts.fill(0);
            (0..width).for_each(|_| counts[rng.gen_range(0..width)] += 1);
            let row = |rng: &mut StdRng| {
                let row = &rows[rng.gen_range(0..rows.len())];
                row.iter().zip(&counts).map(|(x, &count)| x * f64::from(count)).sum::<f64>()
            };
            let sum: f64 = (0..rows.len()).map(|_| row(&mut rng)).sum();
            sum / (rows.len() * width) as f64
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let outside = (1.0 - CONFIDENCE) / 2.0;
    let at = |share: f64| means[(share * (RESAMPLES - 1) as f64).round() as usize];
    Interval { low: at(outside).min(mean), mean, high: at(1.0 - outside).max(mean) }
}
