//! The only place that writes outputs: all beside, then renamed.
//!
//! In: rendered files. Out: `report/`, `report.pdf` and `claims.json` in the output folder, each
//! whole at every moment. Left out: the caches, which look after themselves.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::kernel::process;
use crate::kernel::workspace::write_if_changed;
use crate::render::OutputFile;

/// Folder of the HTML report, below the output folder.
pub const HTML_FOLDER: &str = "report";

/// The PDF report, below the output folder.
pub const PDF_FILE: &str = "report.pdf";

/// The ledger for machines, below the output folder.
pub const CLAIMS_FILE: &str = "claims.json";

/// File in an output folder that one process at a time keeps locked.
const LOCK_FILE: &str = ".lock";

/// Folder of what runs put out, below the output folder.
const RUNS: &str = "run";

/// With this begins that file, so that a folder which builds made can be told from any other. Behind it
/// stand names of what was there before the first build, one on each line.
const MARK: &str = "Veracity builds into this folder, and `veracity clean` removes what it made.\n";

/// How often a build that waits for another looks whether that has ended.
const RETRY: Duration = Duration::from_millis(50);

/// Names of what builds and other commands make in their folder, which may hold other things.
pub const MADE: [&str; 14] = [
    "bundle",
    "cache",
    "console",
    "cuda",
    crate::pipeline::DEVICES_FOLDER,
    "live",
    crate::mutate::FOLDER,
    "notebooks",
    "run",
    "target",
    "work",
    "report",
    "report.pdf",
    "claims.json",
];

/// An output folder that this process alone writes.
#[derive(Debug)]
pub struct Output {
    folder: PathBuf,
    _lock: File,
}

/// What was rendered last, and from what.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stamp {
    /// Digest of everything that rendering depends on.
    inputs: String,
    /// Digests of the files written, by path below the output folder.
    files: BTreeMap<String, String>,
}

impl Output {
    /// Takes hold of an output folder and mends what a killed build left in it.
    ///
    /// If another build holds it, calls `waiting` and waits.
    ///
    /// # Errors
    /// If the folder cannot be made or written.
    pub fn open(folder: &Path, waiting: impl FnOnce()) -> Result<Self, Diagnostic> {
        Self::try_open(folder, waiting).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => Diagnostic::global(
                "interrupted",
                "the build was interrupted while it waited for another one",
            ),
            _ => unwritable(folder, &error),
        })
    }

    fn try_open(folder: &Path, waiting: impl FnOnce()) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(LOCK_FILE);
        let mut lock = File::options().create(true).truncate(false).write(true).open(&path)?;
        let mut waiting = Some(waiting);
        loop {
            match lock.try_lock() {
                Ok(()) => break,
                // A lock that is waited for in the system cannot be interrupted by a person.
                Err(TryLockError::WouldBlock) if !process::interrupted() => {
                    if let Some(waiting) = waiting.take() {
                        waiting();
                    }
                    thread::sleep(RETRY);
                }
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::Interrupted.into()),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        if Self::foreign(folder).is_none() {
            // What was there before any build is not ours, whatever its name.
            let there = |name: &&str| fs::symlink_metadata(folder.join(name)).is_ok();
            let foreign: Vec<&str> = MADE.into_iter().filter(there).collect();
            let mark = format!("{MARK}{}", foreign.join("\n"));
            // Without it the folder is not cleaned; the build itself needs no mark.
            let _ = lock.set_len(0).and_then(|()| lock.write_all(mark.as_bytes()));
        }
        let output = Self { folder: folder.to_owned(), _lock: lock };
        // Looked at before any work, so that outputs are replaced together or not at all.
        for (name, should_be_folder) in
            [(HTML_FOLDER, true), ("cache", true), (PDF_FILE, false), (CLAIMS_FILE, false)]
        {
            if fs::metadata(folder.join(name)).is_ok_and(|it| it.is_dir() != should_be_folder) {
                let is = if should_be_folder { "no folder" } else { "a folder" };
                return Err(io::Error::other(format!("`{name}` in it is {is}; move it away")));
            }
        }
        let report = output.folder.join(HTML_FOLDER);
        let aside = output.aside();
        if aside.exists() && !report.exists() {
            fs::rename(&aside, &report)?;
        }
        for leftover in [aside, output.staging()] {
            match fs::symlink_metadata(&leftover) {
                Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(leftover)?,
                Ok(_) => fs::remove_file(leftover)?,
                Err(_) => {}
            }
        }
        for name in [PDF_FILE, CLAIMS_FILE] {
            let leftover = output.beside(name);
            if leftover.exists() {
                fs::remove_file(leftover)?;
            }
        }
        if Self::foreign(folder).is_some_and(|foreign| !foreign.iter().any(|name| name == RUNS)) {
            // A program that has just lost its builder may still write there; another build removes it.
            let _ = fs::remove_dir_all(output.folder.join(RUNS));
        }
        Ok(output)
    }

    /// Names of what was in a folder before the first build into it; nothing if there was none.
    pub fn foreign(folder: &Path) -> Option<Vec<String>> {
        let text = fs::read_to_string(folder.join(LOCK_FILE)).ok()?;
        Some(text.strip_prefix(MARK)?.lines().map(str::to_owned).collect())
    }

    /// The output folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether everything was rendered from the same inputs before and is still as it was
    /// written.
    pub fn is_current(&self, inputs: &str) -> bool {
        let Ok(text) = fs::read(self.stamp()) else { return false };
        let Ok(stamp) = serde_json::from_slice::<Stamp>(&text) else { return false };
        stamp.inputs == inputs
            && stamp.files.iter().all(|(path, digest)| {
                fs::read(self.folder.join(path))
                    .is_ok_and(|bytes| blake3::hash(&bytes).to_hex().as_str() == digest)
            })
    }

    /// Replaces the HTML report, the PDF or both, then notes from what they were made.
    ///
    /// # Errors
    /// If anything cannot be written; what was there before is then still there.
    pub fn publish(
        &self,
        html: Option<&[OutputFile]>,
        pdf: Option<&OutputFile>,
        inputs: &str,
    ) -> Result<(), Diagnostic> {
        self.try_publish(html, pdf, inputs).map_err(|error| {
            // What was written in vain would take up a disk that may be full.
            let _ = fs::remove_dir_all(self.staging());
            let _ = fs::remove_file(self.beside(PDF_FILE));
            unwritable(&self.folder, &error)
        })
    }

    fn try_publish(
        &self,
        html: Option<&[OutputFile]>,
        pdf: Option<&OutputFile>,
        inputs: &str,
    ) -> io::Result<()> {
        let mut stamp = Stamp { inputs: inputs.to_owned(), files: BTreeMap::new() };
        let (staging, present) = (self.staging(), self.folder.join(HTML_FOLDER));
        if let Some(files) = html {
            for file in files {
                let path = staging.join(&file.path);
                fs::create_dir_all(path.parent().unwrap_or(&staging))?;
                // What stays as it was is not written again, which spares disks and time.
                if !link_if_same(&present.join(&file.path), &path, &file.bytes) {
                    fs::write(&path, &file.bytes)?;
                }
                let name = format!("{HTML_FOLDER}/{}", file.path);
                stamp.files.insert(name, digest(&file.bytes));
            }
        }
        if let Some(pdf) = pdf {
            fs::write(self.beside(PDF_FILE), &pdf.bytes)?;
            stamp.files.insert(PDF_FILE.to_owned(), digest(&pdf.bytes));
        }
        // From here on the outputs only change their names.
        if html.is_some() {
            self.swap_in(&staging)?;
        }
        if pdf.is_some() {
            fs::rename(self.beside(PDF_FILE), self.folder.join(PDF_FILE))?;
        }
        let stamp = serde_json::to_vec(&stamp)?;
        // Without it the next build renders again; the outputs are whole.
        let _ = write_if_changed(&self.stamp(), &stamp);
        Ok(())
    }

    /// Adds the PDF to the HTML report that was published under `pages`, and notes that both were
    /// made from `inputs`. If another build has put its own report there, nothing happens.
    ///
    /// # Errors
    /// As for [`Output::publish`].
    pub fn add_pdf(&self, pdf: &OutputFile, pages: &str, inputs: &str) -> Result<(), Diagnostic> {
        let stamp = fs::read(self.stamp()).unwrap_or_default();
        let Ok(mut stamp) = serde_json::from_slice::<Stamp>(&stamp) else { return Ok(()) };
        if stamp.inputs != pages {
            return Ok(());
        }
        let write = || {
            fs::write(self.beside(PDF_FILE), &pdf.bytes)?;
            fs::rename(self.beside(PDF_FILE), self.folder.join(PDF_FILE))
        };
        write().map_err(|error| {
            let _ = fs::remove_file(self.beside(PDF_FILE));
            unwritable(&self.folder, &error)
        })?;
        stamp.inputs = inputs.to_owned();
        stamp.files.insert(PDF_FILE.to_owned(), digest(&pdf.bytes));
        if let Ok(stamp) = serde_json::to_vec(&stamp) {
            // Without it the next build renders again; the outputs are whole.
            let _ = write_if_changed(&self.stamp(), &stamp);
        }
        Ok(())
    }

    /// Writes the ledger for machines.
    ///
    /// # Errors
    /// If it cannot be written; what was there before is then still there.
    pub fn write_claims(&self, json: &str) -> Result<(), Diagnostic> {
        let write = || {
            let path = self.folder.join(CLAIMS_FILE);
            if fs::read(&path).is_ok_and(|present| present == json.as_bytes()) {
                return Ok(());
            }
            fs::write(self.beside(CLAIMS_FILE), json)?;
            fs::rename(self.beside(CLAIMS_FILE), path)
        };
        write().map_err(|error| unwritable(&self.folder, &error))
    }

    /// Puts the staged report in the place of the present one.
    fn swap_in(&self, staging: &Path) -> io::Result<()> {
        let report = self.folder.join(HTML_FOLDER);
        if !report.exists() {
            return fs::rename(staging, &report);
        }
        if exchange(staging, &report).is_ok() {
            return fs::remove_dir_all(staging);
        }
        // Without an exchange there is a moment without a report; `open` mends a kill in it.
        let aside = self.aside();
        fs::rename(&report, &aside)?;
        fs::rename(staging, &report)?;
        fs::remove_dir_all(aside)
    }

    /// Where a file is written before it takes its name.
    fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(format!(".{name}.new"))
    }

    fn staging(&self) -> PathBuf {
        self.folder.join(".report.new")
    }

    fn aside(&self) -> PathBuf {
        self.folder.join(".report.old")
    }

    fn stamp(&self) -> PathBuf {
        self.folder.join("cache").join("rendered.json")
    }
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchange(a: &Path, b: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, a, CWD, b, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchange(_a: &Path, _b: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether a file holds these bytes and has become known under another name as well.
fn link_if_same(present: &Path, name: &Path, bytes: &[u8]) -> bool {
    // Through a link a file would be shared with who knows whom.
    fs::symlink_metadata(present).is_ok_and(|it| it.is_file() && it.len() == bytes.len() as u64)
        && fs::read(present).is_ok_and(|present| present == bytes)
        && fs::hard_link(present, name).is_ok()
}

fn digest(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

fn unwritable(folder: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::global("output-folder", format!("cannot write to {}: {error}", folder.display()))
        .note("what was there before is still there")
        .hint("is the disk full, or the folder read-only? `--out DIR` writes elsewhere")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(text: &str) -> Vec<OutputFile> {
        vec![OutputFile { path: "index.html".into(), bytes: text.as_bytes().to_vec().into() }]
    }

    fn shown(folder: &Path) -> String {
        fs::read_to_string(folder.join("report/index.html")).expect("there is a report")
    }

    #[test]
    fn a_report_is_replaced_as_a_whole_and_known_to_be_current() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = Output::open(folder.path(), || ()).expect("it can be written");
        let mut old = page("old");
        old.push(OutputFile { path: "assets/gone.css".into(), bytes: vec![1].into() });
        output.publish(Some(&old), None, "a").expect("it can be written");
        assert!(output.is_current("a"));
        output.publish(Some(&page("new")), None, "b").expect("it can be written");
        assert_eq!(shown(folder.path()), "new");
        assert!(!folder.path().join("report/assets").exists());
        assert!(output.is_current("b") && !output.is_current("a"));
        fs::write(folder.path().join("report/index.html"), "tampered").expect("it can be written");
        assert!(!output.is_current("b"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_written_again_only_if_it_changes() {
        use std::os::unix::fs::MetadataExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = Output::open(folder.path(), || ()).expect("it can be written");
        let file = folder.path().join("report/index.html");
        let publish = |text: &str, inputs: &str| {
            output.publish(Some(&page(text)), None, inputs).expect("it can be written");
            (fs::metadata(&file).expect("it is there").ino(), shown(folder.path()))
        };
        let (first, _) = publish("one", "a");
        assert_eq!(publish("one", "b"), (first, "one".to_owned()));
        fs::write(&file, "0ne").expect("it can be written");
        assert_eq!(publish("one", "c").1, "one");
        assert_eq!(publish("two", "d").1, "two");
        let elsewhere = folder.path().join("elsewhere.html");
        fs::rename(&file, &elsewhere).expect("rename");
        std::os::unix::fs::symlink(&elsewhere, &file).expect("it can be made");
        publish("two", "e");
        assert!(!file.is_symlink());
    }

    #[test]
    fn what_a_killed_build_left_is_mended() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = Output::open(folder.path(), || ()).expect("it can be written");
        output.publish(Some(&page("old")), None, "a").expect("it can be written");
        drop(output);
        fs::rename(folder.path().join("report"), folder.path().join(".report.old"))
            .expect("rename");
        fs::create_dir_all(folder.path().join(".report.new")).expect("mkdir");
        Output::open(folder.path(), || ()).expect("it can be written");
        assert_eq!(shown(folder.path()), "old");
        assert!(!folder.path().join(".report.new").exists());
    }
}
