//! Statements about a build that others can check: in-toto, signed with Ed25519.
//!
//! In: an evaluated report and the files of which it was made. Out: a [`statement`] that binds each
//! claim to the digests of its code and data and to its device, in an [`envelope`] that a [`key`]
//! signs. Left out: whether the claims are right; a statement says what a build found, and a
//! signature who says so.

pub mod envelope;
pub mod key;
pub mod statement;

use std::path::Path;

use crate::config::ReportConfig;
use crate::kernel::workspace;
use crate::world::{DiskWorld, World};
use statement::Sources;

/// Digests of the files of a report at these paths, as far as they are there, and of the crates that
/// its cells use by path.
pub fn sources(root: &Path, config: &ReportConfig, paths: &[String]) -> Sources {
    let world = DiskWorld::new(root);
    let files = paths.iter().filter(|path| !path.ends_with('/')).filter_map(|path| {
        let bytes = world.read(path).ok()?;
        Some((path.clone(), ("sha256", statement::sha256(&bytes))))
    });
    let crates =
        workspace::path_dependencies(Path::new(""), config).into_iter().filter_map(|path| {
            let digest = workspace::witness_of_crate(&root.join(&path))?;
            Some((format!("{}/", path.display()), ("blake3", digest)))
        });
    files.chain(crates).collect()
}
