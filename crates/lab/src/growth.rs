//! The order of growth of counts or times.
//!
//! In: points (x, y). Out: the exponent p of y = c·xᵖ with its confidence interval. Left out:
//! lower-order terms, which bend the line and so widen the interval.

use std::f64::consts::FRAC_2_PI;
use std::fmt;

use crate::Xy;

/// Probability that the interval holds the exponent, if the errors are normal.
pub const CONFIDENCE: f64 = 0.95;

/// A power law y = c·xᵖ fitted to points, from [`growth`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Growth {
    /// The exponent p.
    pub exponent: f64,
    /// Lower end of its 95 % confidence interval.
    pub low: f64,
    /// Upper end of its 95 % confidence interval.
    pub high: f64,
    /// The coefficient c.
    pub coefficient: f64,
    /// Share of the variance of ln y that the fit explains; 1 if y is constant.
    pub r_squared: f64,
    /// Number of points.
    pub points: usize,
}

/// Fits a power law by least squares of ln y on ln x.
///
/// The interval is that of the slope of a linear regression, by Student's t distribution with
/// n − 2 degrees of freedom. For points of an exact power law its width is that of rounding.
///
/// # Panics
///
/// If there are fewer than three points, x is everywhere the same, or a number is not positive
/// and finite.
#[track_caller]
pub fn growth<P: Xy>(points: impl IntoIterator<Item = P>) -> Growth {
    let points: Vec<(f64, f64)> = points.into_iter().map(|point| point.xy()).collect();
    for (x, y) in &points {
        if !(*x > 0.0 && *y > 0.0 && x.is_finite() && y.is_finite()) {
            panic!("growth is fitted to positive numbers, not to ({x}, {y})");
        }
    }
    if points.len() < 3 {
        panic!("growth is fitted to at least three points, not to {}", points.len());
    }
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|point| point.0.ln()), mean(|point| point.1.ln()));
    let deviations: Vec<_> =
        points.iter().map(|(x, y)| (x.ln() - mean_x, y.ln() - mean_y)).collect();
    let sum = |of: fn(f64, f64) -> f64| deviations.iter().map(|(x, y)| of(*x, *y)).sum::<f64>();
    let (xx, xy, yy) = (sum(|x, _| x * x), sum(|x, y| x * y), sum(|_, y| y * y));
    if points.iter().all(|(x, _)| *x == points[0].0) {
        panic!("growth is fitted to different x, not to {} alone", points[0].0);
    }
    let exponent = xy / xx;
    let residual: f64 = deviations.iter().map(|(x, y)| (y - exponent * x).powi(2)).sum();
    let freedom = points.len() - 2;
    let error = (residual / freedom as f64 / xx).sqrt();
    let half = error * student_t(freedom, CONFIDENCE);
    let is_constant = points.iter().all(|(_, y)| *y == points[0].1);
    Growth {
        exponent,
        low: exponent - half,
        high: exponent + half,
        coefficient: (mean_y - exponent * mean_x).exp(),
        r_squared: if is_constant { 1.0 } else { 1.0 - residual / yy },
        points: points.len(),
    }
}

/// Prints the exponent with its interval.
impl fmt::Display for Growth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Enough decimals to see the interval, but no digits of rounding errors.
        let width = (self.high - self.low).max(1e-3);
        let decimals = (2.0 - width.log10().floor()).clamp(2.0, 6.0) as usize;
        let Self { exponent, low, high, points, .. } = self;
        write!(
            f,
            "{exponent:.decimals$}, 95 % confidence interval {low:.decimals$} to \
             {high:.decimals$}, from {points} points"
        )
    }
}

/// The t for which Student's distribution lies within ±t with this probability.
///
/// # Panics
///
/// If there is no degree of freedom, or the probability is not between 0 and 1.
#[track_caller]
pub fn student_t(freedom: usize, probability: f64) -> f64 {
    if freedom == 0 || !(0.0..1.0).contains(&probability) {
        panic!("no t for {freedom} degrees of freedom and a probability of {probability}");
    }
    // The probability grows with the angle, so the angle is found by bisection.
    let (mut low, mut high) = (0.0, std::f64::consts::FRAC_PI_2);
    for _ in 0..100 {
        let middle = 0.5 * (low + high);
        if within(freedom, middle) < probability { low = middle } else { high = middle }
    }
    (0.5 * (low + high)).tan() * (freedom as f64).sqrt()
}

/// Probability of |T| ≤ √ν·tan θ for ν degrees of freedom: Abramowitz and Stegun, Handbook of
/// Mathematical Functions, 26.7.3 and 26.7.4.
fn within(freedom: usize, angle: f64) -> f64 {
    let (sine, cosine) = angle.sin_cos();
    let square = cosine * cosine;
    // Terms of ratio (k − 1)/k · cos²θ, over the even k below ν or the odd ones.
    let (first, start) = if freedom.is_multiple_of(2) { (1.0, 2) } else { (cosine, 3) };
    let mut term = first;
    let mut sum = if freedom > 1 { first } else { 0.0 };
    for k in (start..freedom).step_by(2) {
        term *= (k - 1) as f64 / k as f64 * square;
        sum += term;
    }
    if freedom.is_multiple_of(2) { sine * sum } else { FRAC_2_PI * (angle + sine * sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_agree_with_the_published_table() {
        // Two-sided 95 % and 99 %, from the table of Student's t in any statistics text.
        let table = [
            (1, 12.706, 63.657),
            (2, 4.303, 9.925),
            (3, 3.182, 5.841),
            (4, 2.776, 4.604),
            (5, 2.571, 4.032),
            (6, 2.447, 3.707),
            (7, 2.365, 3.499),
            (8, 2.306, 3.355),
            (9, 2.262, 3.250),
            (10, 2.228, 3.169),
            (15, 2.131, 2.947),
            (20, 2.086, 2.845),
            (30, 2.042, 2.750),
            (60, 2.000, 2.660),
            (120, 1.980, 2.617),
        ];
        for (freedom, at_95, at_99) in table {
            assert!((student_t(freedom, 0.95) - at_95).abs() < 6e-4, "{freedom}");
            assert!((student_t(freedom, 0.99) - at_99).abs() < 6e-4, "{freedom}");
        }
    }

    #[test]
    fn an_exact_power_law_has_its_exponent() {
        let fit = growth((1..=10_u64).map(|n| (n * 10, 3 * (n * 10).pow(2))));
        assert!((fit.exponent - 2.0).abs() < 1e-12);
        assert!(fit.high - fit.low < 1e-9 && fit.low <= fit.exponent);
        assert!((fit.coefficient - 3.0).abs() < 1e-9);
        assert!((fit.r_squared - 1.0).abs() < 1e-12);
        assert_eq!(
            fit.to_string(),
            "2.00000, 95 % confidence interval 2.00000 to 2.00000, from 10 points"
        );
        let constant = growth([(1, 7), (2, 7), (4, 7)]);
        assert_eq!((constant.exponent, constant.r_squared), (0.0, 1.0));
    }

    #[test]
    fn the_interval_agrees_with_a_regression_by_hand() {
        // ln x = 0, 1, 2, 3 and ln y = 0, 1, 1, 2: slope 3/5, residual 1/5, error √(1/50).
        let points = [(0.0, 0.0), (1.0, 1.0), (2.0, 1.0), (3.0, 2.0_f64)];
        let fit = growth(points.map(|(x, y): (f64, f64)| (x.exp(), y.exp())));
        assert!((fit.exponent - 0.6).abs() < 1e-12);
        let half = 4.302_652_729_911_275 * (0.02_f64).sqrt();
        assert!((fit.low - (0.6 - half)).abs() < 1e-9);
        assert!((fit.high - (0.6 + half)).abs() < 1e-9);
        assert!((fit.r_squared - 0.9).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_fitted_is_refused() {
        let message = |points: Vec<(f64, f64)>| {
            let panic = std::panic::catch_unwind(|| growth(points)).unwrap_err();
            *panic.downcast::<String>().unwrap()
        };
        assert!(message(vec![(1.0, 1.0), (2.0, 2.0)]).contains("at least three"));
        assert!(message(vec![(1.0, 1.0), (2.0, 0.0), (3.0, 1.0)]).contains("not to (2, 0)"));
        assert!(message(vec![(3.0, 1.0), (3.0, 2.0), (3.0, 1.0)]).contains("different x"));
    }
}
