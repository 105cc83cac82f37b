//! `clean`: removes what builds make, and nothing else.

use std::io;
use std::path::Path;

use super::{Session, relative};
use crate::diag::Diagnostic;
use crate::pipeline::BuildEvent;
use crate::publish::Output;

impl Session {
    pub(super) fn clean(&self, out: &Path) -> Result<u8, Vec<Diagnostic>> {
        let failed = |path: &Path, error: &io::Error| {
            vec![Diagnostic::global(
                "output-folder",
                format!("cannot remove {}: {error}", path.display()),
            )]
        };
        if !out.exists() {
            return Ok(0);
        }
        // A build that is running is waited for; its lock stays, or a third could slip in.
        let _output = Output::open(out, || self.progress.show(BuildEvent::Waiting))
            .map_err(|problem| vec![problem])?;
        // Only what a build makes is removed: the folder may hold other things.
        for name in [
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
        ] {
            let path = out.join(name);
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
