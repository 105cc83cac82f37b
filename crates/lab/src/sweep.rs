//! Sweeps: one long computation for each of several configurations.
//!
//! In: a name, configurations and how to compute one result. Out: one result for each, in order,
//! kept like those of [`memo`](crate::memo()).

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::memo;

/// Computes a result for each configuration, or takes what was computed before.
///
/// ```no_run
/// use veracity_lab as lab;
///
/// let losses: Vec<f64> = lab::sweep("train", &[0.1, 0.01], |rate: &f64| rate * 2.0);
/// ```
///
/// # Panics
///
/// As [`memo`](crate::memo()); also with the panic of a computation.
#[track_caller]
pub fn sweep<C, T>(name: &str, configs: &[C], compute: impl Fn(&C) -> T) -> Vec<T>
where
    C: Serialize,
    T: Serialize + DeserializeOwned,
{
    configs.iter().map(|config| memo(name, config, || compute(config))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    #[test]
    fn results_are_in_order_and_kept_as_memoised_ones() {
        let _chapter = Chapter::new();
        assert_eq!(memo("square", &2, || 4), 4);
        assert_eq!(sweep("square", &[3, 1], |n| n * n), [9, 1]);
        assert_eq!(sweep("square", &[1, 2, 3], |_| -> i32 { panic!("it is kept") }), [1, 4, 9]);
    }
}
