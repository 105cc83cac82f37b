//! All integration tests, in one binary: linking the dependencies once is enough.

#[path = "suite/pdf.rs"]
mod pdf;
