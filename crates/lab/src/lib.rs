//! Everything that a cell of a report may use.
//!
//! In: the author's numbers. Out: values, tables, figures and checks, published to the report
//! builder as the plain data of `veracity-protocol`. Left out: drawing, judging claims, dfdx.
//!
//! A cell sees this crate as `lab`, with the [`prelude`] in scope.

mod artifact;
mod attachment;
mod check;
mod checkpoint;
mod context;
mod dataset;
mod figure;
mod format;
mod formula;
mod growth;
mod measure;
mod memo;
mod number;
mod progress;
#[doc(hidden)]
pub mod runtime;
mod surroundings;
mod sweep;
mod table;
mod value;

pub use artifact::{IntoArtifact, Text, check, show, text};
pub use attachment::Attachment;
pub use check::{Check, CloseCheck, ExactCheck, Point, PolynomialCheck, Real};
pub use checkpoint::{Checkpoint, checkpoint};
pub use dataset::{DataSet, dataset};
pub use figure::{Figure, Plot, Xy};
pub use format::Format;
pub use formula::{Bindings, Equation, EvalError, Side, equation};
pub use growth::{CONFIDENCE, Growth, growth, student_t};
pub use measure::{Timing, measure};
pub use memo::{memo, try_memo};
pub use number::{IntoNumber, Number, exact, ratio};
pub use progress::{Progress, progress};
pub use surroundings::{data_dir, device, profile, rng_seed, seed};
pub use sweep::sweep;
pub use table::{Entry, IntoEntry, IntoRow, Table};
pub use value::{IntoValue, PublishedValue, sample, value};

pub use num_bigint::{self, BigInt};
pub use num_integer;
pub use num_rational::{self, BigRational};
pub use num_traits;
pub use veracity_protocol::{Align, DataKind, DataUse};

/// What every cell has in scope.
pub mod prelude {
    pub use crate::equation;
    pub use crate::{
        Align, Attachment, BigInt, BigRational, Check, DataKind, DataUse, Equation, Figure, Format,
        Growth, IntoArtifact, IntoValue, Number, Plot, Point, Table, Timing,
    };
}

/// Gives the displayed formula with this label as an exact function.
///
/// The label must be a string literal, because the report builder looks for it in the cell.
///
/// # Panics
///
/// If the chapter has no such equation, or it cannot be evaluated.
#[macro_export]
macro_rules! equation {
    ($label:literal) => {
        $crate::equation($label)
    };
}

/// The known name that an unknown one was probably meant to be.
fn closest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).max(1))
        .min()
        .map(|(_, name)| name)
}

/// `; did you mean ...?`, or nothing.
fn did_you_mean<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    closest(unknown, known).map_or_else(String::new, |name| format!("; did you mean \"{name}\"?"))
}
