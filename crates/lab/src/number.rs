//! Numbers that are exact for as long as possible.
//!
//! In: Rust's and num's numbers. Out: [`Number`], an exact rational or a double.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::ToPrimitive;

/// Relative difference within which two sides count as equal if one is numerical.
pub(crate) const NUMERICAL_TOLERANCE: f64 = 1e-9;

/// A number: exact, or numerical as soon as an exponential, a logarithm or an irrational root
/// is involved.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// An exact fraction.
    Exact(BigRational),
    /// A double.
    Float(f64),
}

impl Number {
    /// Gives the exact fraction.
    ///
    /// # Panics
    ///
    /// If the number is numerical.
    #[track_caller]
    pub fn exact(&self) -> BigRational {
        match self {
            Self::Exact(number) => number.clone(),
            Self::Float(number) => panic!("{number} is numerical; there is no exact value"),
        }
    }

    /// Gives the exact integer.
    ///
    /// # Panics
    ///
    /// If the number is numerical or not integral.
    #[track_caller]
    pub fn integer(&self) -> BigInt {
        let exact = self.exact();
        if !exact.is_integer() {
            panic!("{exact} is no integer");
        }
        exact.to_integer()
    }

    /// Gives the nearest double.
    pub fn to_f64(&self) -> f64 {
        match self {
            Self::Exact(number) => number.to_f64().unwrap_or(f64::NAN),
            Self::Float(number) => *number,
        }
    }

    /// Compares exactly if both are exact, else within a relative 1e-9.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        if let (Self::Exact(a), Self::Exact(b)) = (self, other) {
            return Some(a.cmp(b));
        }
        let (a, b) = (self.to_f64(), other.to_f64());
        if (a - b).abs() <= NUMERICAL_TOLERANCE * a.abs().max(b.abs()) {
            return Some(Ordering::Equal);
        }
        a.partial_cmp(&b)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
        }
    }
}

/// What is a number, without loss.
#[diagnostic::on_unimplemented(message = "`{Self}` is no number")]
pub trait IntoNumber {
    /// Converts without loss; an infinite or undefined double stays what it is.
    fn into_number(self) -> Number;
}

/// Makes an exact fraction of an integer.
///
/// # Panics
///
/// If the number is a float.
#[track_caller]
pub fn exact(number: impl IntoNumber) -> BigRational {
    number.into_number().exact()
}

/// Makes the exact fraction `numerator / denominator`.
///
/// # Panics
///
/// If the denominator is zero.
#[track_caller]
pub fn ratio(numerator: impl Into<BigInt>, denominator: impl Into<BigInt>) -> BigRational {
    let denominator = denominator.into();
    if denominator == BigInt::ZERO {
        panic!("a fraction with denominator 0");
    }
    BigRational::new(numerator.into(), denominator)
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl IntoNumber for $integer {
            fn into_number(self) -> Number {
                BigInt::from(self).into_number()
            }
        }

        impl IntoNumber for &$integer {
            fn into_number(self) -> Number {
                BigInt::from(*self).into_number()
            }
        }
    )*};
}

integers! { i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize }

impl IntoNumber for BigInt {
    fn into_number(self) -> Number {
        Number::Exact(BigRational::from_integer(self))
    }
}

impl IntoNumber for &BigInt {
    fn into_number(self) -> Number {
        self.clone().into_number()
    }
}

impl IntoNumber for BigRational {
    fn into_number(self) -> Number {
        Number::Exact(self.reduced())
    }
}

impl IntoNumber for &BigRational {
    fn into_number(self) -> Number {
        self.clone().into_number()
    }
}

impl IntoNumber for f64 {
    fn into_number(self) -> Number {
        Number::Float(self)
    }
}

impl IntoNumber for f32 {
    fn into_number(self) -> Number {
        Number::Float(f64::from(self))
    }
}

impl IntoNumber for &f64 {
    fn into_number(self) -> Number {
        (*self).into_number()
    }
}

impl IntoNumber for &f32 {
    fn into_number(self) -> Number {
        (*self).into_number()
    }
}

impl IntoNumber for Number {
    fn into_number(self) -> Number {
        self
    }
}

impl IntoNumber for &Number {
    fn into_number(self) -> Number {
        self.clone()
    }
}
