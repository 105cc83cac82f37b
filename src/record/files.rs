//! Files for download that cells put out, apart from the rest of it.
//!
//! In: what a cell put out. Out: the same without the bytes of its files, and those by digest. A
//! record names every file by its digest and keeps the bytes of small ones; of a large one, such
//! as trained weights, a report that is rendered from the record has the name and the digest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use veracity_protocol::Artifact;

use crate::cache::CellRecord;

/// Files up to this size are kept with every record.
pub const SMALL: u64 = 64 * 1024;

/// What stands in the place of the bytes of a file that is not at hand; no Base64 has a colon.
const ABSENT: &str = "absent:";

/// A file that a cell put out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its name, as the cell gave it.
    pub name: String,
    /// BLAKE3 of its bytes, hexadecimal.
    pub digest: String,
    /// How many bytes it has.
    pub bytes: u64,
}

/// The bytes of a file, or what is known of it without them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All bytes.
    Here(Vec<u8>),
    /// Digest and size of a file that is not at hand.
    Absent(String, u64),
}

impl Content {
    /// Reads the data of an [`Artifact::File`]; nothing if they are damaged.
    pub fn of(data: &str) -> Option<Self> {
        match data.strip_prefix(ABSENT) {
            Some(rest) => {
                let (digest, bytes) = rest.split_once(':')?;
                Some(Self::Absent(digest.to_owned(), bytes.parse().ok()?))
            }
            None => STANDARD.decode(data).ok().map(Self::Here),
        }
    }
}

/// Takes the bytes of all files out, and gives the files with their bytes as far as they are at hand.
pub(super) fn take(record: &mut CellRecord) -> Vec<(File, Option<Vec<u8>>)> {
    let mut files = Vec::new();
    for artifact in &mut record.output.artifacts {
        let Artifact::File { name, data } = artifact else { continue };
        // What is damaged stays as it is, and is told where it is shown.
        let Some(content) = Content::of(data) else { continue };
        data.clear();
        let (digest, bytes, here) = match content {
            Content::Here(here) => {
                (blake3::hash(&here).to_hex().to_string(), here.len() as u64, Some(here))
            }
            Content::Absent(digest, bytes) => (digest, bytes, None),
        };
        files.push((File { name: name.clone(), digest, bytes }, here));
    }
    files
}

/// Puts the bytes of files back, or what is known of those that `find` does not have.
pub(super) fn put(
    record: &mut CellRecord,
    files: &[File],
    find: &dyn Fn(&File) -> Option<Vec<u8>>,
) {
    let places = record.output.artifacts.iter_mut().filter_map(|artifact| match artifact {
        Artifact::File { data, .. } if data.is_empty() => Some(data),
        _ => None,
    });
    for (place, file) in places.zip(files) {
        *place = match find(file) {
            Some(bytes) => STANDARD.encode(bytes),
            None => format!("{ABSENT}{}:{}", file.digest, file.bytes),
        };
    }
}
