//! Statistics of samples.
//!
//! In: a published sample. Out: its exact numbers, what stands for them, the ends of a t interval, quantiles, and
//! random places for drawing anew. Left out: what a claim asks for, which is [`super`]'s.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;
use statrs::distribution::{ContinuousCDF, StudentsT};
use veracity_protocol::{Published, Value};

use super::Statistic;
use crate::claims::{Verdict, exact};

/// A sample in exact numbers.
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) seeds: Vec<u64>,
    pub(super) values: Vec<BigRational>,
}

impl Sample {
    pub(super) fn of(published: &Published) -> Result<Self, Verdict> {
        let Value::Sample { seeds, values } = &published.value else {
            return Err(Verdict::Error(format!(
                "`{}` is no sample over seeds; publish it by `lab::sample`",
                published.name
            )));
        };
        let exactly = values.iter().map(|value| exact::float(value.0)).collect::<Option<Vec<_>>>();
        match exactly {
            Some(values) if !values.is_empty() && values.len() == seeds.len() => {
                Ok(Self { name: published.name.clone(), seeds: seeds.clone(), values })
            }
            _ => Err(Verdict::Error(format!(
                "the sample `{}` holds something that is no number",
                published.name
            ))),
        }
    }

    pub(super) fn floats(&self) -> Vec<f64> {
        self.values.iter().map(|value| value.to_f64().unwrap_or(f64::NAN)).collect()
    }
}

impl Statistic {
    pub(super) fn of(self, values: &[BigRational]) -> BigRational {
        let count = BigRational::from(BigInt::from(values.len()));
        match self {
            Self::Mean => values.iter().sum::<BigRational>() / count,
            Self::Median => {
                let mut sorted = values.to_vec();
                sorted.sort();
                let middle = sorted.len() / 2;
                if sorted.len() % 2 == 1 {
                    sorted.swap_remove(middle)
                } else {
                    (&sorted[middle - 1] + &sorted[middle]) / BigRational::from(BigInt::from(2))
                }
            }
        }
    }

    pub(super) fn of_floats(self, values: &mut [f64]) -> f64 {
        match self {
            Self::Mean => values.iter().sum::<f64>() / values.len() as f64,
            Self::Median => {
                values.sort_by(f64::total_cmp);
                quantile(values, 0.5)
            }
        }
    }
}

/// The t interval of one mean, or of the difference of two by Welch.
pub(super) fn student(samples: &[Vec<f64>], level: f64) -> (f64, f64) {
    // Mean, and variance of the mean.
    let moments = |sample: &Vec<f64>| {
        let count = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / count;
        let squares: f64 = sample.iter().map(|value| (value - mean).powi(2)).sum();
        (mean, squares / (count - 1.0) / count, count - 1.0)
    };
    let (mean, variance, freedom) = match samples {
        [a, b] => {
            let ((mean_a, a, free_a), (mean_b, b, free_b)) = (moments(a), moments(b));
            (mean_a - mean_b, a + b, (a + b).powi(2) / (a * a / free_a + b * b / free_b))
        }
        samples => moments(&samples[0]),
    };
    if variance == 0.0 {
        return (mean, mean);
    }
    let half = StudentsT::new(0.0, 1.0, freedom)
        .map_or(f64::NAN, |student| student.inverse_cdf(0.5 + level / 2.0) * variance.sqrt());
    (mean - half, mean + half)
}

/// A quantile of sorted numbers, between two of them if need be.
pub(super) fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let below = sorted[place.floor() as usize];
    let above = sorted[place.ceil() as usize];
    below + (above - below) * place.fract()
}

/// Steele, Lea and Flood's generator.
pub(super) struct SplitMix(pub(super) u64);

impl SplitMix {
    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        ((u128::from(mixed) * limit as u128) >> 64) as usize
    }
}
