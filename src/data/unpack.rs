//! An archive to the folder of its data set.
//!
//! In: an archive that has the right checksum. Out: the folder, with a receipt that says from what
//! it was unpacked and what was in it then. The archive is read once, from its beginning to its
//! end; everything is written beside and takes its name last.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use bzip2::read::MultiBzDecoder;
use serde::{Deserialize, Serialize};

use super::{Digests, find};
use crate::config::{Checksum, Entry};
use crate::kernel::process;

/// File of the receipt in the folder; hidden, so that it is not taken for data.
const RECEIPT: &str = ".unpacked.json";

/// What a folder was unpacked from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// Checksum of the archive, as in the manifest.
    pub checksum: String,
    /// Digest of the content of the folder.
    pub content: String,
}

impl Receipt {
    /// The receipt in a folder, if there is one.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(folder.join(RECEIPT)).ok()?).ok()
    }
}

/// Unpacks a `tar.bz2` into the data set's folder below `data`; gives the place of what was there
/// before, if anything was.
///
/// `advance` is told how many bytes of the archive have been read.
///
/// # Errors
/// If the archive is damaged, leads out of its folder or holds anything but files and folders, if
/// the disk is full, or if the person has asked to stop.
pub fn tar_bz2(
    archive: &Path,
    checksum: Option<&Checksum>,
    entry: &Entry,
    data: &Path,
    advance: impl FnMut(u64),
) -> io::Result<Option<std::path::PathBuf>> {
    let staging = tempfile::Builder::new().prefix(".unpacking-").tempdir_in(data)?;
    let counted = Counted { file: File::open(archive)?, read: 0, advance };
    let mut tar = tar::Archive::new(MultiBzDecoder::new(counted));
    for member in tar.entries()? {
        let mut member = member?;
        let kind = member.header().entry_type();
        let path = member.path()?.display().to_string();
        let is_plain = kind.is_file() || kind.is_dir();
        if kind.is_pax_global_extensions() {
            continue;
        }
        if !is_plain || !member.unpack_in(staging.path())? {
            let message = format!("`{path}` in it is neither a file nor a folder inside it");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
    }
    // Reading on to the end compares the stream with its own checksum.
    io::copy(&mut tar.into_inner(), &mut io::sink())?;
    // An archive is either the folder or what belongs into it.
    let inner = staging.path().join(&entry.folder);
    let unpacked = if inner.is_dir() { inner } else { staging.path().to_owned() };
    if let Some(checksum) = checksum {
        let inside = Entry { folder: ".".to_owned(), ..entry.clone() };
        let found = find(&unpacked, "", Some(&inside), &mut Digests::none())?
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it holds no file"))?;
        let receipt = Receipt { checksum: checksum.to_string(), content: found.set.digest };
        fs::write(unpacked.join(RECEIPT), serde_json::to_vec_pretty(&receipt)?)?;
    }
    let folder = data.join(&entry.folder);
    let aside = match fs::symlink_metadata(&folder) {
        Ok(_) => Some(super::set_aside(&folder)?),
        Err(_) => None,
    };
    fs::rename(&unpacked, &folder)?;
    Ok(aside)
}

/// Counts what is read of the archive, and stops when the person asks.
struct Counted<F> {
    file: File,
    read: u64,
    advance: F,
}

impl<F: FnMut(u64)> Read for Counted<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if process::interrupted() {
            // `Interrupted` would only be tried again.
            return Err(io::Error::other("it was interrupted"));
        }
        let read = self.file.read(buffer)?;
        self.read += read as u64;
        (self.advance)(self.read);
        Ok(read)
    }
}
