//! `clean`: removes what builds make, and nothing else.

use std::io;
use std::path::Path;

use super::{Session, relative};
use crate::diag::Diagnostic;
use crate::pipeline::BuildEvent;
use crate::publish::{MADE, Output};

impl Session {
    /// Cleans the folder that the person names, or else the usual one.
    pub(super) fn clean(&self, root: &Path, named: Option<&Path>) -> Result<u8, Vec<Diagnostic>> {
        let usual = root.join("build");
        let out = named.unwrap_or(&usual);
        let failed = |path: &Path, error: &io::Error| {
            vec![
                Diagnostic::global(
                    "output-folder",
                    format!("cannot remove {}: {error}", path.display()),
                )
                .hint("look who may write there, or remove it yourself"),
            ]
        };
        let absent = |words: &str| {
            vec![
                Diagnostic::global("no-folder", format!("{} {words}", out.display()))
                    .hint("`--out` names the folder into which a report was built"),
            ]
        };
        match out.symlink_metadata() {
            Ok(_) if out.is_file() => return Err(absent("is a file and no folder of a build")),
            Err(_) if named.is_some() => return Err(absent("is not there")),
            _ => {}
        }
        if MADE.iter().all(|name| out.join(name).symlink_metadata().is_err()) {
            self.say(&format!("nothing to remove in {}\n", relative(out).display()));
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
