//! Data sets: what of them is at hand.
//!
//! In: the folder of data and the names of the sets that cells declare. Out: for each set that is
//! there where it lies, a digest of its content, and whether it is the whole published set. Left
//! out: reading the data, which cells do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use veracity_protocol::DataKind;

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

/// Those of the named data sets that are at hand below `folder`.
pub fn at_hand<'a>(
    folder: &Path,
    names: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<String, DataSet> {
    names
        .into_iter()
        .filter_map(|name| {
            let folder = folder.join(name);
            let digest = crate::world::witness(&folder).ok()?;
            Some((name.to_owned(), DataSet { folder, kind: DataKind::Subset, digest }))
        })
        .collect()
}

/// A kind in one word, for people and for `claims.json`.
pub fn kind_word(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Real => "real",
        DataKind::Subset => "subset",
        DataKind::Synthetic => "synthetic",
    }
}
