//! Veracity builds reports that check their own claims.
//!
//! Read [`pipeline`] first: one function names every stage of a build in order. The binary is a
//! thin caller of it; `docs/architecture.md` tells what lives where and why.

pub mod attest;
pub mod bundle;
pub mod cache;
pub mod claims;
pub mod cli;
pub mod config;
pub mod console;
pub mod coverage;
pub mod data;
pub mod diag;
pub mod diff;
pub mod document;
pub mod evidence;
pub mod exec;
pub mod figure;
pub mod git;
pub mod kernel;
pub mod ledger;
pub mod math;
mod memo;
pub mod mutate;
pub mod notebook;
pub mod parse;
pub mod passages;
pub mod pipeline;
pub mod plan;
pub mod progress;
pub mod publish;
pub mod record;
pub mod render;
pub mod reports;
pub mod resolve;
pub mod serve;
pub mod session;
pub mod slice;
pub mod span;
pub(crate) mod terminal;
pub mod words;
pub mod world;
