//! What a cell can show.
//!
//! In: the trailing expression of a cell. Out: artifacts in the order given.

use std::fmt::Display;

use veracity_protocol::Artifact;

use crate::{Check, Figure, Plot, PublishedValue, Table, context};

/// What a cell can show as its trailing expression.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a cell can show",
    note = "end the statement with `;`, or show it with `lab::text(..)` or publish it with \
            `lab::value(\"name\", ..)`"
)]
pub trait IntoArtifact {
    /// Converts into artifacts, in the order in which they are shown.
    #[track_caller]
    fn into_artifacts(self) -> Vec<Artifact>;
}

/// Shows something, as if it were the cell's trailing expression.
///
/// # Panics
///
/// If a check in it has a name that was published before.
#[track_caller]
pub fn show(artifact: impl IntoArtifact) {
    for artifact in artifact.into_artifacts() {
        if let Err(message) = context::with(|context| context.push(artifact)) {
            panic!("{message}");
        }
    }
}

/// Records a check, as if it were the cell's trailing expression, and says whether it passed.
///
/// # Panics
///
/// If the name was published before.
#[track_caller]
pub fn check(check: Check) -> bool {
    let passed = check.passed();
    show(check);
    passed
}

/// Makes anything that can be printed into text to show.
pub fn text(shown: impl Display) -> Text {
    Text(shown.to_string())
}

/// Text to show verbatim, from [`text`].
#[derive(Clone, Debug)]
pub struct Text(String);

impl IntoArtifact for Text {
    fn into_artifacts(self) -> Vec<Artifact> {
        self.0.into_artifacts()
    }
}

impl IntoArtifact for String {
    fn into_artifacts(self) -> Vec<Artifact> {
        vec![Artifact::Text { text: self }]
    }
}

impl IntoArtifact for &str {
    fn into_artifacts(self) -> Vec<Artifact> {
        self.to_owned().into_artifacts()
    }
}

impl IntoArtifact for Table {
    fn into_artifacts(self) -> Vec<Artifact> {
        vec![Artifact::Table(self.into_protocol())]
    }
}

impl IntoArtifact for Figure {
    fn into_artifacts(self) -> Vec<Artifact> {
        vec![Artifact::Figure(self.into_protocol())]
    }
}

/// A figure of one panel.
///
/// # Panics
///
/// As [`Figure::new`].
impl IntoArtifact for Plot {
    #[track_caller]
    fn into_artifacts(self) -> Vec<Artifact> {
        Figure::new(self).into_artifacts()
    }
}

impl IntoArtifact for Check {
    fn into_artifacts(self) -> Vec<Artifact> {
        vec![Artifact::Check(self.into_protocol())]
    }
}

impl IntoArtifact for () {
    fn into_artifacts(self) -> Vec<Artifact> {
        Vec::new()
    }
}

/// A value is published already and shows nothing.
impl IntoArtifact for PublishedValue {
    fn into_artifacts(self) -> Vec<Artifact> {
        Vec::new()
    }
}

impl<T: IntoArtifact> IntoArtifact for Option<T> {
    fn into_artifacts(self) -> Vec<Artifact> {
        self.map_or_else(Vec::new, T::into_artifacts)
    }
}

impl<T: IntoArtifact> IntoArtifact for Vec<T> {
    fn into_artifacts(self) -> Vec<Artifact> {
        self.into_iter().flat_map(T::into_artifacts).collect()
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))+) => {$(
        impl<$($part: IntoArtifact),+> IntoArtifact for ($($part,)+) {
            fn into_artifacts(self) -> Vec<Artifact> {
                #[expect(non_snake_case, reason = "each part is named after its type")]
                let ($($part,)+) = self;
                [$($part.into_artifacts()),+].into_iter().flatten().collect()
            }
        }
    )+};
}

tuples! { (A B) (A B C) (A B C D) }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compound_outputs_keep_their_order_and_nothing_gives_nothing() {
        let shown = ("a", Some(text(1)), (), vec!["b", "c"]).into_artifacts();
        let texts: Vec<_> = shown
            .into_iter()
            .map(|artifact| match artifact {
                Artifact::Text { text } => text,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(texts, ["a", "1", "b", "c"]);
        assert!(None::<&str>.into_artifacts().is_empty());
    }
}
