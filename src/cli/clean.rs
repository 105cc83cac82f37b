//! `clean`: removes what builds make, and nothing else.

use std::io;
use std::path::Path;

use super::{Session, relative};
use crate::diag::Diagnostic;
use crate::pipeline::BuildEvent;
use crate::publish::{MADE, Output};

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
        let Some(foreign) = Output::foreign(out) else {
            return Err(vec![
                Diagnostic::global(
                    "foreign-folder",
                    format!("no build has made {}, so nothing in it is removed", out.display()),
                )
                .note("builds leave a mark in their folder, and it has none")
                .hint("remove what is not needed yourself"),
            ]);
        };
        // A build that is running is waited for; its lock stays, or a third could slip in.
        let _output = Output::open(out, || self.progress.show(BuildEvent::Waiting))
            .map_err(|problem| vec![problem])?;
        let made = MADE.iter().filter(|made| !foreign.iter().any(|name| name == *made));
        for path in made.map(|name| out.join(name)) {
            let removed = match std::fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(&path),
                Ok(_) => std::fs::remove_file(&path),
                Err(_) => continue,
            };
            removed.map_err(|error| failed(&path, &error))?;
        }
        self.say(&format!("removed what builds left in {}\n", relative(out).display()));
        if !foreign.is_empty() {
            self.say(&format!("left what was there before: {}\n", foreign.join(", ")));
        }
        Ok(0)
    }
}
