//! The results folder: what ran, with a digest of every file and a seal over all.
//!
//! The seal shows that a file was changed afterwards or belongs to another bundle. It is no
//! signature: who has the bundle could make one.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use veracity_protocol::{
    BUNDLE_VERSION, RESULTS_FILE, RESULTS_HEADER, RanChapter, Results, SEAL_PURPOSE,
};

use crate::bundle::{Opened, of_file};

/// A results folder of one bundle.
#[derive(Debug)]
pub(crate) struct Folder {
    folder: PathBuf,
    results: Results,
}

impl Folder {
    /// Opens a folder, new or with results of the same bundle.
    pub(crate) fn open(folder: &Path, bundle: &Opened, machine: &str) -> Result<Self, String> {
        let failed = |error: io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(folder).map_err(failed)?;
        let before = match fs::read_to_string(folder.join(RESULTS_FILE)) {
            Ok(text) => Some(read(&text).ok_or_else(|| {
                format!("{} holds results that were changed; say `--results DIR`", folder.display())
            })?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        let fresh = || Results {
            version: BUNDLE_VERSION,
            bundle: bundle.manifest.clone(),
            identity: bundle.identity.clone(),
            machine: machine.to_owned(),
            chapters: BTreeMap::new(),
            files: BTreeMap::new(),
        };
        let results = match before {
            Some(before) if before.identity != bundle.identity => {
                return Err(format!(
                    "{} holds results of another bundle; say `--results DIR`",
                    folder.display()
                ));
            }
            // One table must not mix what two machines computed.
            Some(before) if before.machine != machine => {
                return Err(format!(
                    "{} holds results of {}; say `--results DIR`",
                    folder.display(),
                    before.machine
                ));
            }
            Some(before) => before,
            None => fresh(),
        };
        let opened = Self { folder: folder.to_owned(), results };
        opened.write().map_err(failed)?;
        Ok(opened)
    }

    /// Whether a chapter has run to a good end.
    pub(crate) fn has(&self, slug: &str) -> bool {
        self.results.chapters.get(slug).is_some_and(|ran| ran.failure.is_none())
    }

    /// Notes what became of a chapter, with digests of what it left.
    pub(crate) fn keep(&mut self, slug: &str, ran: RanChapter) -> Result<(), String> {
        let failed = |error: io::Error| format!("{}: {error}", self.folder.display());
        let left: Vec<_> = fs::read_dir(self.folder.join(slug)).map_err(failed)?.collect();
        self.results.files.retain(|path, _| !path.starts_with(&format!("{slug}/")));
        for entry in left {
            let entry = entry.map_err(failed)?;
            if entry.path().is_file() {
                let name = format!("{slug}/{}", entry.file_name().to_string_lossy());
                self.results.files.insert(name, of_file(&entry.path()).map_err(failed)?);
            }
        }
        self.results.chapters.insert(slug.to_owned(), ran);
        self.write().map_err(failed)
    }

    fn write(&self) -> io::Result<()> {
        let json = serde_json::to_string(&self.results)?;
        let text = format!("{RESULTS_HEADER} {}\n{json}", seal(&self.results.identity, &json));
        let beside = self.folder.join("results.part");
        fs::write(&beside, text)?;
        fs::rename(beside, self.folder.join(RESULTS_FILE))
    }
}

fn read(text: &str) -> Option<Results> {
    let (head, json) = text.split_once('\n')?;
    let results: Results = serde_json::from_str(json).ok()?;
    let found = head.strip_prefix(RESULTS_HEADER)?.trim();
    (found == seal(&results.identity, json)).then_some(results)
}

/// What shows that results belong to a bundle and were not changed.
fn seal(identity: &str, json: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key(SEAL_PURPOSE);
    hasher.update(identity.as_bytes()).update(json.as_bytes());
    hasher.finalize().to_hex().to_string()
}
