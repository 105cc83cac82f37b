//! Everything that is tested from outside the library, in one binary because each links Typst.

#[path = "suite/claims.rs"]
mod claims;
#[path = "suite/resolve.rs"]
mod resolve;
#[path = "suite/scripted.rs"]
mod scripted;
