//! Everything that is tested from outside the library, in one binary because each links Typst.

mod around;
mod batch;
mod browser;
#[cfg(unix)]
mod bundle;
mod claims;
#[cfg(unix)]
mod clean;
#[cfg(unix)]
mod console;
mod corpus;
#[cfg(unix)]
mod damage;
#[cfg(unix)]
mod determinism;
#[cfg(unix)]
mod devices;
mod diff;
#[cfg(unix)]
mod disk;
mod evidence;
mod hints;
mod html;
mod invalid;
#[cfg(unix)]
mod kill;
#[cfg(unix)]
mod live;
mod math;
mod mutation;
mod nodes;
mod parse;
mod pdf;
mod plan;
mod record;
mod resolve;
#[cfg(target_os = "linux")]
mod sandbox;
mod scripted;
mod seeded;
mod serve;
#[cfg(unix)]
mod session;
#[cfg(target_os = "linux")]
mod slurm;
