//! Digests of files, each computed once.
//!
//! In: files. Out: a digest of the content, for keys, and the checksum that a manifest asks for.
//! Both are kept by path, size and time of change, because data may be large.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use md5::Digest as _;
use serde::{Deserialize, Serialize};

use crate::config::Algorithm;
use crate::kernel::workspace::write_if_changed;

/// A file that changed so recently might change again within the same tick of its clock, unnoticed.
const TICK: Duration = Duration::from_secs(2);

/// Digests of files, with those that were computed before.
#[derive(Debug)]
pub struct Digests {
    file: Option<PathBuf>,
    known: BTreeMap<PathBuf, Known>,
    is_changed: bool,
}

/// What is known of a file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    size: u64,
    /// Nanoseconds since 1970.
    changed: u128,
    content: String,
    md5: Option<String>,
    sha256: Option<String>,
}

/// The digests of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileDigest {
    /// Bytes.
    pub size: u64,
    /// Of the content, BLAKE3, hexadecimal.
    pub content: String,
    /// The checksum that was asked for, hexadecimal.
    pub checksum: Option<String>,
}

impl Digests {
    /// Those that are kept in a file, which need not exist; a damaged one counts as missing.
    pub fn open(file: &Path) -> Self {
        let known = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { file: Some(file.to_owned()), known: known.unwrap_or_default(), is_changed: false }
    }

    /// None that are kept in the file, so that all are computed anew, and kept.
    pub fn anew(file: &Path) -> Self {
        Self { file: Some(file.to_owned()), known: BTreeMap::new(), is_changed: false }
    }

    /// None, so that all are computed.
    pub fn none() -> Self {
        Self { file: None, known: BTreeMap::new(), is_changed: false }
    }

    /// Keeps them for the next time.
    pub fn save(&self) {
        if let Some(file) = &self.file
            && self.is_changed
            && let Ok(text) = serde_json::to_vec(&self.known)
        {
            // Without it they are computed again.
            let _ = write_if_changed(file, &text);
        }
    }

    /// Digests of a file.
    ///
    /// # Errors
    /// As for reading it.
    pub fn of(&mut self, path: &Path, checksum: Option<Algorithm>) -> io::Result<FileDigest> {
        let metadata = fs::metadata(path)?;
        let modified = metadata.modified()?;
        let changed = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let key = std::path::absolute(path)?;
        let known = self.known.get(&key).filter(|known| {
            let has_checksum = match checksum {
                None => true,
                Some(Algorithm::Md5) => known.md5.is_some(),
                Some(Algorithm::Sha256) => known.sha256.is_some(),
            };
            known.size == metadata.len() && known.changed == changed && has_checksum
        });
        let known = match known {
            Some(known) => known.clone(),
            None => {
                let known = compute(path, changed, checksum)?;
                let is_settled =
                    SystemTime::now().duration_since(modified).is_ok_and(|age| age > TICK);
                if is_settled && known.size == metadata.len() {
                    self.known.insert(key, known.clone());
                    self.is_changed = true;
                }
                known
            }
        };
        let checksum = match checksum {
            None => None,
            Some(Algorithm::Md5) => known.md5,
            Some(Algorithm::Sha256) => known.sha256,
        };
        Ok(FileDigest { size: known.size, content: known.content, checksum })
    }
}

fn compute(path: &Path, changed: u128, checksum: Option<Algorithm>) -> io::Result<Known> {
    let mut content = blake3::Hasher::new();
    let mut sum = checksum.map(Sum::new);
    let mut size = 0;
    each_block(path, |block| {
        content.update(block);
        if let Some(sum) = &mut sum {
            sum.update(block);
        }
        size += block.len() as u64;
        Ok(())
    })?;
    let sum = sum.map(Sum::finish);
    let (md5, sha256) = match checksum {
        Some(Algorithm::Sha256) => (None, sum),
        _ => (sum, None),
    };
    Ok(Known { size, changed, content: content.finalize().to_hex().to_string(), md5, sha256 })
}

/// Reads a file block by block.
pub(super) fn each_block(
    path: &Path,
    mut act: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => act(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A checksum in the making.
pub(super) enum Sum {
    Md5(md5::Md5),
    Sha256(sha2::Sha256),
}

impl Sum {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(md5::Md5::new()),
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(sum) => sum.update(bytes),
            Self::Sha256(sum) => sum.update(bytes),
        }
    }

    /// The sum in hexadecimal.
    pub(super) fn finish(self) -> String {
        match self {
            Self::Md5(sum) => format!("{:x}", sum.finalize()),
            Self::Sha256(sum) => format!("{:x}", sum.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_standards() {
        for (algorithm, expected) in [
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            let mut sum = Sum::new(algorithm);
            sum.update(b"ab");
            sum.update(b"c");
            assert_eq!(sum.finish(), expected);
        }
    }

    #[test]
    fn a_kept_digest_is_used_until_the_file_changes() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, cache) = (folder.path().join("a"), folder.path().join("cache/digests.json"));
        let write = |text: &str, age: u64| {
            fs::write(&path, text).expect("it can be written");
            let time = SystemTime::now() - Duration::from_secs(age);
            File::options()
                .write(true)
                .open(&path)
                .and_then(|file| file.set_modified(time))
                .expect("its time can be set");
        };
        let of = || {
            let mut digests = Digests::open(&cache);
            let found = digests.of(&path, Some(Algorithm::Md5)).expect("it can be read");
            digests.save();
            found
        };
        write("1", 100);
        let first = of();
        assert!(cache.exists());
        let text = fs::read_to_string(&cache).expect("it can be read");
        fs::write(&cache, text.replace(&first.content, "kept")).expect("it can be written");
        assert_eq!(of().content, "kept");
        fs::write(&cache, "damaged").expect("it can be written");
        assert_eq!(of(), first);
        write("2", 50);
        assert_ne!(of(), first);
    }
}
