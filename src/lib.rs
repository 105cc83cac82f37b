//! Builds reports from Markdown and Rust, and checks what the prose claims against the executed code.

pub mod math;
