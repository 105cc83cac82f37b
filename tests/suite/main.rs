//! Everything that is tested from outside the library, in one binary because each links Typst.

mod batch;
mod claims;
mod corpus;
mod html;
mod invalid;
mod parse;
mod pdf;
mod resolve;
mod scripted;
