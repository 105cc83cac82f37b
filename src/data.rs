//! Data sets: what of them is at hand, and how the rest is fetched.
//!
//! In: the manifest and the folder of data. Out: for each set that is there, its folder, a digest of
//! its content, and whether it is the whole published set. Left out: reading the data, which cells
//! do.
//!
//! A set is *real* if its folder holds the published files and nothing else: each file has the
//! checksum of the manifest, or the content is what unpacking the published archive left, which
//! [`unpack`] notes in a receipt. Everything else that is there is a *subset*.

mod digest;
pub mod fetch;
pub mod unpack;

pub use digest::Digests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use veracity_protocol::DataKind;

use crate::config::{Entry, Manifest};
use crate::diag::Diagnostic;
use crate::parse::Chapter;

/// Ending of a file that is being downloaded.
pub const PARTIAL: &str = "part";

/// Deepest folder of a data set in which files are looked for.
const DEEPEST: usize = 16;

/// What to do about a folder of data that cannot be read.
pub(crate) const UNREADABLE: &str =
    "is it yours to read? `veracity data fetch` makes a damaged one anew";

/// A data set at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is the whole published set or a part of it.
    pub kind: DataKind,
    /// Digest of its content, hexadecimal.
    pub digest: String,
}

/// A data set at hand, with what led to its kind.
#[derive(Clone, Debug)]
pub struct Found {
    /// The data set.
    pub set: DataSet,
    /// How many files it has.
    pub files: usize,
    /// Bytes of all files.
    pub bytes: u64,
    /// Why it is not the whole published set; empty if it is.
    pub because: String,
}

/// A kind in one word, for people and for `claims.json`.
pub fn kind_word(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Real => "real",
        DataKind::Subset => "subset",
        DataKind::Synthetic => "synthetic",
    }
}

/// A digest as people are shown it: of a hash the first digits, a description of generated data whole.
pub fn shown(digest: &str) -> &str {
    const DIGITS: usize = 12;
    match digest.get(..DIGITS) {
        Some(first) if digest.bytes().all(|byte| byte.is_ascii_hexdigit()) => first,
        _ => digest,
    }
}

/// The kind behind a word of [`kind_word`].
pub fn kind_of(word: &str) -> Option<DataKind> {
    [DataKind::Real, DataKind::Subset, DataKind::Synthetic]
        .into_iter()
        .find(|kind| kind_word(*kind) == word)
}

/// The data sets at hand below `folder` that chapters declare, and what is wrong with the others.
///
/// `digests` holds those that were computed before.
pub fn at_hand(
    folder: &Path,
    manifest: &Manifest,
    chapters: &[Chapter],
    mut digests: Digests,
) -> (BTreeMap<String, DataSet>, Vec<Diagnostic>) {
    let mut sets = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for cell in chapters.iter().flat_map(|chapter| &chapter.cells) {
        for name in cell.options.datasets() {
            if sets.contains_key(name) {
                continue;
            }
            match find(folder, name, manifest.datasets.get(name), &mut digests) {
                Ok(Some(found)) => {
                    sets.insert(name.to_owned(), found.set);
                }
                Ok(None) if manifest.datasets.is_empty() => {}
                Ok(None) if manifest.datasets.contains_key(name) => {}
                Ok(None) => diagnostics.push(
                    Diagnostic::error(
                        "unknown-dataset",
                        format!("the manifest has no data set `{name}`"),
                        cell.span.clone(),
                    )
                    .did_you_mean(name, manifest.datasets.keys().map(String::as_str)),
                ),
                Err(error) => diagnostics.push(
                    Diagnostic::error(
                        "unreadable-data",
                        format!("the data set `{name}` cannot be read: {error}"),
                        cell.span.clone(),
                    )
                    .hint(UNREADABLE),
                ),
            }
        }
    }
    digests.save();
    (sets, diagnostics)
}

/// Looks for one data set; none if its folder has no file that can be used.
///
/// # Errors
/// If it is there and cannot be read.
pub fn find(
    folder: &Path,
    name: &str,
    entry: Option<&Entry>,
    digests: &mut Digests,
) -> io::Result<Option<Found>> {
    let folder = folder.join(entry.map_or(name, |entry| &entry.folder));
    let paths = usable_files(&folder)?;
    if paths.is_empty() {
        return Ok(None);
    }
    let mut content = blake3::Hasher::new();
    let mut bytes = 0;
    let mut whole: Vec<&str> = Vec::new();
    for path in &paths {
        let relative = path.strip_prefix(&folder).unwrap_or(path);
        let published = entry
            .into_iter()
            .flat_map(|entry| &entry.files)
            .filter(|file| file.unpack.is_none())
            .find(|file| relative == Path::new(&file.name));
        let wanted = published.and_then(|file| file.checksum.as_ref());
        let digest = digests.of(path, wanted.map(|sum| sum.algorithm))?;
        if let Some((file, wanted)) = published.zip(wanted)
            && digest.checksum.as_ref() == Some(&wanted.hex)
        {
            whole.push(&file.name);
        }
        bytes += digest.size;
        let relative = relative.to_string_lossy().replace('\\', "/");
        content.update(&(relative.len() as u64).to_le_bytes()).update(relative.as_bytes());
        content.update(digest.content.as_bytes());
    }
    let digest = content.finalize().to_hex().to_string();
    let because = match entry {
        None => "the manifest does not name it".to_owned(),
        Some(entry) => not_whole(entry, &folder, &paths, &whole, &digest),
    };
    let kind = if because.is_empty() { DataKind::Real } else { DataKind::Subset };
    let set = DataSet { folder, kind, digest };
    Ok(Some(Found { set, files: paths.len(), bytes, because }))
}

/// Why a folder is not the whole published set; empty if it is.
fn not_whole(
    entry: &Entry,
    folder: &Path,
    paths: &[PathBuf],
    whole: &[&str],
    digest: &str,
) -> String {
    if let Some((archive, _)) = entry.archive() {
        let Some(checksum) = &archive.checksum else {
            return format!("the manifest has no checksum of {}", archive.name);
        };
        return match unpack::Receipt::read(folder) {
            None => format!("it was not unpacked from {} by `veracity data fetch`", archive.name),
            Some(receipt) if receipt.checksum != checksum.to_string() => {
                format!("it was unpacked from another {}", archive.name)
            }
            Some(receipt) if receipt.content != digest => {
                "it has been changed since it was unpacked".to_owned()
            }
            Some(_) => String::new(),
        };
    }
    for file in &entry.files {
        let path = folder.join(&file.name);
        if !paths.contains(&path) {
            return format!("{} is not there", file.name);
        }
        if file.checksum.is_none() {
            return format!("the manifest has no checksum of {}", file.name);
        }
        if !whole.contains(&file.name.as_str()) {
            return format!("{} has another checksum than the published file", file.name);
        }
    }
    match paths.len() - whole.len() {
        0 => String::new(),
        1 => "there is another file beside it".to_owned(),
        more => format!("there are {more} other files beside it"),
    }
}

/// The files below a folder that a cell could read, in order; none if there is no folder.
pub(crate) fn usable_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if depth == 0 && error.kind() == io::ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let path = entry.path();
            if name.starts_with('.') || path.extension().is_some_and(|ending| ending == PARTIAL) {
                continue;
            }
            let metadata = fs::metadata(&path)?;
            if metadata.is_dir() && depth < DEEPEST {
                folders.push((path, depth + 1));
            } else if metadata.is_file() {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Moves something out of the way under a free name, which it gives.
fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = (1..)
        // A hidden name is not taken for data.
        .map(|number| path.with_file_name(format!(".{name}.set-aside-{number}")))
        .find(|aside| fs::symlink_metadata(aside).is_err())
        .expect("there are more numbers than files");
    fs::rename(path, &aside)?;
    Ok(aside)
}

/// A number of bytes for people, such as `54.9 MB`.
pub fn bytes(count: u64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB"];
    let mut shown = count as f64;
    let mut unit = 0;
    while shown >= 999.5 && unit + 1 < units.len() {
        shown /= 1000.0;
        unit += 1;
    }
    let decimals = usize::from(unit > 0 && shown < 99.95);
    format!("{shown:.decimals$} {}", units[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::span::Source;

    /// A manifest of one file, with the MD5 of `whole`, and of one archive.
    fn manifest() -> Manifest {
        let text = "datasets:\n\
             \x20 set: {title: S, licence: free, citation: none, files: [{address: \
             'https://example.org/a.bin', checksum: 'md5:356c9ee60e9da05301adc3bd96f6b383'}]}\n";
        let (manifest, found) = config::manifest(&Source::new("manifest.yaml", text));
        assert!(found.is_empty(), "{found:?}");
        manifest
    }

    fn look(folder: &Path, cache: &Path) -> Option<Found> {
        let manifest = manifest();
        let mut digests = Digests::open(cache);
        let found = find(folder, "set", manifest.datasets.get("set"), &mut digests);
        digests.save();
        found.expect("it can be read")
    }

    #[test]
    fn only_hashes_are_shortened() {
        let hash = blake3::hash(b"x").to_hex().to_string();
        assert_eq!(shown(&hash), &hash[..12]);
        for whole in ["retina 1 from seed 42, Sizes { train: 3200 }", "", "12ab", "é, seed 1, more"]
        {
            assert_eq!(shown(whole), whole);
        }
    }

    #[test]
    fn only_the_published_files_alone_are_the_real_data() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let cache = place.path().join("cache.json");
        let set = place.path().join("set");
        assert!(look(place.path(), &cache).is_none());
        fs::create_dir(&set).expect("it can be made");
        fs::write(set.join("a.bin.part"), "who").expect("it can be written");
        fs::write(set.join(".hidden"), "x").expect("it can be written");
        assert!(look(place.path(), &cache).is_none());

        fs::write(set.join("a.bin"), "whole").expect("it can be written");
        let real = look(place.path(), &cache).expect("it is there");
        assert_eq!((real.set.kind, real.because.as_str()), (DataKind::Real, ""));
        assert_eq!((real.files, real.bytes), (1, 5));

        fs::write(set.join("b.bin"), "more").expect("it can be written");
        let more = look(place.path(), &cache).expect("it is there");
        assert_eq!(more.set.kind, DataKind::Subset);
        assert_ne!(more.set.digest, real.set.digest);

        fs::remove_file(set.join("b.bin")).expect("it can be removed");
        fs::write(set.join("a.bin"), "wrong").expect("it can be written");
        let wrong = look(place.path(), &cache).expect("it is there");
        assert_eq!(wrong.set.kind, DataKind::Subset);
        assert!(wrong.because.contains("another checksum"), "{}", wrong.because);
        assert_ne!(wrong.set.digest, real.set.digest);
    }

    #[test]
    fn the_digest_is_of_the_content_and_not_of_the_place() {
        let place = tempfile::tempdir().expect("a temporary folder");
        let cache = place.path().join("cache.json");
        let digest = |folder: &str, file: &str| {
            let set = place.path().join(folder).join("set");
            fs::create_dir_all(&set).expect("it can be made");
            fs::write(set.join(file), "1").expect("it can be written");
            look(&place.path().join(folder), &cache).expect("it is there").set.digest
        };
        assert_eq!(digest("here", "x.csv"), digest("there", "x.csv"));
        assert_ne!(digest("here", "x.csv"), digest("elsewhere", "y.csv"));
    }

    #[test]
    fn bytes_are_shown_as_people_count_them() {
        for (count, shown) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (54_938_180, "54.9 MB"),
            (2_748_572_632, "2.7 GB"),
            (123_456_789, "123 MB"),
        ] {
            assert_eq!(bytes(count), shown);
        }
    }
}
