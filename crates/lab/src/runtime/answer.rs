//! Shows what an expression gives that a person typed behind a chapter's cells.
//!
//! In: a reference to a value of any type. Out: its artifacts if it has any, else its text, else
//! its type. Which of them a type has is decided by the compiler: a method that is found with
//! fewer references goes before one that is found with more.

use std::any::type_name;
use std::fmt::{Debug, Display};

use num_bigint::BigInt;
use num_rational::BigRational;

use crate::{Equation, IntoArtifact, Number, PublishedValue, Text, show, text};

/// Most characters that are shown of a value.
const LONGEST: usize = 4000;
/// Up to here a value stays on one line.
const ONE_LINE: usize = 100;
/// Most lines into which a longer one is laid out.
const MOST_LINES: usize = 60;

/// A value that is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a, T: ?Sized>(pub &'a T);

/// For numbers and formulas, whose own words are the best.
pub trait AsNumber {
    /// Shows it.
    fn show(&self);
}

/// For what cells can show.
pub trait AsArtifact {
    /// Shows it.
    fn show(&self);
}

/// For what has words for people who look for mistakes.
pub trait AsDebug {
    /// Shows it.
    fn show(&self);
}

/// For all others.
pub trait AsType {
    /// Shows it.
    fn show(&self);
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl AsNumber for &&&Answer<'_, $number> {
            fn show(&self) {
                shown(self.0);
            }
        }
    )+};
}

numbers!(BigInt, BigRational, Number);

impl AsNumber for &&&Answer<'_, Equation> {
    fn show(&self) {
        show(text(self.0.latex()));
    }
}

fn shown(number: &impl Display) {
    show(text(number));
}

impl<T: IntoArtifact + Clone + Debug> AsArtifact for &&Answer<'_, T> {
    #[track_caller]
    fn show(&self) {
        let artifacts = self.0.clone().into_artifacts();
        let silent = [type_name::<()>(), type_name::<PublishedValue>()];
        match artifacts.is_empty() && !silent.contains(&type_name::<T>()) {
            // None of something is not nothing.
            true => show(words(self.0)),
            false => show(Artifacts(artifacts)),
        }
    }
}

impl<T: Debug + ?Sized> AsDebug for &Answer<'_, T> {
    fn show(&self) {
        show(words(self.0));
    }
}

impl<T: ?Sized> AsType for Answer<'_, T> {
    fn show(&self) {
        show(text(format!("a value of type {}, which has no words of its own", type_name::<T>())));
    }
}

struct Artifacts(Vec<veracity_protocol::Artifact>);

impl IntoArtifact for Artifacts {
    fn into_artifacts(self) -> Vec<veracity_protocol::Artifact> {
        self.0
    }
}

fn words<T: Debug + ?Sized>(value: &T) -> Text {
    let mut words = format!("{value:?}");
    if words.chars().count() > ONE_LINE {
        let laid_out = format!("{value:#?}");
        if laid_out.lines().count() <= MOST_LINES {
            words = laid_out;
        }
    }
    let length = words.chars().count();
    if length > LONGEST {
        words = words.chars().take(LONGEST).collect();
        words.push_str(&format!("… ({length} characters in all)"));
    }
    text(words)
}

#[cfg(test)]
mod tests {
    use veracity_protocol::Artifact;

    use super::*;
    use crate::context::testing;

    macro_rules! answer {
        ($value:expr) => {{
            (&&&&Answer(&$value)).show();
        }};
    }

    #[test]
    fn each_type_is_shown_by_the_best_that_it_has() {
        struct Silent;
        let chapter = testing::Chapter::new();
        answer!(0.1_f64 + 0.2);
        answer!(crate::ratio(1, 3));
        answer!("text");
        answer!(None::<&str>);
        answer!([1, 2, 3][..]);
        answer!(Silent);
        answer!(());
        answer!(vec![0.5_f32; 5000]);
        let texts: Vec<String> = chapter
            .output()
            .artifacts
            .into_iter()
            .map(|artifact| match artifact {
                Artifact::Text { text } => text,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts[..5], ["0.30000000000000004", "1/3", "text", "None", "[1, 2, 3]"]);
        assert!(texts[5].contains("Silent"), "{}", texts[5]);
        assert!(texts[6].ends_with("… (25000 characters in all)"), "{}", texts[6]);
        assert_eq!(texts.len(), 7);
    }
}
