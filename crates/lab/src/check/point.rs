//! Points of a grid of integers, smallest first.
//!
//! In: a range for each variable. Out: every combination, in the order in which a
//! counterexample is the smallest: by the sum of the absolute values, then lexicographically.

use std::fmt;
use std::ops::{Index, RangeInclusive};
use std::sync::Arc;

use num_rational::BigRational;

use crate::formula::same_name;
use crate::{did_you_mean, exact};

/// Most points of one check.
const MOST_POINTS: u128 = 1_000_000;

/// An integer for each variable of a check: `p["D"]` is the one for D.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    names: Arc<[String]>,
    numbers: Vec<i64>,
}

impl Point {
    /// Gives a number as a length or an index.
    ///
    /// # Panics
    ///
    /// If there is no such variable or its number is negative.
    #[track_caller]
    pub fn usize(&self, name: &str) -> usize {
        let number = self[name];
        match usize::try_from(number) {
            Ok(number) => number,
            Err(_) => panic!("{name} = {number} is negative"),
        }
    }

    /// Gives a number as an exact fraction.
    ///
    /// # Panics
    ///
    /// If there is no such variable.
    #[track_caller]
    pub fn rational(&self, name: &str) -> BigRational {
        exact(self[name])
    }

    /// Gives each variable with its number.
    pub fn coordinates(&self) -> impl Iterator<Item = (&str, i64)> {
        self.names.iter().map(String::as_str).zip(self.numbers.iter().copied())
    }
}

impl Index<&str> for Point {
    type Output = i64;

    #[track_caller]
    fn index(&self, name: &str) -> &i64 {
        match self.names.iter().position(|known| same_name(known, name)) {
            Some(at) => &self.numbers[at],
            None => {
                let hint = did_you_mean(name, self.names.iter().map(String::as_str));
                panic!("the check has no variable \"{name}\"{hint}")
            }
        }
    }
}

/// Prints `D = 2, K = 3`.
impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<_> =
            self.coordinates().map(|(name, number)| format!("{name} = {number}")).collect();
        f.write_str(&each.join(", "))
    }
}

/// Gives every combination of the ranges, smallest first.
#[track_caller]
pub(super) fn grid(ranges: &[(String, RangeInclusive<i64>)]) -> Vec<Point> {
    for (at, (name, _)) in ranges.iter().enumerate() {
        if ranges[..at].iter().any(|(other, _)| same_name(other, name)) {
            panic!("\"{name}\" has two ranges");
        }
    }
    let length = |range: &RangeInclusive<i64>| {
        u128::try_from(i128::from(*range.end()) - i128::from(*range.start()) + 1).unwrap_or(0)
    };
    let count = ranges.iter().fold(1_u128, |all, (_, range)| all.saturating_mul(length(range)));
    if count > MOST_POINTS {
        panic!("the ranges have {count} points; a check takes at most {MOST_POINTS}");
    }
    let mut all = vec![Vec::new()];
    for (_, range) in ranges {
        all = all
            .iter()
            .flat_map(|start| {
                range.clone().map(move |number| [start.as_slice(), &[number]].concat())
            })
            .collect();
    }
    let size = |numbers: &Vec<i64>| -> u128 {
        numbers.iter().map(|number| u128::from(number.unsigned_abs())).sum()
    };
    all.sort_by(|a, b| size(a).cmp(&size(b)).then_with(|| a.cmp(b)));
    let names: Arc<[String]> = ranges.iter().map(|(name, _)| name.clone()).collect();
    all.into_iter().map(|numbers| Point { names: names.clone(), numbers }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named<const N: usize>(
        ranges: [(&str, RangeInclusive<i64>); N],
    ) -> Vec<(String, RangeInclusive<i64>)> {
        ranges.map(|(name, range)| (name.to_owned(), range)).into()
    }

    #[test]
    fn points_come_smallest_first() {
        let points: Vec<_> =
            grid(&named([("a", -1..=1), ("b", 0..=1)])).iter().map(Point::to_string).collect();
        assert_eq!(
            points,
            [
                "a = 0, b = 0",
                "a = -1, b = 0",
                "a = 0, b = 1",
                "a = 1, b = 0",
                "a = -1, b = 1",
                "a = 1, b = 1"
            ]
        );
        let empty = RangeInclusive::new(1, 0);
        assert!(grid(&named([("a", empty), ("b", 0..=9)])).is_empty());
        assert_eq!(grid(&[]).len(), 1);
    }

    #[test]
    fn unknown_variables_and_huge_grids_are_named() {
        let message =
            |act: fn()| *std::panic::catch_unwind(act).unwrap_err().downcast::<String>().unwrap();
        let text = message(|| {
            let _ = grid(&named([("D", 1..=1)]))[0]["d"];
        });
        assert_eq!(text, "the check has no variable \"d\"; did you mean \"D\"?");
        assert!(message(|| drop(grid(&named([("D", 0..=i64::MAX)])))).contains("at most"));
        assert!(
            message(|| drop(grid(&named([("D", 0..=1), ("D", 0..=1)])))).contains("two ranges")
        );
    }
}
