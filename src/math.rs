//! LaTeX formulas: one grammar, shown in both outputs and evaluated by cells.

/// A parsed formula.
#[derive(Clone, Debug)]
pub struct Math;
