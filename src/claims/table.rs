//! What a table of the author's says of its own cells: bold is best, a line is the total, each makes
//! the claim that belongs there.
//!
//! In: the cells of a table as they are printed, and an attribute such as `best="max"`. Out: a
//! verdict. Left out: whether the printed numbers are right, for which each has its own claim.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Signed;

use super::number::{self, Printed};
use super::{Stated, Verdict};
use crate::diag::closest;
use crate::parse::{Aggregate, AggregateKind, Inline};
use crate::words::Words;

/// One cell as it is printed.
struct Cell {
    /// Its number, if it has one, or why that cannot be read.
    printed: Result<Option<Printed>, String>,
    is_bold: bool,
}

impl Cell {
    fn of(content: &[Inline], language: Option<Words>) -> Self {
        let stated = Stated::of(content);
        let printed = match stated.has_value {
            true => Err("it prints a computed value, which is not compared".to_owned()),
            false => number::find(&stated.text, language),
        };
        let is_bold = Inline::all(content).iter().any(|it| matches!(it, Inline::Strong(_)));
        Self { printed, is_bold }
    }

    fn number(&self) -> Option<&Printed> {
        self.printed.as_ref().ok()?.as_ref()
    }

    fn is_text(&self) -> bool {
        matches!(self.printed, Ok(None))
    }
}

/// That a cell that would have to be compared cannot be read, if one cannot.
fn unreadable<'a>(name: &str, cells: impl IntoIterator<Item = &'a Cell>) -> Option<Verdict> {
    let message = cells.into_iter().find_map(|cell| cell.printed.as_ref().err())?;
    Some(Verdict::Error(format!("in {name}, a cell cannot be compared: {message}")))
}

/// Judges what an attribute says of a table in the chapter of a slug and in a language; gives it in words, too.
pub(crate) fn aggregate(
    aggregate: &Aggregate,
    chapter: &str,
    header: &[Vec<Inline>],
    rows: &[Vec<Vec<Inline>>],
    language: Option<Words>,
) -> (String, Verdict) {
    let names: Vec<String> =
        header.iter().map(|cell| Stated::of(cell).text.trim().to_owned()).collect();
    let printed = || -> Vec<Vec<Cell>> {
        rows.iter().map(|row| row.iter().map(|cell| Cell::of(cell, language)).collect()).collect()
    };
    match aggregate.kind {
        AggregateKind::Best => ("bold is best".to_owned(), best(&aggregate.of, &names, &printed())),
        AggregateKind::Total => (
            format!("the last {} is the total", aggregate.of),
            total(&aggregate.of, &names, &printed()),
        ),
        AggregateKind::Cells => (
            "each cell makes its own claim".to_owned(),
            places(&aggregate.of, chapter, &names, rows),
        ),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Best {
    Max,
    Min,
}

fn best(spec: &str, names: &[String], rows: &[Vec<Cell>]) -> Verdict {
    let mut wanted: Vec<(usize, Best)> = Vec::new();
    for part in spec.split(';').map(str::trim).filter(|part| !part.is_empty()) {
        let (column, which) = part.rsplit_once(':').unwrap_or(("", part));
        let which = match which.trim() {
            "max" => Best::Max,
            "min" => Best::Min,
            other => {
                return Verdict::Error(format!(
                    "`{other}` is neither `max` nor `min`; write `max` or `COLUMN: max; COLUMN: min`"
                ));
            }
        };
        match column.trim() {
            "" => wanted.extend(numeric(names.len(), rows).into_iter().map(|at| (at, which))),
            column => match names.iter().position(|name| name == column) {
                Some(at) => wanted.push((at, which)),
                None => {
                    let guess = closest(column, names.iter().map(String::as_str));
                    let guess = guess.map(|best| format!("; did you mean `{best}`?"));
                    return Verdict::Error(format!(
                        "the table has no column `{column}`{}",
                        guess.unwrap_or_default()
                    ));
                }
            },
        }
    }
    // With one row the best of it says nothing.
    if wanted.is_empty() || rows.len() < 2 {
        return Verdict::Vacuous("no column has two numbers to compare".into());
    }
    for (column, which) in wanted {
        let cells: Vec<&Cell> = rows.iter().filter_map(|row| row.get(column)).collect();
        let name = format!("`{}`", names[column]);
        if let Some(error) = unreadable(&name, cells.iter().copied()) {
            return error;
        }
        let numbers: Vec<BigRational> =
            cells.iter().filter_map(|cell| Some(cell.number()?.plain())).collect();
        let extreme = match which {
            Best::Max => numbers.iter().max(),
            Best::Min => numbers.iter().min(),
        };
        let Some(extreme) = extreme.filter(|_| numbers.len() > 1) else {
            return Verdict::Vacuous(format!("{name} has no numbers to compare"));
        };
        for cell in cells {
            let is_best = cell.number().is_some_and(|printed| printed.plain() == *extreme);
            let text = cell.number().map_or("a cell without a number", |it| it.text.as_str());
            let wrong = match (is_best, cell.is_bold) {
                (true, false) => "best and not bold",
                (false, true) => "bold and not best",
                _ => continue,
            };
            return Verdict::Refuted(format!("in {name}, {text} is {wrong}"));
        }
    }
    Verdict::Verified
}

fn total<'a>(spec: &str, names: &[String], rows: &'a [Vec<Cell>]) -> Verdict {
    let lines: Vec<(String, Vec<&Cell>)> = match spec {
        "row" => {
            let column = |at: usize| rows.iter().filter_map(|row| row.get(at)).collect();
            let numeric = numeric(names.len(), rows);
            numeric.into_iter().map(|at| (format!("`{}`", names[at]), column(at))).collect()
        }
        "column" => {
            // A first column without numbers names the rows.
            let is_first =
                rows.iter().any(|row| row.first().is_some_and(|it| it.number().is_some()));
            let named = usize::from(!is_first);
            let cells = |(at, row): (usize, &'a Vec<Cell>)| {
                (format!("row {}", at + 1), row.iter().skip(named).collect())
            };
            rows.iter().enumerate().map(cells).collect()
        }
        other => {
            return Verdict::Error(format!(
                "`{other}` is neither `row` nor `column`; the last of them is the total"
            ));
        }
    };
    let error = lines.iter().find_map(|(name, cells)| unreadable(name, cells.iter().copied()));
    if let Some(error) = error {
        return error;
    }
    let mut added: Vec<(String, Vec<&Printed>)> = Vec::with_capacity(lines.len());
    for (name, cells) in lines {
        added.push((name, cells.into_iter().filter_map(Cell::number).collect()));
    }
    if added.is_empty() || added.iter().any(|(_, numbers)| numbers.len() < 2) {
        return Verdict::Vacuous("there is nothing to add up".into());
    }
    for (name, numbers) in added {
        let Some((total, parts)) = numbers.split_last() else { continue };
        let sum: BigRational = parts.iter().map(|part| part.plain()).sum();
        // Each rounded number may be off by half of its last place.
        let slack: BigRational =
            numbers.iter().filter_map(|number| number.in_unit(None).1).sum::<BigRational>()
                / BigRational::from(BigInt::from(2));
        if (&sum - total.plain()).abs() > slack {
            return Verdict::Refuted(format!(
                "{name} adds up to {} and not to {}",
                super::exact::shown(&sum),
                total.text
            ));
        }
    }
    Verdict::Verified
}

/// Whether each cell makes the claim of the name that `spec` gives for its column, in which `*` stands
/// for the text of the row's first cell. A name without a chapter is one of this chapter.
fn places(spec: &str, chapter: &str, names: &[String], rows: &[Vec<Vec<Inline>>]) -> Verdict {
    let whole = |name: &str| match name.contains('/') {
        true => name.to_owned(),
        false => format!("{chapter}/{name}"),
    };
    let lines: Vec<Vec<&str>> =
        spec.split(" / ").map(|line| line.split(';').map(str::trim).collect::<Vec<_>>()).collect();
    if lines.len() != 1 && lines.len() != rows.len() {
        return Verdict::Error(format!(
            "`cells` is for one row or for all {}, with ` / ` between them, and not for {}",
            rows.len(),
            lines.len()
        ));
    }
    if let Some(line) = lines.iter().find(|line| line.len() != names.len()) {
        return Verdict::Error(format!(
            "`cells` names {} columns of {}; write `-` for one that makes no claim",
            line.len(),
            names.len()
        ));
    }
    let mut compared = 0;
    for (at, row) in rows.iter().enumerate() {
        let line = if lines.len() == 1 { &lines[0] } else { &lines[at] };
        let first = row.first().map(|cell| Stated::of(cell).text.trim().to_owned());
        for (column, wanted) in line.iter().enumerate().filter(|(_, wanted)| **wanted != "-") {
            let wanted = wanted.replace('*', first.as_deref().unwrap_or_default());
            let made = row.get(column).map(|cell| claims_in(cell)).unwrap_or_default();
            compared += 1;
            if made.len() != 1 || whole(made[0]) != whole(&wanted) {
                let said = match made.as_slice() {
                    [] => "makes no claim".to_owned(),
                    made => format!("claims `{}`", made.join("` and `")),
                };
                return Verdict::Refuted(format!(
                    "row {}, `{}`: the cell {said} where `{wanted}` belongs",
                    at + 1,
                    names[column]
                ));
            }
        }
    }
    match compared {
        0 => Verdict::Vacuous("no cell has a claim that belongs there".into()),
        _ => Verdict::Verified,
    }
}

/// Names of the claims in a cell, as they are written.
fn claims_in(cell: &[Inline]) -> Vec<&str> {
    let inlines = Inline::all(cell).into_iter();
    inlines
        .filter_map(|inline| match inline {
            Inline::Claim { claim, .. } => Some(claim.name.as_str()),
            _ => None,
        })
        .collect()
}

/// Columns of numbers, in which some may be unreadable: no cell is mere text, and one has a number or is bold.
fn numeric(columns: usize, rows: &[Vec<Cell>]) -> Vec<usize> {
    let is_numeric = |&at: &usize| {
        let mut cells = rows.iter().map(|row| row.get(at));
        let has_number = |cell: &Cell| cell.number().is_some() || cell.is_bold;
        cells.clone().all(|cell| cell.is_some_and(|cell| !cell.is_text()))
            && cells.any(|cell| cell.is_some_and(has_number))
    };
    (0..columns).filter(is_numeric).collect()
}
