//! The bundle: its manifest, and whether its files and its data are whole.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use veracity_protocol::{
    BUNDLE_FILE, BUNDLE_HEADER, BUNDLE_VERSION, Bundle, DataSource, HEADERS_FOLDER,
};

/// Most files of a data set that are named in a message.
const LISTED: usize = 3;

/// A bundle whose files are whole.
#[derive(Debug)]
pub(crate) struct Opened {
    /// Its folder.
    pub folder: PathBuf,
    /// What it holds.
    pub manifest: Bundle,
    /// Digest of the manifest.
    pub identity: String,
}

impl Opened {
    /// Reads the manifest and every file that it names.
    pub(crate) fn at(folder: &Path) -> Result<Self, String> {
        let path = folder.join(BUNDLE_FILE);
        let damaged = |what: &str| {
            format!("the bundle is damaged: {} {what}; copy it here again", path.display())
        };
        let text = fs::read_to_string(&path).map_err(|error| damaged(&format!("({error})")))?;
        let (identity, json) = text
            .split_once('\n')
            .and_then(|(head, json)| Some((head.strip_prefix(BUNDLE_HEADER)?.trim(), json)))
            .ok_or_else(|| damaged("is no manifest of a bundle"))?;
        if blake3::hash(json.as_bytes()).to_hex().as_str() != identity {
            return Err(damaged("is not what was written"));
        }
        let manifest: Bundle =
            serde_json::from_str(json).map_err(|error| damaged(&format!("({error})")))?;
        if manifest.version != BUNDLE_VERSION {
            return Err(damaged(&format!("has version {}", manifest.version)));
        }
        differing(folder, &manifest.files)
            .map_err(|what| format!("the bundle is damaged: {what}; copy it here again"))?;
        Ok(Self { folder: folder.to_owned(), manifest, identity: identity.to_owned() })
    }

    /// Folder in which programs run: with the headers of kernels that are compiled here, if it has any.
    pub(crate) fn home(&self) -> PathBuf {
        let headers = self.folder.join(HEADERS_FOLDER);
        if headers.is_dir() { headers } else { self.folder.clone() }
    }

    /// The data sets, if they are what the bundle was made for; else all that is wrong with any.
    pub(crate) fn data(&self, folder: &Path) -> Result<BTreeMap<String, DataSource>, String> {
        let mut found = BTreeMap::new();
        let mut wrong = Vec::new();
        for (name, data) in &self.manifest.datasets {
            let place = folder.join(&data.folder);
            match unlike(&place, &data.files) {
                None => {
                    let (kind, digest) = (data.kind, data.digest.clone());
                    found.insert(name.clone(), DataSource { folder: place, kind, digest });
                }
                Some(what) => wrong.push(format!("  `{name}` in {}: {what}", place.display())),
            }
        }
        if wrong.is_empty() {
            return Ok(found);
        }
        let remedy = match self.manifest.with_data {
            true => "copy the bundle here again, or say `--data DIR`",
            false => {
                "put them there or say `--data DIR`; `veracity bundle --with-data` brings them along"
            }
        };
        Err(format!(
            "data sets are not what the bundle was made for:\n{}\n  {remedy}",
            wrong.join("\n")
        ))
    }
}

/// What of a data set is missing or differs, if anything.
fn unlike(folder: &Path, files: &BTreeMap<String, String>) -> Option<String> {
    if !folder.is_dir() {
        return Some(format!("there is no such folder; {} files belong into it", files.len()));
    }
    let (mut missing, mut other) = (Vec::new(), Vec::new());
    for (name, digest) in files {
        match of_file(&folder.join(name)) {
            Ok(found) if found == *digest => {}
            Ok(_) => other.push(name.as_str()),
            Err(_) => missing.push(name.as_str()),
        }
    }
    let listed = |what: &str, names: &[&str]| {
        let more = if names.len() > LISTED { ", …" } else { "" };
        let shown = names.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
        (!names.is_empty())
            .then(|| format!("{} of {} files {what}: {shown}{more}", names.len(), files.len()))
    };
    let said = [listed("are missing", &missing), listed("differ from their checksums", &other)];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// Says which file is missing or differs from its digest.
fn differing(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, digest) in files {
        let found = of_file(&folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
        if found != *digest {
            return Err(format!("{name} differs from its checksum"));
        }
    }
    Ok(())
}

/// Digest of a file.
pub(crate) fn of_file(path: &Path) -> std::io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().to_string())
}
