//! Everything that is tested from outside the library, in one binary because each links Typst.

#[path = "suite/corpus.rs"]
mod corpus;
#[path = "suite/parse.rs"]
mod parse;
#[path = "suite/speed.rs"]
mod speed;
