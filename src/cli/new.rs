//! `veracity new DIR`: a small report that builds at once.

use std::io;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::Session;
use crate::diag::Diagnostic;

static STARTER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/templates/new");

pub(super) fn make(session: &Session, folder: &Path) -> u8 {
    let occupied = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied || folder.is_file() {
        session.problem(
            &Diagnostic::global("folder-in-use", format!("{} is not empty", folder.display()))
                .hint("name a folder that does not exist yet"),
        );
        return super::USAGE;
    }
    match write(&STARTER, folder) {
        Ok(()) => {
            session.say(&format!(
                "made a report in {0}\n  veracity build-report --root {0}\n",
                folder.display()
            ));
            0
        }
        Err(error) => {
            let words = format!("cannot write {}: {error}", folder.display());
            session.problem(
                &Diagnostic::global("output-folder", words)
                    .hint("look whether there is room and whether it may be written"),
            );
            super::NOT_BUILT
        }
    }
}

fn write(dir: &Dir<'_>, folder: &Path) -> io::Result<()> {
    for file in dir.files() {
        let path = folder.join(file.path());
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, file.contents())?;
    }
    dir.dirs().try_for_each(|dir| write(dir, folder))
}
