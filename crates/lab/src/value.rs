//! Values: named results for claims and inline expressions.
//!
//! In: numbers, text and series of a cell. Out: published values. Left out: rounding, which
//! belongs to the claim that quotes a value.

use num_traits::ToPrimitive;
use veracity_protocol::{DataUse, Float, Published, Value};

use crate::context::{self, Place};
use crate::{IntoNumber, Number};

/// Publishes a result under a name.
///
/// Integers and rationals are published exactly; an integral rational is an integer. An `f32`
/// is published as the double that it exactly equals, so 0.1 in single precision is
/// 0.10000000149011612.
///
/// # Panics
///
/// If the name is no name (lower-case letters, digits, `-`, `_`, `.`, a letter first) or was
/// published before in the cell.
#[track_caller]
pub fn value(name: &str, value: impl IntoValue) -> PublishedValue {
    publish(name, value.into_value())
}

/// Publishes one number per seed, as pairs of seed and number.
///
/// # Panics
///
/// As [`value`]; also if there is no number, or two for one seed.
#[track_caller]
pub fn sample<N: ToPrimitive>(
    name: &str,
    runs: impl IntoIterator<Item = (u64, N)>,
) -> PublishedValue {
    let (mut seeds, mut values) = (Vec::new(), Vec::new());
    for (seed, number) in runs {
        if seeds.contains(&seed) {
            panic!("the sample \"{name}\" has two numbers for seed {seed}");
        }
        seeds.push(seed);
        values.push(Float(number.to_f64().unwrap_or(f64::NAN)));
    }
    if seeds.is_empty() {
        panic!("the sample \"{name}\" has no number");
    }
    publish(name, Value::Sample { seeds, values })
}

/// A value that has been published and may be described further in the same cell.
#[derive(Clone, Copy, Debug)]
pub struct PublishedValue(Place);

impl PublishedValue {
    /// Adds the unit, such as `ms`.
    #[track_caller]
    pub fn unit(self, unit: &str) -> Self {
        self.amend(|value| value.unit = Some(unit.to_owned()))
    }

    /// Adds the seed of the random numbers behind the value.
    #[track_caller]
    pub fn seed(self, seed: u64) -> Self {
        self.amend(|value| value.seed = Some(seed))
    }

    /// Adds the data behind the value.
    #[track_caller]
    pub fn data(self, data: DataUse) -> Self {
        self.amend(|value| value.data = Some(data))
    }

    #[track_caller]
    fn amend(self, change: impl FnOnce(&mut Published)) -> Self {
        match context::with(|context| context.amend(self.0, change)) {
            Ok(()) => self,
            Err(message) => panic!("{message}"),
        }
    }
}

/// What can be published as a value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be published as a value",
    note = "publish a number, a bool, text or a vector of floats"
)]
pub trait IntoValue {
    /// Converts without loss.
    fn into_value(self) -> Value;
}

impl<T: IntoNumber> IntoValue for T {
    fn into_value(self) -> Value {
        match self.into_number() {
            Number::Exact(number) if number.is_integer() => {
                Value::Integer { value: number.to_integer().to_string() }
            }
            Number::Exact(number) => Value::Rational {
                numerator: number.numer().to_string(),
                denominator: number.denom().to_string(),
            },
            Number::Float(number) => Value::Float { value: Float(number) },
        }
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Bool { value: self }
    }
}

impl IntoValue for &str {
    fn into_value(self) -> Value {
        Value::Text { value: self.to_owned() }
    }
}

impl IntoValue for String {
    fn into_value(self) -> Value {
        Value::Text { value: self }
    }
}

impl IntoValue for &String {
    fn into_value(self) -> Value {
        self.as_str().into_value()
    }
}

impl<F: Copy + Into<f64>> IntoValue for &[F] {
    fn into_value(self) -> Value {
        Value::Series { values: self.iter().map(|number| Float((*number).into())).collect() }
    }
}

impl<F: Copy + Into<f64>> IntoValue for Vec<F> {
    fn into_value(self) -> Value {
        self.as_slice().into_value()
    }
}

impl<F: Copy + Into<f64>> IntoValue for &Vec<F> {
    fn into_value(self) -> Value {
        self.as_slice().into_value()
    }
}

impl<F: Copy + Into<f64>, const N: usize> IntoValue for [F; N] {
    fn into_value(self) -> Value {
        self.as_slice().into_value()
    }
}

#[track_caller]
fn publish(name: &str, value: Value) -> PublishedValue {
    let published = Published { name: name.to_owned(), value, unit: None, data: None, seed: None };
    match context::with(|context| context.publish(published)) {
        Ok(place) => PublishedValue(place),
        Err(message) => panic!("{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;
    use crate::{BigInt, BigRational, exact, ratio};

    #[track_caller]
    fn message_of(act: impl FnOnce() + std::panic::UnwindSafe) -> String {
        *std::panic::catch_unwind(act).unwrap_err().downcast::<String>().unwrap()
    }

    #[test]
    fn every_integer_is_exact() {
        let text = |value: Value| match value {
            Value::Integer { value } => value,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(u128::MAX.into_value()), "340282366920938463463374607431768211455");
        assert_eq!(text(i128::MIN.into_value()), "-170141183460469231731687303715884105728");
        assert_eq!(
            text(BigInt::from(2).pow(200).into_value()),
            (BigInt::from(2).pow(200)).to_string()
        );
        assert_eq!(text(exact(6).into_value()), "6");
        assert_eq!(text(7_usize.into_value()), "7");
    }

    #[test]
    fn rationals_are_in_lowest_terms() {
        let value = BigRational::new_raw(BigInt::from(4), BigInt::from(-6)).into_value();
        assert_eq!(value, Value::Rational { numerator: "-2".into(), denominator: "3".into() });
        assert_eq!(
            ratio(1, 2).into_value(),
            Value::Rational { numerator: "1".into(), denominator: "2".into() }
        );
    }

    #[test]
    fn single_precision_is_widened_exactly() {
        assert_eq!(0.1_f32.into_value(), Value::Float { value: Float(0.100_000_001_490_116_12) });
    }

    #[test]
    fn values_are_amended_after_publication() {
        let chapter = Chapter::new();
        value("t", 3.5).unit("ms").seed(7);
        sample("acc", [(1, 0.5), (2, 0.25)]);
        let output = chapter.output();
        assert_eq!(output.values[0].unit.as_deref(), Some("ms"));
        assert_eq!(output.values[0].seed, Some(7));
        assert_eq!(
            output.values[1].value,
            Value::Sample { seeds: vec![1, 2], values: vec![Float(0.5), Float(0.25)] }
        );
    }

    #[test]
    fn a_name_is_published_once_by_values_and_checks_together() {
        let _chapter = Chapter::new();
        value("m", 1);
        let message = message_of(|| {
            value("m", 2);
        });
        assert_eq!(message, "\"m\" was published before, by this cell");
        let message = message_of(|| {
            crate::check(crate::Check::shape("m", [2], [2]));
        });
        assert!(message.contains("published before"), "{message}");
    }

    #[test]
    fn a_value_of_an_earlier_cell_is_not_amended() {
        let _chapter = Chapter::new();
        let early = value("m", 1);
        crate::runtime::begin(1);
        value("n", 1);
        assert!(
            message_of(|| {
                early.unit("ms");
            })
            .contains("in the cell that published it")
        );
    }

    #[test]
    fn what_is_no_name_or_no_sample_is_refused() {
        let _chapter = Chapter::new();
        assert!(
            message_of(|| {
                value("No Name", 1);
            })
            .contains("cannot be claimed")
        );
        assert!(
            message_of(|| {
                sample("s", [(1, 0.5), (1, 0.6)]);
            })
            .contains("two numbers")
        );
        assert!(
            message_of(|| {
                sample::<f64>("s", []);
            })
            .contains("no number")
        );
    }
}
