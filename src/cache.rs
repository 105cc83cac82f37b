//! What is kept between builds: a content-addressed store of what cells put out, and single files.
//!
//! In: a key and a [`CellRecord`], or a path and a value. Out: what was kept, if it is there and
//! whole. Everything is written beside and renamed, and carries a digest of itself: what a crash
//! or a bad disk leaves behind is noticed, thrown away and made again.

use std::fs;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use veracity_protocol::{Artifact, CellOutput};

use crate::kernel::workspace::write_if_changed;
use crate::memo::{Input, Memo};
use crate::plan::CellKey;

/// First word of every record; a change of the format changes it.
const HEADER: &str = "veracity-cell-1";

/// What is kept of a cell that ended well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellRecord {
    /// What it published.
    pub output: CellOutput,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Wall time.
    pub duration_ms: u64,
}

impl CellRecord {
    /// The record of a cell that did not run.
    pub fn empty() -> Self {
        Self {
            output: CellOutput::default(),
            stdout: String::new(),
            stderr: String::new(),
            duration_ms: 0,
        }
    }
}

/// A record that nobody changes any more, with its digest once that was asked for.
#[derive(Clone, Debug)]
pub struct SharedRecord(Arc<(CellRecord, OnceLock<blake3::Hash>)>);

impl From<CellRecord> for SharedRecord {
    fn from(record: CellRecord) -> Self {
        Self(Arc::new((record, OnceLock::new())))
    }
}

impl Deref for SharedRecord {
    type Target = CellRecord;

    fn deref(&self) -> &CellRecord {
        &self.0.0
    }
}

impl SharedRecord {
    /// Digest of what the cell put out, its duration left out.
    pub(crate) fn digest(&self) -> &blake3::Hash {
        let (CellRecord { output, stdout, stderr, duration_ms: _ }, digest) = &*self.0;
        digest.get_or_init(|| {
            let mut digest = blake3::Hasher::new();
            let json = "plain data are JSON";
            serde_json::to_writer(&mut digest, &(stdout, stderr, &output.values)).expect(json);
            for artifact in &output.artifacts {
                match artifact {
                    // It may be large, and is text without anything to escape.
                    Artifact::File { name, data } => {
                        digest.update(format!("file {name:?} {} ", data.len()).as_bytes());
                        digest.update(data.as_bytes());
                    }
                    artifact => serde_json::to_writer(&mut digest, artifact).expect(json),
                }
            }
            digest.finalize()
        })
    }
}

/// A folder of records.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
    /// Another store, which is only read.
    below: Option<PathBuf>,
}

/// What the store has under a key.
#[derive(Clone, Debug)]
pub enum Found {
    /// The record.
    Whole(SharedRecord),
    /// Something that is not a whole record; it has been removed.
    Corrupt,
    /// Nothing.
    Nothing,
}

impl Store {
    /// The store in `folder`, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), below: None }
    }

    /// The store in `folder`, which reads what it does not hold from the one in `below` and leaves
    /// that as it is.
    pub fn over(folder: impl Into<PathBuf>, below: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), below: Some(below.into()) }
    }

    /// Looks a key up.
    pub fn get(&self, key: CellKey) -> Found {
        let path = path(&self.folder, key);
        let Ok(bytes) = fs::read(&path) else {
            let below = self.below.as_ref().and_then(|below| kept(&self::path(below, key)));
            return below.map_or(Found::Nothing, |record: CellRecord| Found::Whole(record.into()));
        };
        // What a session replays after every edit is remembered, by what is still on the disk.
        static KNOWN: Memo<Option<SharedRecord>> = Memo::new(16 << 20);
        let shared = || decode(&bytes).map(|record: CellRecord| record.into());
        match KNOWN.get(Input::of([&bytes[..]]), || (shared(), bytes.len())) {
            Some(record) => Found::Whole(record),
            None => {
                // If it cannot be removed it will be replaced.
                let _ = fs::remove_file(&path);
                Found::Corrupt
            }
        }
    }

    /// Keeps a record.
    ///
    /// # Errors
    /// As for writing a file.
    pub fn put(&self, key: CellKey, record: &CellRecord) -> io::Result<()> {
        keep(&path(&self.folder, key), record)
    }
}

fn path(folder: &Path, key: CellKey) -> PathBuf {
    let name = key.to_string();
    folder.join(&name[..2]).join(&name[2..])
}

/// Reads what [`keep`] wrote, if it is whole and of the same kind.
pub fn kept<T: DeserializeOwned>(path: &Path) -> Option<T> {
    decode(&fs::read(path).ok()?)
}

/// Writes a value with a digest of itself.
///
/// # Errors
/// As for writing a file.
pub fn keep(path: &Path, value: &impl Serialize) -> io::Result<()> {
    let payload = serde_json::to_string(value)?;
    let digest = blake3::hash(payload.as_bytes()).to_hex();
    write_if_changed(path, format!("{HEADER} {digest}\n{payload}").as_bytes())
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (header, payload) = text.split_once('\n')?;
    let digest = header.strip_prefix(HEADER)?.trim();
    if blake3::hash(payload.as_bytes()).to_hex().as_str() != digest {
        return None;
    }
    serde_json::from_str(payload).ok()
}
