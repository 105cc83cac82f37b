//! Values: the named, typed results that cells publish and claims are compared with.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A named result of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Published {
    /// Name to which claims and inline values refer.
    pub name: String,
    /// The result.
    pub value: Value,
    /// Unit, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Data from which the result came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<DataUse>,
    /// Seed of the random numbers behind the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

/// A result, exact where its type allows it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Value {
    /// Integer of any size, in decimal.
    Integer {
        /// Decimal digits, with `-` in front if negative.
        value: String,
    },
    /// Fraction in lowest terms with a positive denominator.
    Rational {
        /// Decimal digits, with `-` in front if negative.
        numerator: String,
        /// Decimal digits.
        denominator: String,
    },
    /// Double-precision number.
    Float {
        /// The number.
        value: Float,
    },
    /// Truth value.
    Bool {
        /// The truth value.
        value: bool,
    },
    /// Text.
    Text {
        /// The text.
        value: String,
    },
    /// Ordered numbers, such as a loss per epoch.
    Series {
        /// The numbers.
        values: Vec<Float>,
    },
    /// One number per seed.
    Sample {
        /// Seeds, as many as `values`.
        seeds: Vec<u64>,
        /// Numbers, one per seed.
        values: Vec<Float>,
    },
}

/// A double that survives JSON: written as its shortest exact decimal, `NaN`, `inf` or `-inf`.
#[derive(Clone, Copy, Debug)]
pub struct Float(pub f64);

/// Bit equality, so that a message equals its copy even if it holds NaN.
impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.0.to_bits() == other.0.to_bits()
    }
}

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl Serialize for Float {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Float {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map(Float).map_err(D::Error::custom)
    }
}

/// Data behind a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataUse {
    /// Name in the manifest.
    pub name: String,
    /// Digest of what was read, hexadecimal.
    pub digest: String,
    /// How it relates to the published data set.
    pub kind: DataKind,
}

/// How the data at hand relates to the data set that a claim speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataKind {
    /// The whole published data set.
    Real,
    /// Part of the published data set.
    Subset,
    /// Generated data.
    Synthetic,
}
