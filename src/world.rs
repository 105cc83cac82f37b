//! The only place that reads what a build depends on: the report's files, the clock and the
//! environment.
//!
//! In: a root folder, or files in memory for tests. Out: bytes. Left out: anything that
//! interprets them, and all writing.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;

/// Where the files of a report come from.
pub trait World: Send + Sync {
    /// Reads a file, by its path relative to the root, with `/`.
    ///
    /// # Errors
    /// As for reading a file; a path that leads out of the root is not found.
    fn read(&self, path: &str) -> io::Result<Vec<u8>>;

    /// Lists the files below a folder in order, relative to the root; none if it is absent.
    ///
    /// # Errors
    /// As for reading a folder.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;
}

/// A report in a folder on disk.
#[derive(Clone, Debug)]
pub struct DiskWorld {
    root: PathBuf,
}

impl DiskWorld {
    /// The report whose `report.yaml` is in `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }
}

impl World for DiskWorld {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let path = self.root.join(inside(path)?);
        let metadata = std::fs::metadata(&path)?;
        // A pipe or a device may give nothing for ever, or never end.
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
        }
        std::fs::read(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let mut files = Vec::new();
        let mut folders = vec![inside(folder)?];
        while let Some(folder) = folders.pop() {
            let entries = match std::fs::read_dir(self.root.join(&folder)) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            for entry in entries {
                let entry = entry?;
                let path = folder.join(entry.file_name());
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    folders.push(path);
                } else if let Some(path) = path.to_str() {
                    files.push(path.replace('\\', "/"));
                }
            }
        }
        files.sort();
        Ok(files)
    }
}

/// A path that stays below the root.
fn inside(path: &str) -> io::Result<PathBuf> {
    let mut clean = PathBuf::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => {
                return Err(io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("`{path}` leads out of the report's folder"),
                ));
            }
        }
    }
    Ok(clean)
}

impl<W: World + ?Sized> World for &W {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        (**self).read(path)
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        (**self).list(folder)
    }
}

/// A world that remembers what was read from it.
#[derive(Debug)]
pub struct Recorded<W> {
    world: W,
    reads: Mutex<BTreeMap<String, String>>,
}

impl<W: World> Recorded<W> {
    /// Remembers what is read from `world`.
    pub fn new(world: W) -> Self {
        Self { world, reads: Mutex::default() }
    }

    /// Digest of everything that was read, failures included.
    pub fn digest(&self) -> String {
        let reads = self.reads.lock().map(|reads| format!("{reads:?}")).unwrap_or_default();
        blake3::hash(reads.as_bytes()).to_hex().to_string()
    }

    /// Whether everything that was read would be read again as it was.
    pub fn is_same(&self) -> bool {
        let before = self.reads.lock().map(|reads| reads.clone()).unwrap_or_default();
        let now = Recorded { world: &self.world, reads: Mutex::default() };
        for path in before.keys() {
            let _ = match path.strip_suffix('/') {
                Some(folder) => now.list(folder).map(drop),
                None => now.read(path).map(drop),
            };
        }
        now.digest() == self.digest()
    }

    /// What was read: files, and folders with a `/` behind.
    pub fn paths(&self) -> Vec<String> {
        self.reads.lock().map(|reads| reads.keys().cloned().collect()).unwrap_or_default()
    }

    fn note(&self, path: &str, what: String) {
        if let Ok(mut reads) = self.reads.lock() {
            reads.insert(path.to_owned(), what);
        }
    }
}

impl<W: World> World for Recorded<W> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let result = self.world.read(path);
        self.note(
            path,
            match &result {
                Ok(bytes) => blake3::hash(bytes).to_hex().to_string(),
                Err(error) => error.kind().to_string(),
            },
        );
        result
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let result = self.world.list(folder);
        self.note(&format!("{folder}/"), format!("{result:?}"));
        result
    }
}

/// Digest of the names, sizes and times of change of a file or of all files in a folder, wherever
/// that lies.
///
/// # Errors
/// If there is nothing at `path`, or it cannot be read.
pub fn witness(path: &Path) -> io::Result<String> {
    let mut digest = blake3::Hasher::new();
    let root = path;
    let mut paths = vec![root.to_owned()];
    while let Some(path) = paths.pop() {
        let metadata = std::fs::metadata(&path)?;
        if metadata.is_dir() {
            let mut inside: Vec<PathBuf> = std::fs::read_dir(&path)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<Result<_, _>>()?;
            inside.sort();
            paths.append(&mut inside);
        } else {
            let age = metadata.modified()?.duration_since(std::time::UNIX_EPOCH);
            let name = path.strip_prefix(root).unwrap_or(&path);
            digest.update(name.as_os_str().as_encoded_bytes());
            digest.update(&metadata.len().to_le_bytes());
            digest.update(&age.unwrap_or_default().as_nanos().to_le_bytes());
        }
    }
    Ok(digest.finalize().to_hex().to_string())
}

/// A report in memory, for tests.
#[derive(Clone, Debug, Default)]
pub struct MemoryWorld {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryWorld {
    /// Adds or replaces a file.
    #[must_use]
    pub fn with(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }
}

impl World for MemoryWorld {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        self.files.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let prefix = format!("{}/", folder.trim_end_matches('/'));
        Ok(self.files.keys().filter(|path| path.starts_with(&prefix)).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_moves_keeps_its_witness() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let (old, new) = (place.path().join("old"), place.path().join("new"));
        std::fs::create_dir(&old).expect("it can be made");
        std::fs::write(old.join("a.csv"), "1").expect("it can be written");
        let before = witness(&old).expect("it can be read");
        std::fs::rename(&old, &new).expect("it can be moved");
        assert_eq!(witness(&new).expect("it can be read"), before);
        std::fs::write(new.join("a.csv"), "12").expect("it can be written");
        assert_ne!(witness(&new).expect("it can be read"), before);
    }
}
