//! What goes on behind the runs of a session, for whoever tells a person.

use std::sync::Arc;

use crate::diag::Diagnostic;

/// Tells of what goes on behind the runs.
pub type Teller = Arc<dyn Fn(Told) + Send + Sync>;

/// What goes on behind the runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A step towards a context, in words.
    Warming(String),
    /// Cells of this chapter run in a context from now on.
    Ready(String),
    /// There will be no context.
    Failed(Diagnostic),
}
