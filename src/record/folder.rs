//! A record on disk: the lock, and what cells put out in files named by their digests.
//!
//! In: a record with its outputs, or a world that holds them. Out: the other. At every moment the
//! lock on disk finds the files that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use super::{FILE, FOLDER, Lock, text};
use crate::cache::CellRecord;
use crate::diag::Diagnostic;
use crate::kernel::workspace::write_if_changed;
use crate::world::World;

/// What a cell put out as text, and the digest by which it is called.
pub(super) fn named(record: &CellRecord) -> (String, String) {
    // One line, so that no checkout changes the ends of lines.
    let text = serde_json::to_string(record).expect("strings, numbers and lists are JSON");
    (blake3::hash(text.as_bytes()).to_hex().to_string(), text)
}

/// Writes a record below `root`, and removes the outputs that only the one before named.
///
/// # Errors
/// If a file cannot be written; the record before is then whole.
pub fn write(
    root: &Path,
    lock: &Lock,
    outputs: &BTreeMap<String, String>,
) -> Result<(), Diagnostic> {
    let write = || -> io::Result<()> {
        let folder = root.join(FOLDER);
        for (digest, text) in outputs {
            write_if_changed(&folder.join(file(digest)), text.as_bytes())?;
        }
        write_if_changed(&root.join(FILE), text(lock).as_bytes())?;
        prune(&folder, &outputs.keys().map(|digest| file(digest)).collect())
    };
    write().map_err(|error| {
        Diagnostic::global("record-folder", format!("cannot write the record: {error}"))
            .note(format!("it belongs into {}", root.display()))
            .hint("is the disk full, or the folder read-only?")
    })
}

/// Reads what the cells of a record put out, by digest.
///
/// # Errors
/// If a file is missing or not as it was recorded.
pub fn outputs(lock: &Lock, world: &dyn World) -> Result<BTreeMap<String, CellRecord>, Diagnostic> {
    let wanted: BTreeSet<&String> =
        lock.all_cells().filter_map(|cell| cell.output.as_ref()).collect();
    let mut outputs = BTreeMap::new();
    for digest in wanted {
        let path = format!("{FOLDER}/{}", file(digest));
        let damaged = |words: String| {
            Diagnostic::global("record-damaged", words).hint(format!(
                "`{FOLDER}` belongs to `{FILE}`: commit both, or make both anew with `veracity record`"
            ))
        };
        let bytes =
            world.read(&path).map_err(|error| damaged(format!("cannot read `{path}`: {error}")))?;
        if blake3::hash(&bytes).to_hex().as_str() != digest {
            return Err(damaged(format!("`{path}` is not as it was recorded")));
        }
        let record = serde_json::from_slice(&bytes).map_err(|error| {
            damaged(format!("`{path}` was recorded by another version of Veracity: {error}"))
        })?;
        outputs.insert(digest.clone(), record);
    }
    Ok(outputs)
}

fn file(digest: &str) -> String {
    format!("{digest}.json")
}

/// Removes files of ours that are not `kept`.
fn prune(folder: &Path, kept: &BTreeSet<String>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let is_ours = name
            .strip_suffix(".json")
            .is_some_and(|stem| stem.len() == 64 && stem.bytes().all(|b| b.is_ascii_hexdigit()));
        if is_ours && !kept.contains(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
