//! The data sets that a cell declares.
//!
//! In: a name that stands in the cell's option `data` or `needs`. Out: the folder of the data set,
//! if it is at hand, with its digest and kind. Left out: reading it. A cell that could read what
//! it does not declare would keep its result when the data change.

use std::path::PathBuf;

use veracity_protocol::{DataKind, DataUse};

use crate::{context, did_you_mean};

/// A data set at hand, from [`dataset`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataSet {
    /// Name in the manifest.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is the whole published set or a part of it.
    pub kind: DataKind,
    /// Digest of its content, hexadecimal.
    pub digest: String,
}

impl DataSet {
    /// What [`PublishedValue::data`](crate::PublishedValue::data) says of a value that comes of it.
    pub fn data_use(&self) -> DataUse {
        DataUse { name: self.name.clone(), digest: self.digest.clone(), kind: self.kind }
    }
}

/// Gives a data set, if it is at hand.
///
/// # Panics
///
/// If the running cell does not declare it, as in `//| data: octmnist`.
#[track_caller]
pub fn dataset(name: &str) -> Option<DataSet> {
    let found = context::with(|context| {
        let cell = context.cell().ok_or("no cell is running")?;
        let cell = &context.plan.cells[cell];
        if !cell.data.iter().any(|declared| declared == name) {
            let hint = did_you_mean(name, cell.data.iter().map(String::as_str));
            return Err(format!(
                "the cell \"{}\" does not declare the data set \"{name}\": write \
                 `//| data: {name}` at its head{hint}",
                cell.id
            ));
        }
        Ok(context.plan.datasets.get(name).map(|source| DataSet {
            name: name.to_owned(),
            folder: source.folder.clone(),
            kind: source.kind,
            digest: source.digest.clone(),
        }))
    });
    match found {
        Ok(found) => found,
        Err(message) => panic!("{message}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    #[test]
    fn a_declared_data_set_is_given_if_it_is_at_hand() {
        let chapter = Chapter::new();
        let found = dataset("at-hand").expect("it is at hand");
        assert_eq!(found.folder, chapter.folder.path().join("at-hand"));
        let data_use =
            DataUse { name: "at-hand".into(), digest: "d1".into(), kind: DataKind::Subset };
        assert_eq!(found.data_use(), data_use);
        assert_eq!(dataset("absent"), None);
    }

    #[test]
    fn what_a_cell_does_not_declare_it_does_not_get() {
        let _chapter = Chapter::new();
        for (name, hint) in [("undeclared", "`//| data: undeclared`"), ("absen", "\"absent\"?")] {
            let panic = std::panic::catch_unwind(|| dataset(name)).unwrap_err();
            let message = panic.downcast::<String>().expect("a message");
            assert!(message.contains(hint), "{message}");
        }
    }
}
