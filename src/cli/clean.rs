//! `clean`: removes what builds make, and nothing else.

use std::io;
use std::path::Path;

use super::{Session, relative};
use crate::diag::Diagnostic;
use crate::pipeline::BuildEvent;
use crate::publish::Output;

/// What builds make; the folder may hold other things.
const MADE: [&str; 14] = [
    "bundle",
    "cache",
    "console",
    "cuda",
    crate::pipeline::DEVICES_FOLDER,
    "live",
    crate::mutate::FOLDER,
    "notebooks",
    "run",
    "target",
    "work",
    "report",
    "report.pdf",
    "claims.json",
];

impl Session {
    pub(super) fn clean(&self, out: &Path) -> Result<u8, Vec<Diagnostic>> {
        let failed = |path: &Path, error: &io::Error| {
            vec![Diagnostic::global(
                "output-folder",
                format!("cannot remove {}: {error}", path.display()),
            )]
        };
        if MADE.iter().all(|name| out.join(name).symlink_metadata().is_err()) {
            return Ok(0);
        }
        if !Output::is_ours(out) {
            return Err(vec![
                Diagnostic::global(
                    "foreign-folder",
                    format!("no build has made {}, so nothing in it is removed", out.display()),
                )
                .note("builds leave a mark in their folder, and it has none")
                .hint("build into it once if it is meant, or remove it yourself"),
            ]);
        }
        // A build that is running is waited for; its lock stays, or a third could slip in.
        let _output = Output::open(out, || self.progress.show(BuildEvent::Waiting))
            .map_err(|problem| vec![problem])?;
        for path in MADE.iter().map(|name| out.join(name)) {
            let removed = match std::fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(&path),
                Ok(_) => std::fs::remove_file(&path),
                Err(_) => continue,
            };
            removed.map_err(|error| failed(&path, &error))?;
        }
        self.say(&format!("removed what builds left in {}\n", relative(out).display()));
        Ok(0)
    }
}
