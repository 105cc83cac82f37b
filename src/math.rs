//! LaTeX formulas: one grammar, shown in both outputs and evaluated by cells.

use std::collections::BTreeMap;

/// Definitions that Typst markup of formulas relies on.
pub const PRELUDE: &str = "";

/// Author's commands.
#[derive(Clone, Debug, Default)]
pub struct Macros(BTreeMap<String, String>);

/// How a formula stands on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// In a line of text.
    Inline,
    /// On its own.
    Block,
}

/// A parsed formula.
#[derive(Clone, Debug)]
pub struct Math {
    latex: String,
}

/// What is wrong with a formula.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MathError;

impl Math {
    /// Parses the LaTeX between the dollar signs.
    pub fn parse(latex: &str, _: Display, _: &Macros) -> Result<Self, MathError> {
        Ok(Self { latex: latex.to_owned() })
    }

    /// The LaTeX as the author wrote it.
    pub fn latex(&self) -> &str {
        &self.latex
    }

    /// Typst markup to stand between dollar signs in a document that begins with [`PRELUDE`].
    pub fn typst(&self) -> String {
        self.latex.clone()
    }

    /// The formula in words.
    pub fn alt(&self) -> String {
        self.latex.clone()
    }
}
