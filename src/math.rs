//! Formulas: LaTeX through one grammar to Typst, to MathML and to an exact expression.
//!
//! In goes the LaTeX between the dollar signs of a chapter, with the macros of its front matter.
//! Out come native Typst markup for the PDF ([`Math::typst`]), MathML for the page
//! ([`MathmlRenderer`]), words for screen readers ([`Math::alt`]) and, where the formula can be
//! computed, an [`Equation`] ([`Math::equation`]). A formula that cannot be shown right in every
//! output is a [`MathError`] with its place in the LaTeX. Numbering and cross references are left
//! to the caller: labels are found here and references are filled in by [`Math::resolve`].

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use veracity_protocol::Equation;

use crate::memo::{Input, Memo};

mod alt;
mod equation;
mod lower;
mod markup;
mod mathml;
mod names;
mod parse;
mod symbols;
mod tree;

pub use markup::PRELUDE;
pub use mathml::{CSS, MathmlRenderer};
pub(crate) use names::canonical;

/// Author's commands: names with their backslash, and bodies in which `#1` is an argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Macros(Arc<BTreeMap<String, String>>);

impl Macros {
    /// Takes over commands from settings and front matter; gives the names that cannot be:
    /// those that are not a backslash followed by letters.
    pub fn new(macros: impl IntoIterator<Item = (String, String)>) -> (Self, Vec<String>) {
        let (possible, wrong): (BTreeMap<_, _>, BTreeMap<_, _>) =
            macros.into_iter().partition(|(name, _)| {
                name.strip_prefix('\\').is_some_and(|rest| {
                    !rest.is_empty() && rest.chars().all(|char| char.is_ascii_alphabetic())
                })
            });
        (Self(Arc::new(possible)), wrong.into_keys().collect())
    }
}

/// How a formula stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// In a line of text.
    Inline,
    /// On its own.
    Block,
}

/// Formula that every output can show.
#[derive(Clone, Debug)]
pub struct Math(Arc<Formula>);

#[derive(Debug)]
struct Formula {
    latex: String,
    display: Display,
    macros: Macros,
    body: tree::Row,
    labels: Vec<String>,
    tag: Option<tree::Row>,
    /// What outputs ask for, once they have.
    typst: OnceLock<String>,
    alt: OnceLock<String>,
}

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MathError {
    /// Short and in lower case.
    pub message: String,
    /// Bytes of the LaTeX.
    pub range: Range<usize>,
    /// What to do about it, where that is known.
    pub hint: Option<String>,
}

impl Math {
    /// Parses the LaTeX between the dollar signs.
    ///
    /// References to other equations show their label until [`Math::resolve`] fills them in.
    ///
    /// # Errors
    /// Fails where LaTeX would, and where an output could not show the formula right.
    pub fn parse(latex: &str, display: Display, macros: &Macros) -> Result<Self, MathError> {
        // The same formulas are parsed for keys, numbers and words, and again after every edit.
        static KNOWN: Memo<Result<Math, MathError>> = Memo::new(4 << 20);
        let macros_of = macros.0.iter().flat_map(|(name, body)| [name.as_bytes(), body.as_bytes()]);
        let kind: &[u8] = if display == Display::Block { b"block" } else { b"inline" };
        let input = Input::of([kind, latex.as_bytes()].into_iter().chain(macros_of));
        KNOWN.get(input, || {
            let named = |label: &str| Some(format!("({label})"));
            (Self::parse_with(latex, display, macros, &named), 100 + latex.len())
        })
    }

    fn parse_with(
        latex: &str,
        display: Display,
        macros: &Macros,
        resolve: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Self, MathError> {
        let parsed = parse::parse(latex, display, macros, resolve)?;
        Ok(Self(Arc::new(Formula {
            latex: latex.to_owned(),
            display,
            macros: macros.clone(),
            body: parsed.body,
            labels: parsed.labels,
            tag: parsed.tag,
            typst: OnceLock::new(),
            alt: OnceLock::new(),
        })))
    }

    /// Returns the formula with what `resolve` gives for each `\eqref` label, such as `(3)`.
    ///
    /// # Errors
    /// Fails at the first label that `resolve` does not know.
    pub fn resolve(
        &self,
        resolve: &(dyn Fn(&str) -> Option<String> + Sync),
    ) -> Result<Self, MathError> {
        if self.references().is_empty() {
            return Ok(self.clone());
        }
        Self::parse_with(&self.0.latex, self.0.display, &self.0.macros, resolve)
    }

    /// The LaTeX as the author wrote it.
    pub fn latex(&self) -> &str {
        &self.0.latex
    }

    /// How the formula stands on the page.
    pub fn display(&self) -> Display {
        self.0.display
    }

    /// Names given by `\label`, in order.
    pub fn labels(&self) -> &[String] {
        &self.0.labels
    }

    /// What `\tag` asks for in place of a number, as plain text such as `(1.1)`.
    pub fn tag(&self) -> Option<String> {
        self.0.tag.as_ref().map(alt::plain)
    }

    /// Labels that `\eqref` and `\ref` name, in order.
    pub fn references(&self) -> Vec<&str> {
        fn collect<'a>(row: &'a tree::Row, labels: &mut Vec<&'a str>) {
            for node in row {
                if let tree::Kind::Reference { label, .. } = &node.kind {
                    labels.push(label);
                }
                tree::children(&node.kind, &mut |child| collect(child, labels));
            }
        }
        let mut labels = Vec::new();
        collect(&self.0.body, &mut labels);
        labels
    }

    /// Whether readers see a part of it otherwise than the rest: in a colour of its own, or as mere room.
    pub fn has_unseen(&self) -> bool {
        fn any(row: &tree::Row) -> bool {
            row.iter().any(|node| {
                let mut found =
                    matches!(node.kind, tree::Kind::Color { .. } | tree::Kind::Phantom(_));
                tree::children(&node.kind, &mut |child| found |= any(child));
                found
            })
        }
        any(&self.0.body)
    }

    /// Typst markup to stand between dollar signs in a document that begins with [`PRELUDE`].
    ///
    /// No text of the author's can leave the formula: letters stand alone, all else is escaped or
    /// quoted.
    pub fn typst(&self) -> String {
        self.0.typst.get_or_init(|| markup::emit(&self.0.body, self.0.display)).clone()
    }

    /// The formula in words.
    pub fn alt(&self) -> String {
        self.0.alt.get_or_init(|| alt::words(&self.0.body)).clone()
    }

    /// The formula as an expression that can be computed.
    ///
    /// # Errors
    /// Says what has no value, and where.
    pub fn equation(&self, label: &str) -> Result<Equation, MathError> {
        equation::equation(&self.0.body, label, &self.0.latex)
    }
}

/// Returns a hint that names the candidate most like `name`, if one is close.
fn did_you_mean<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = strsim::damerau_levenshtein(name, candidate);
        if best.is_none_or(|best| (distance, candidate) < best) {
            best = Some((distance, candidate));
        }
    }
    let (distance, candidate) = best?;
    (distance <= (name.chars().count() / 3).clamp(1, 3))
        .then(|| format!("did you mean {candidate}?"))
}
