//! A record on disk: the lock, and what cells put out in files named by their digests: `.json` for
//! what is shown, `.bin` for files that readers can download.
//!
//! In: a record with its outputs, or a world that holds them. Out: the other. At every moment the
//! lock on disk finds the files that it names.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::files::{self, File, SMALL};
use super::{FILE, FOLDER, Lock, text};
use crate::cache::CellRecord;
use crate::diag::Diagnostic;
use crate::kernel::workspace::write_if_changed;
use crate::world::World;

/// The files of a record's folder, by name.
pub type FolderFiles = BTreeMap<String, Vec<u8>>;

/// Leaves out the files for download that are large.
pub fn drop_large(folder: &mut FolderFiles) {
    folder.retain(|name, bytes| !name.ends_with(".bin") || bytes.len() as u64 <= SMALL);
}

/// What a cell put out, as it stands in a file.
#[derive(Serialize)]
struct Kept<'a> {
    /// Whose it is, so that no two cells can change theirs.
    cell: &'a str,
    record: &'a CellRecord,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Found {
    Named {
        cell: String,
        record: CellRecord,
    },
    /// Of a version that did not write the cell.
    Bare(CellRecord),
}

/// What the cell of this name put out as text, and the digest by which it is called.
pub(super) fn named(cell: &str, record: &CellRecord) -> (String, String) {
    // One line, so that no checkout changes the ends of lines.
    let text = serde_json::to_string(&Kept { cell, record });
    let text = text.expect("strings, numbers and lists are JSON");
    (blake3::hash(text.as_bytes()).to_hex().to_string(), text)
}

/// Writes a record below `root`, and removes the files that only the one before named.
///
/// # Errors
/// If a file cannot be written; the record before is then whole.
pub fn write(root: &Path, lock: &Lock, files: &FolderFiles) -> Result<(), Diagnostic> {
    let write = || -> io::Result<()> {
        let folder = root.join(FOLDER);
        for (name, bytes) in files {
            write_if_changed(&folder.join(name), bytes)?;
        }
        write_if_changed(&root.join(FILE), text(lock).as_bytes())?;
        prune(&folder, files)
    };
    write().map_err(|error| {
        Diagnostic::global("record-folder", format!("cannot write the record: {error}"))
            .note(format!("it belongs into {}", root.display()))
            .hint("is the disk full, or the folder read-only?")
    })
}

/// Reads what the cells of a record put out, by cell, those of other devices included.
///
/// # Errors
/// If a file is missing or not as it was recorded.
pub fn outputs(lock: &Lock, world: &dyn World) -> Result<BTreeMap<String, CellRecord>, Diagnostic> {
    let mut outputs = BTreeMap::new();
    let wanted =
        lock.all_cells().filter_map(|(name, cell)| Some((name, cell, cell.output.as_ref()?)));
    for (name, cell, digest) in wanted {
        let path = format!("{FOLDER}/{}", of_output(digest));
        let bytes =
            world.read(&path).map_err(|error| damaged(format!("cannot read `{path}`: {error}")))?;
        if blake3::hash(&bytes).to_hex().as_str() != digest {
            return Err(damaged(format!("`{path}` is not as it was recorded")));
        }
        let kept = serde_json::from_slice(&bytes).map_err(|error| {
            damaged(format!("`{path}` was recorded by another version of Veracity: {error}"))
        })?;
        let mut record = match kept {
            Found::Named { cell, .. } if cell != name => {
                let words =
                    format!("`{path}` is what `{cell}` put out, and `{FILE}` has it for `{name}`");
                return Err(damaged(words));
            }
            Found::Named { record, .. } | Found::Bare(record) => record,
        };
        let find = |file: &File| found(world, file);
        files::put(&mut record, &cell.files, &find);
        outputs.insert(name, record);
    }
    Ok(outputs)
}

/// What a cell put out, as it stands in a file of the folder; nothing if it is damaged.
pub fn output(bytes: &[u8]) -> Option<CellRecord> {
    match serde_json::from_slice(bytes).ok()? {
        Found::Named { record, .. } | Found::Bare(record) => Some(record),
    }
}

/// Looks whether the folder of a record has all that the record promises.
///
/// # Errors
/// If an output or a file that every record keeps is missing or is not as it was recorded.
pub fn check(lock: &Lock, world: &dyn World) -> Result<(), Diagnostic> {
    outputs(lock, world)?;
    for file in lock.all_cells().flat_map(|(_, cell)| &cell.files) {
        let path = format!("{FOLDER}/{}", of_file(&file.digest));
        let is_there = world.read(&path).is_ok();
        if found(world, file).is_none() && (is_there || file.bytes <= SMALL) {
            let how = if is_there { "is not as it was recorded" } else { "is missing" };
            return Err(damaged(format!("`{path}`, the file `{}`, {how}", file.name)));
        }
    }
    Ok(())
}

fn damaged(words: String) -> Diagnostic {
    Diagnostic::global("record-damaged", words).hint(format!(
        "`{FOLDER}` belongs to `{FILE}`: commit both, or make both anew with `veracity record`"
    ))
}

/// A file for download, if the record has it as it was.
fn found(world: &dyn World, file: &File) -> Option<Vec<u8>> {
    let bytes = world.read(&format!("{FOLDER}/{}", of_file(&file.digest))).ok()?;
    (blake3::hash(&bytes).to_hex().as_str() == file.digest).then_some(bytes)
}

pub(crate) fn of_output(digest: &str) -> String {
    format!("{digest}.json")
}

pub(super) fn of_file(digest: &str) -> String {
    format!("{digest}.bin")
}

/// Removes files of ours that are not `kept`.
fn prune(folder: &Path, kept: &FolderFiles) -> io::Result<()> {
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
            .or_else(|| name.strip_suffix(".bin"))
            .is_some_and(|stem| stem.len() == 64 && stem.bytes().all(|b| b.is_ascii_hexdigit()));
        if is_ours && !kept.contains_key(&name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
