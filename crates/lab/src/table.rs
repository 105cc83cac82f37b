//! Tables from rows of mixed values or from serialisable records.
//!
//! In: headings and entries. Out: a table of text, aligned and formatted. Left out: layout.

use std::fmt;

use num_bigint::BigInt;
use num_traits::FromPrimitive;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::{Serialize, de};
use veracity_protocol as protocol;

use crate::{Align, Format, IntoNumber, Number, did_you_mean};

/// A table under construction; show it as the cell's trailing expression.
///
/// ```
/// use veracity_lab::{Format, Table};
///
/// let table = Table::new(["L", "operations", "time"])
///     .unit("time", "ms")
///     .format("operations", Format::integer().grouped())
///     .format("time", Format::fixed(2))
///     .row((64, 1_048_576, 0.731))
///     .row((128, 4_194_304, 2.912))
///     .caption("Cost of attention");
/// # drop(table);
/// ```
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Entry>>,
    caption: Option<String>,
    label: Option<String>,
}

#[derive(Clone, Debug)]
struct Column {
    name: String,
    heading: String,
    unit: Option<String>,
    align: Option<Align>,
    format: Format,
}

/// One entry of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// A number, printed in the column's format.
    Number(Number),
    /// Text, printed as it is.
    Text(String),
    /// Nothing, printed as a dash.
    Missing,
}

impl Table {
    /// Starts a table with these headings, by which columns are named later.
    ///
    /// # Panics
    ///
    /// If there is no heading, or two are the same.
    #[track_caller]
    pub fn new<H: Into<String>>(headings: impl IntoIterator<Item = H>) -> Self {
        let mut columns: Vec<Column> = Vec::new();
        for heading in headings {
            let name = heading.into();
            if columns.iter().any(|column| column.name == name) {
                panic!("two columns are named \"{name}\"");
            }
            columns.push(Column {
                heading: name.clone(),
                name,
                unit: None,
                align: None,
                format: Format::default(),
            });
        }
        if columns.is_empty() {
            panic!("a table needs at least one column");
        }
        Self { columns, rows: Vec::new(), caption: None, label: None }
    }

    /// Makes a table of records: fields become columns, in their order.
    ///
    /// A field that serde_json writes as null (`None`, NaN or an infinity) is a missing entry.
    ///
    /// # Panics
    ///
    /// If there are no records, they are no structs, a field is itself compound, or the records
    /// differ in their fields.
    #[track_caller]
    pub fn from_rows<T: Serialize>(records: &[T]) -> Self {
        let mut table: Option<Self> = None;
        for (number, record) in records.iter().enumerate() {
            let fields = serde_json::to_string(record)
                .and_then(|text| serde_json::from_str::<Record>(&text));
            let fields = match fields {
                Ok(Record(fields)) => fields,
                Err(error) => panic!("record {} is no row: {error}", number + 1),
            };
            let (names, row): (Vec<String>, Vec<Entry>) = fields.into_iter().unzip();
            let started = match table {
                None => Self::new(names),
                Some(started) if started.columns.iter().map(|c| &c.name).eq(&names) => started,
                Some(_) => panic!("record {} has other fields than the first", number + 1),
            };
            table = Some(started.row(row));
        }
        match table {
            Some(table) => table,
            None => panic!("without any record the columns are unknown"),
        }
    }

    /// Adds a row: a tuple of mixed values, an array or a vector.
    ///
    /// # Panics
    ///
    /// If it has more or fewer entries than the table has columns.
    #[track_caller]
    pub fn row(mut self, row: impl IntoRow) -> Self {
        let row = row.into_row();
        if row.len() != self.columns.len() {
            panic!(
                "row {} has {} entries but the table has {} columns",
                self.rows.len() + 1,
                row.len(),
                self.columns.len()
            );
        }
        self.rows.push(row);
        self
    }

    /// Adds rows.
    ///
    /// # Panics
    ///
    /// As [`Table::row`].
    #[track_caller]
    pub fn rows<R: IntoRow>(self, rows: impl IntoIterator<Item = R>) -> Self {
        let mut table = self;
        for row in rows {
            table = table.row(row);
        }
        table
    }

    /// Sets how a column prints its numbers.
    #[track_caller]
    pub fn format(self, column: &str, format: Format) -> Self {
        self.change(column, |column| column.format = format)
    }

    /// Sets the unit of a column.
    #[track_caller]
    pub fn unit(self, column: &str, unit: &str) -> Self {
        self.change(column, |column| column.unit = Some(unit.to_owned()))
    }

    /// Sets the alignment of a column; by default numbers go right and text goes left.
    #[track_caller]
    pub fn align(self, column: &str, align: Align) -> Self {
        self.change(column, |column| column.align = Some(align))
    }

    /// Sets what is printed above a column, which keeps its name.
    #[track_caller]
    pub fn heading(self, column: &str, heading: &str) -> Self {
        self.change(column, |column| column.heading = heading.to_owned())
    }

    /// Sets the caption.
    pub fn caption(self, caption: impl Into<String>) -> Self {
        Self { caption: Some(caption.into()), ..self }
    }

    /// Sets the label, such as `tbl-costs`.
    pub fn label(self, label: impl Into<String>) -> Self {
        Self { label: Some(label.into()), ..self }
    }

    #[track_caller]
    fn change(mut self, name: &str, change: impl FnOnce(&mut Column)) -> Self {
        match self.columns.iter_mut().find(|column| column.name == name) {
            Some(column) => change(column),
            None => {
                let names = self.columns.iter().map(|column| column.name.as_str());
                panic!("the table has no column \"{name}\"{}", did_you_mean(name, names));
            }
        }
        self
    }

    pub(crate) fn into_protocol(self) -> protocol::Table {
        let columns = self.columns.iter().enumerate().map(|(at, column)| {
            let is_text = self.rows.iter().any(|row| matches!(row[at], Entry::Text(_)));
            let by_content = if is_text { Align::Left } else { Align::Right };
            protocol::Column {
                heading: column.heading.clone(),
                unit: column.unit.clone(),
                align: column.align.unwrap_or(by_content),
            }
        });
        let print = |(entry, column): (&Entry, &Column)| match entry {
            Entry::Number(number) => column.format.apply(number),
            Entry::Text(text) => text.clone(),
            Entry::Missing => "–".to_owned(),
        };
        protocol::Table {
            columns: columns.collect(),
            rows: self
                .rows
                .iter()
                .map(|row| row.iter().zip(&self.columns).map(print).collect())
                .collect(),
            caption: self.caption,
            label: self.label,
        }
    }
}

/// What can be an entry of a table.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be an entry of a table")]
pub trait IntoEntry {
    /// Converts without rounding.
    fn into_entry(self) -> Entry;
}

impl<T: IntoNumber> IntoEntry for T {
    fn into_entry(self) -> Entry {
        Entry::Number(self.into_number())
    }
}

impl IntoEntry for Entry {
    fn into_entry(self) -> Entry {
        self
    }
}

impl IntoEntry for &str {
    fn into_entry(self) -> Entry {
        Entry::Text(self.to_owned())
    }
}

impl IntoEntry for String {
    fn into_entry(self) -> Entry {
        Entry::Text(self)
    }
}

impl IntoEntry for &String {
    fn into_entry(self) -> Entry {
        Entry::Text(self.clone())
    }
}

impl IntoEntry for bool {
    fn into_entry(self) -> Entry {
        Entry::Text(if self { "yes" } else { "no" }.to_owned())
    }
}

impl<T: IntoEntry> IntoEntry for Option<T> {
    fn into_entry(self) -> Entry {
        self.map_or(Entry::Missing, T::into_entry)
    }
}

/// What can be a row of a table.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a row of a table",
    note = "a row is a tuple of up to ten numbers and texts, an array or a vector"
)]
pub trait IntoRow {
    /// Gives the entries, left to right.
    fn into_row(self) -> Vec<Entry>;
}

impl<T: IntoEntry> IntoRow for Vec<T> {
    fn into_row(self) -> Vec<Entry> {
        self.into_iter().map(T::into_entry).collect()
    }
}

impl<T: IntoEntry, const N: usize> IntoRow for [T; N] {
    fn into_row(self) -> Vec<Entry> {
        self.into_iter().map(T::into_entry).collect()
    }
}

macro_rules! tuples {
    ($(($($part:ident)+))+) => {$(
        impl<$($part: IntoEntry),+> IntoRow for ($($part,)+) {
            fn into_row(self) -> Vec<Entry> {
                #[expect(non_snake_case, reason = "each part is named after its type")]
                let ($($part,)+) = self;
                vec![$($part.into_entry()),+]
            }
        }
    )+};
}

tuples! {
    (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H)
    (A B C D E F G H I) (A B C D E F G H I J)
}

/// Fields of a struct in their order, which a map of serde_json would lose.
struct Record(Vec<(String, Entry)>);

impl<'de> Deserialize<'de> for Record {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Record;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a struct")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Record, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Record(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Single;

        impl Visitor<'_> for Single {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, text, a truth value or nothing")
            }

            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Entry, E> {
                Ok(value.into_entry())
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Entry, E> {
                Ok(value.into_entry())
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Entry, E> {
                Ok(value.into_entry())
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Entry, E> {
                // An integer past 64 bits arrives as a double.
                let wide = value.abs() > 2_f64.powi(63) && value.fract() == 0.0;
                Ok(match BigInt::from_f64(value).filter(|_| wide) {
                    Some(integer) => integer.into_entry(),
                    None => value.into_entry(),
                })
            }

            fn visit_str<E: de::Error>(self, value: &str) -> Result<Entry, E> {
                Ok(value.into_entry())
            }

            fn visit_unit<E: de::Error>(self) -> Result<Entry, E> {
                Ok(Entry::Missing)
            }
        }

        deserializer.deserialize_any(Single)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ratio;

    #[track_caller]
    fn message_of(act: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = std::panic::catch_unwind(act).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn columns_align_by_content_and_print_in_their_format() {
        let table = Table::new(["what", "L", "time", "share"])
            .unit("time", "ms")
            .format("time", Format::fixed(1))
            .row(("exact", 8, 0.25, ratio(1, 3)))
            .row(("linear", 16_u64, None::<f64>, 0.5))
            .align("L", Align::Center)
            .caption("Costs")
            .label("tbl-costs")
            .into_protocol();
        let aligns: Vec<_> = table.columns.iter().map(|column| column.align).collect();
        assert_eq!(aligns, [Align::Left, Align::Center, Align::Right, Align::Right]);
        assert_eq!(table.rows[0], ["exact", "8", "0.2", "0.333333"]);
        assert_eq!(table.rows[1], ["linear", "16", "–", "0.5"]);
        assert_eq!(table.columns[2].unit.as_deref(), Some("ms"));
        assert_eq!(table.label.as_deref(), Some("tbl-costs"));
    }

    #[test]
    fn records_give_their_fields_in_order() {
        #[derive(Serialize)]
        struct Run {
            seed: u64,
            accuracy: f32,
            best: bool,
            name: &'static str,
            loss: f64,
        }
        let run = Run { seed: u64::MAX, accuracy: 0.1, best: true, name: "a", loss: f64::NAN };
        let table = Table::from_rows(&[run]).heading("seed", "Seed").into_protocol();
        let headings: Vec<_> = table.columns.iter().map(|c| c.heading.as_str()).collect();
        assert_eq!(headings, ["Seed", "accuracy", "best", "name", "loss"]);
        assert_eq!(table.rows[0], ["18446744073709551615", "0.1", "yes", "a", "–"]);
    }

    #[test]
    fn misuse_is_named() {
        assert_eq!(
            message_of(|| drop(Table::new(["a", "b"]).row((1, 2)).row([1]))),
            "row 2 has 1 entries but the table has 2 columns"
        );
        assert_eq!(
            message_of(|| drop(Table::new(["time"]).format("tme", Format::fixed(1)))),
            "the table has no column \"tme\"; did you mean \"time\"?"
        );
        assert_eq!(message_of(|| drop(Table::new(["a", "a"]))), "two columns are named \"a\"");
        assert!(message_of(|| drop(Table::from_rows(&[(1, 2)]))).contains("is no row"));
        let compound = std::collections::BTreeMap::from([("a", [1, 2])]);
        assert!(message_of(move || drop(Table::from_rows(&[compound]))).contains("a number, text"));
    }
}
