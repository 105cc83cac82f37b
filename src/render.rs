//! From the resolved report to files.

mod highlight;
pub mod html;
mod lattice;
mod look;
pub mod pdf;

use bytes::Bytes;

pub use highlight::{Found, Highlighter};

/// A file to be written, relative to the output folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputFile {
    /// Path below the output folder, with `/`.
    pub path: String,
    /// Content.
    pub bytes: Bytes,
}
