//! Everything that is tested from outside the library, in one binary because each links Typst.

mod batch;
mod browser;
mod claims;
#[cfg(unix)]
mod console;
mod corpus;
#[cfg(unix)]
mod damage;
#[cfg(unix)]
mod determinism;
#[cfg(unix)]
mod disk;
mod html;
mod invalid;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod live;
mod math;
mod mutation;
mod parse;
mod pdf;
mod plan;
mod resolve;
mod scripted;
mod serve;
#[cfg(unix)]
mod session;
