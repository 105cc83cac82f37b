//! `data/manifest.yaml`: which data sets there are, and where each comes from.
//!
//! In: YAML text. Out: a [`Manifest`] and diagnostics. Left out: what of it is at hand, and how it
//! is fetched, which is [`crate::data`]'s.

use std::collections::BTreeMap;
use std::fmt;

use super::fields::{Field, Fields, Reader};
use super::yaml::{Node, Value};
use crate::diag::Diagnostic;
use crate::parse::Code;
use crate::span::Source;

const SET_KEYS: [&str; 5] = ["title", "folder", "files", "licence", "citation"];

const FILE_KEYS: [&str; 6] = ["address", "name", "size", "checksum", "unpack", "unpacked-size"];

/// All data sets that a report knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Data sets by name.
    pub datasets: BTreeMap<String, Entry>,
}

impl Manifest {
    /// Name of the folder of a data set, be it known or not.
    pub fn folder_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.datasets.get(name).map_or(name, |entry| &entry.folder)
    }
}

/// A data set as it was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub title: String,
    /// Name of its folder; its own name by default.
    pub folder: String,
    /// Files of which it consists, at least one; an archive is the only one.
    pub files: Vec<RemoteFile>,
    /// Licence under which it may be used.
    pub licence: String,
    /// Publication to cite.
    pub citation: String,
}

/// A published file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteFile {
    /// Where it is fetched from.
    pub address: String,
    /// Name of the file here.
    pub name: String,
    /// Bytes.
    pub size: Option<u64>,
    /// Without one, nobody can tell the whole file from a part of it.
    pub checksum: Option<Checksum>,
    /// What is done with it before it can be used.
    pub unpack: Option<Unpack>,
}

/// How an archive becomes the folder of its data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpack {
    /// Its format.
    pub archive: Archive,
    /// Bytes of all files in it, to see whether there is room for them.
    pub size: Option<u64>,
}

/// Formats of archives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archive {
    /// `tar.bz2`
    TarBz2,
}

/// Checksum of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How it is computed.
    pub algorithm: Algorithm,
    /// The sum, in lower-case hexadecimal.
    pub hex: String,
}

/// Ways to compute a checksum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// MD5: proves that a file is whole, not that nobody has forged it.
    Md5,
    /// SHA-256.
    Sha256,
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithm = match self.algorithm {
            Algorithm::Md5 => "md5",
            Algorithm::Sha256 => "sha256",
        };
        write!(f, "{algorithm}:{}", self.hex)
    }
}

impl Checksum {
    /// Reads `md5:…` or `sha256:…`.
    fn parse(text: &str) -> Option<Self> {
        let (algorithm, hex) = text.split_once(':')?;
        let (algorithm, digits) = match algorithm {
            "md5" => (Algorithm::Md5, 32),
            "sha256" => (Algorithm::Sha256, 64),
            _ => return None,
        };
        let hex = hex.to_ascii_lowercase();
        let is_hex = hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then_some(Self { algorithm, hex })
    }
}

impl Entry {
    /// The archive that becomes the set's folder, if it is one.
    pub fn archive(&self) -> Option<(&RemoteFile, &Unpack)> {
        self.files.iter().find_map(|file| Some((file, file.unpack.as_ref()?)))
    }
}

/// Reads a manifest. An entry with an error is left out.
pub fn manifest(source: &Source) -> (Manifest, Vec<Diagnostic>) {
    let code = Code::verbatim(source.text(), 0..source.text().len());
    let mut reader = Reader::new(source, &code);
    let manifest = reader.root().map(|root| reader.manifest(&root)).unwrap_or_default();
    (manifest, reader.diagnostics)
}

impl Reader<'_> {
    fn manifest(&mut self, root: &Node) -> Manifest {
        let fields = self.fields(root, "the manifest", &["datasets"]);
        let entries = fields
            .get("datasets")
            .and_then(|field| self.entries(field.value, "datasets"))
            .unwrap_or_default();
        let datasets = entries
            .into_iter()
            .filter_map(|field| {
                let name = self.file_name(field.key, "a data set")?;
                Some((name, self.dataset_entry(field)?))
            })
            .collect();
        Manifest { datasets }
    }

    fn dataset_entry(&mut self, set: Field<'_>) -> Option<Entry> {
        let fields = self.fields(set.value, "a data set", &SET_KEYS);
        let title = self.required(set, &fields, "title");
        let licence = self.required(set, &fields, "licence");
        let citation = self.required(set, &fields, "citation");
        let folder = match fields.get("folder") {
            Some(field) => self.file_name(field.value, "folder"),
            None => Some(set.name.to_owned()),
        };
        let Some(field) = fields.get("files") else {
            self.lacks(set.key, &format!("the data set `{}`", set.name), "files");
            return None;
        };
        let Value::List(items) = &field.value.value else {
            self.wrong_type(field.value, "files", "a list");
            return None;
        };
        let files: Vec<RemoteFile> =
            items.iter().map(|item| self.remote_file(item)).collect::<Option<_>>()?;
        if files.is_empty() || files.len() > 1 && files.iter().any(|file| file.unpack.is_some()) {
            let found = Diagnostic::error(
                "invalid-value",
                "a data set is one archive, or one file or more that are not unpacked",
                self.yaml.span(field.key),
            );
            self.diagnostics.push(found.hint("make a data set of its own of each archive"));
            return None;
        }
        Some(Entry {
            title: title?,
            folder: folder?,
            files,
            licence: licence?,
            citation: citation?,
        })
    }

    fn remote_file(&mut self, node: &Node) -> Option<RemoteFile> {
        let fields = self.fields(node, "a file", &FILE_KEYS);
        let Some(address) = fields.get("address") else {
            self.lacks(node, "a file", "address");
            return None;
        };
        let (address, place) = self.located(address.value, "address")?;
        if !["https://", "http://"].iter().any(|scheme| address.starts_with(scheme)) {
            let found = Diagnostic::error(
                "invalid-value",
                "an address begins with `https://` or `http://`",
                place,
            );
            self.diagnostics.push(found.hint("write the whole address, with how it is fetched"));
            return None;
        }
        let name = match fields.get("name") {
            Some(field) => self.file_name(field.value, "name")?,
            None => {
                let path = address.split(['?', '#']).next().unwrap_or_default();
                let last = path.rsplit('/').next().unwrap_or_default();
                if !is_file_name(last) {
                    self.lacks(node, "a file whose address has none", "name");
                    return None;
                }
                last.to_owned()
            }
        };
        let checksum = match fields.get("checksum") {
            Some(field) => Some(self.checksum(field.value)?),
            None => None,
        };
        let mut bytes = |key| fields.get(key).map(|field| self.unsigned(field.value, key));
        let (size, unpacked) = (bytes("size"), bytes("unpacked-size"));
        let unpack = match fields.get("unpack") {
            Some(field) => {
                let archive = self.archive(field.value)?;
                Some(Unpack { archive, size: unpacked.flatten() })
            }
            None => None,
        };
        Some(RemoteFile { address, name, size: size.flatten(), checksum, unpack })
    }

    fn checksum(&mut self, node: &Node) -> Option<Checksum> {
        let (text, place) = self.located(node, "checksum")?;
        let checksum = Checksum::parse(&text);
        if checksum.is_none() {
            let found =
                Diagnostic::error("invalid-value", format!("`{text}` is no checksum"), place);
            self.diagnostics
                .push(found.hint("write `md5:` and 32, or `sha256:` and 64, hexadecimal digits"));
        }
        checksum
    }

    fn archive(&mut self, node: &Node) -> Option<Archive> {
        let (text, place) = self.located(node, "unpack")?;
        if text == "tar.bz2" {
            return Some(Archive::TarBz2);
        }
        let message = format!("`{text}` is no archive that can be unpacked");
        let found = Diagnostic::error("invalid-value", message, place);
        self.diagnostics.push(found.hint("the format that is known is `tar.bz2`"));
        None
    }

    fn required(&mut self, set: Field<'_>, fields: &Fields<'_>, key: &str) -> Option<String> {
        match fields.get(key) {
            Some(field) => self.text(field.value, key),
            None => {
                self.lacks(set.key, &format!("the data set `{}`", set.name), key);
                None
            }
        }
    }

    fn lacks(&mut self, node: &Node, what: &str, key: &str) {
        let message = format!("{what} has no `{key}`");
        let found = Diagnostic::error("missing-key", message, self.yaml.span(node));
        self.diagnostics.push(found.hint(format!("add `{key}: …`")));
    }

    /// A name of a file, a folder or a data set.
    pub(super) fn file_name(&mut self, node: &Node, what: &str) -> Option<String> {
        let (name, span) = self.located(node, what)?;
        if is_file_name(&name) {
            return Some(name);
        }
        let found =
            Diagnostic::error("invalid-value", format!("{what} cannot be called `{name}`"), span);
        let hint = "a name is of letters, digits, `-`, `_` and `.`, a letter or digit first";
        self.diagnostics.push(found.hint(hint));
        None
    }
}

/// Whether a word names something inside a folder, on every system.
fn is_file_name(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_alphanumeric())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Manifest, Vec<String>) {
        let (manifest, found) = manifest(&Source::new("data/manifest.yaml", text));
        let shown = |problem: &Diagnostic| {
            let place = problem.span.as_ref().map(ToString::to_string).unwrap_or_default();
            let hint = problem.hint.as_deref().unwrap_or_default();
            format!("{place} {} {hint}", problem.message).trim_end().to_owned()
        };
        (manifest, found.iter().map(shown).collect())
    }

    #[test]
    fn this_report_has_a_sound_manifest() {
        let (manifest, found) = read(include_str!("../../data/manifest.yaml"));
        assert!(found.is_empty(), "{found:?}");
        let octmnist = &manifest.datasets["octmnist"];
        assert_eq!(octmnist.files[0].name, "octmnist.npz");
        assert_eq!(octmnist.licence, "CC BY 4.0");
        let (archive, unpack) = manifest.datasets["ljspeech"].archive().expect("an archive");
        assert_eq!(archive.name, "LJSpeech-1.1.tar.bz2");
        assert_eq!(unpack.archive, Archive::TarBz2);
    }

    #[test]
    fn what_is_wrong_is_told_where_it_stands() {
        let (manifest, found) = read(
            "datasets:\n\
             \x20 a:\n\
             \x20   title: A\n\
             \x20   license: free\n\
             \x20   citation: none\n\
             \x20   files: [{address: 'https://x.org/a.bin', checksum: 'md5:12'}]\n\
             \x20 ../b:\n\
             \x20   title: B\n\
             \x20 c:\n\
             \x20   title: C\n\
             \x20   licence: free\n\
             \x20   citation: none\n\
             \x20   files: [{address: 'ftp://x.org/c'}]\n\
             \x20 d:\n\
             \x20   title: D\n\
             \x20   licence: free\n\
             \x20   citation: none\n\
             \x20   files: [{address: 'http://x.org/d', unpack: zip}]\n",
        );
        assert_eq!(manifest, Manifest::default());
        let expected = [
            "4:5 a data set has no key `license` did you mean `licence`?",
            "2:3 the data set `a` has no `licence`",
            "6:57 `md5:12` is no checksum",
            "7:3 a data set cannot be called `../b`",
            "13:24 an address begins with",
            "18:49 `zip` is no archive that can be unpacked",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            let found = found.strip_prefix("data/manifest.yaml:").unwrap_or(found);
            assert!(found.starts_with(expected), "{found} / {expected}");
        }
    }
}
