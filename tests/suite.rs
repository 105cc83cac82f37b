//! All integration tests, in one binary: linking the dependencies once is enough.

#[path = "suite/html.rs"]
mod html;
