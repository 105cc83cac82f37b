//! Keys of results: hashes of everything that may change them.
//!
//! In: fields, in an order that the caller fixes. Out: a [`CellKey`]. Left out: which parts of a chapter
//! are in a key, which the plan decides in one place.

use std::collections::BTreeMap;
use std::fmt;

use veracity_protocol as protocol;

use super::names;
use crate::data::DataSet;

/// Cache key of a cell: a BLAKE3 hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CellKey(blake3::Hash);

impl fmt::Display for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_hex())
    }
}

impl fmt::Debug for CellKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CellKey({self})")
    }
}

/// Hashes fields with their lengths, so that no two lists of fields collide.
pub(super) struct KeyHasher(blake3::Hasher);

impl KeyHasher {
    pub(super) fn new(kind: &str) -> Self {
        let mut hasher = Self(blake3::Hasher::new());
        hasher.field(kind);
        hasher.field(&protocol::VERSION.to_string());
        hasher
    }

    pub(super) fn field(&mut self, field: &str) {
        self.0.update(&(field.len() as u64).to_le_bytes());
        self.0.update(field.as_bytes());
    }

    pub(super) fn equations(&mut self, code: &str, known: &BTreeMap<String, protocol::Equation>) {
        // Any literal that is a label may reach `equation!`, through a macro if need be.
        for label in names::facts(code).strings() {
            if let Some(equation) = known.get(label) {
                self.field(label);
                self.field(&format!("{equation:?}"));
            }
        }
    }

    pub(super) fn data(&mut self, found: Option<&DataSet>) {
        self.field(&found.map_or_else(String::new, |data| format!("{:?}", data.kind)));
        self.field(found.map_or("", |data| &data.digest));
    }

    pub(super) fn finish(self) -> CellKey {
        CellKey(self.0.finalize())
    }
}
