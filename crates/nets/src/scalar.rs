//! Scalars for the plain loops of [`reference`](crate::reference).
//!
//! In: nothing. Out: the trait [`Scalar`] and its three kinds: `f64`, for numbers to compare
//! with; [`Surd`], for identities that hold exactly; [`Counted`], for the number of operations
//! that a computation performs. Left out: everything that the loops do not need, such as
//! subtraction and order.

use std::cell::Cell;
use std::f64::consts::FRAC_1_SQRT_2;
use std::fmt;
use std::ops::{Add, Mul};

use num_rational::BigRational;
use num_traits::Zero;

/// A number that can be added, multiplied and inverted, and of which 1 and 1/√2 are known.
pub trait Scalar: Clone + Add<Output = Self> + Mul<Output = Self> {
    /// Returns 1.
    fn one() -> Self;

    /// Returns 1/√2.
    fn root_half() -> Self;

    /// Returns 1/`self`.
    ///
    /// # Panics
    /// If `self` is zero and the type is exact.
    fn recip(self) -> Self;
}

/// A [`Scalar`] of which the exponential can be computed.
pub trait Exponential: Scalar {
    /// Returns e to the power of `self`.
    fn exp(self) -> Self;
}

impl Scalar for f64 {
    fn one() -> Self {
        1.0
    }

    fn root_half() -> Self {
        FRAC_1_SQRT_2
    }

    fn recip(self) -> Self {
        self.recip()
    }
}

impl Exponential for f64 {
    fn exp(self) -> Self {
        self.exp()
    }
}

/// An exact number `rational` + `root`·√2.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surd {
    /// Part without √2.
    pub rational: BigRational,
    /// Coefficient of √2.
    pub root: BigRational,
}

impl From<BigRational> for Surd {
    fn from(rational: BigRational) -> Self {
        let root = BigRational::zero();
        Self { rational, root }
    }
}

impl From<i64> for Surd {
    fn from(integer: i64) -> Self {
        BigRational::from_integer(integer.into()).into()
    }
}

/// Prints `3/4`, `-1/2√2` or `3/4 + -1/2√2`.
impl fmt::Display for Surd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.rational.is_zero(), self.root.is_zero()) {
            (_, true) => write!(f, "{}", self.rational),
            (true, false) => write!(f, "{}√2", self.root),
            (false, false) => write!(f, "{} + {}√2", self.rational, self.root),
        }
    }
}

impl Add for Surd {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { rational: self.rational + other.rational, root: self.root + other.root }
    }
}

impl Mul for Surd {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let two = BigRational::from_integer(2.into());
        Self {
            rational: &self.rational * &other.rational + two * &self.root * &other.root,
            root: self.rational * other.root + self.root * other.rational,
        }
    }
}

impl Scalar for Surd {
    fn one() -> Self {
        1.into()
    }

    fn root_half() -> Self {
        Self { rational: BigRational::zero(), root: BigRational::new(1.into(), 2.into()) }
    }

    /// Multiplies by the conjugate: 1/(a+b√2) = (a−b√2)/(a²−2b²).
    fn recip(self) -> Self {
        let two = BigRational::from_integer(2.into());
        let norm = &self.rational * &self.rational - two * &self.root * &self.root;
        Self { rational: self.rational / &norm, root: -self.root / norm }
    }
}

/// Numbers of arithmetic operations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Operations {
    /// Products of two scalars.
    pub multiplications: u64,
    /// Sums of two scalars.
    pub additions: u64,
    /// Reciprocals.
    pub reciprocals: u64,
    /// Exponentials.
    pub exponentials: u64,
}

impl Operations {
    /// Returns the number of operations of all kinds.
    pub fn total(&self) -> u64 {
        self.multiplications + self.additions + self.reciprocals + self.exponentials
    }
}

/// A double every operation on which is performed and counted, see [`count`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted(pub f64);

thread_local! {
    static PERFORMED: Cell<Operations> = const {
        Cell::new(Operations { multiplications: 0, additions: 0, reciprocals: 0, exponentials: 0 })
    };
}

/// Runs `compute` and returns its result with the operations that it performed on [`Counted`].
///
/// Operations on other threads are not counted. A count within a count belongs to the inner
/// one alone.
pub fn count<R>(compute: impl FnOnce() -> R) -> (R, Operations) {
    let outer = PERFORMED.take();
    let result = compute();
    (result, PERFORMED.replace(outer))
}

fn record(kind: impl FnOnce(&mut Operations)) {
    let mut operations = PERFORMED.get();
    kind(&mut operations);
    PERFORMED.set(operations);
}

impl Add for Counted {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        record(|operations| operations.additions += 1);
        Self(self.0 + other.0)
    }
}

impl Mul for Counted {
    type Output = Self;

    #[expect(clippy::suspicious_arithmetic_impl, reason = "the sum counts the product")]
    fn mul(self, other: Self) -> Self {
        record(|operations| operations.multiplications += 1);
        Self(self.0 * other.0)
    }
}

impl Scalar for Counted {
    fn one() -> Self {
        Self(1.0)
    }

    fn root_half() -> Self {
        Self(FRAC_1_SQRT_2)
    }

    fn recip(self) -> Self {
        record(|operations| operations.reciprocals += 1);
        Self(self.0.recip())
    }
}

impl Exponential for Counted {
    fn exp(self) -> Self {
        record(|operations| operations.exponentials += 1);
        Self(self.0.exp())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn surd(rational: (i64, i64), root: (i64, i64)) -> Surd {
        Surd {
            rational: BigRational::new(rational.0.into(), rational.1.into()),
            root: BigRational::new(root.0.into(), root.1.into()),
        }
    }

    #[test]
    fn a_surd_squares_its_root_to_two() {
        assert_eq!(Surd::root_half() * Surd::root_half(), surd((1, 2), (0, 1)));
        let sum = Surd::one() + surd((0, 1), (1, 1));
        assert_eq!(sum.clone() * sum, surd((3, 1), (2, 1)));
    }

    #[test]
    fn a_surd_prints_what_it_consists_of() {
        assert_eq!(surd((3, 4), (0, 1)).to_string(), "3/4");
        assert_eq!(surd((0, 1), (-1, 2)).to_string(), "-1/2√2");
        assert_eq!(surd((3, 4), (5, 1)).to_string(), "3/4 + 5√2");
    }

    #[test]
    fn a_surd_times_its_reciprocal_is_one() {
        for number in [surd((3, 7), (0, 1)), surd((0, 1), (-5, 2)), surd((-1, 3), (4, 5))] {
            assert_eq!(number.clone() * number.recip(), Surd::one());
        }
    }

    #[test]
    fn counts_what_is_performed_and_nothing_else() {
        let (value, operations) = count(|| {
            let (inner, counted) = count(|| Counted(2.0) * Counted(3.0));
            assert_eq!(counted.multiplications, 1);
            (inner + Counted(2.0)).recip().exp()
        });
        assert_eq!(value, Counted(0.125_f64.exp()));
        let expected =
            Operations { multiplications: 0, additions: 1, reciprocals: 1, exponentials: 1 };
        assert_eq!(operations, expected);
        assert_eq!(operations.total(), 3);
    }
}
