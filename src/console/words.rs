//! What an input gave, as text for a terminal or a box in a page.
//!
//! In: an [`Answer`]. Out: lines. Left out: pictures of figures, and the problem.

use std::fmt::Write as _;

use veracity_protocol::{Align, Artifact, Check, CheckStatus, Published, Table};

use super::Answer;
use crate::claims::exact;
use crate::data::bytes;
use crate::figure;

/// Everything that an input gave but its problem, with a line feed behind each part.
pub fn words(answer: &Answer) -> String {
    let mut words = String::new();
    for stream in [&answer.stdout, &answer.stderr] {
        words.push_str(stream);
        if !stream.is_empty() && !stream.ends_with('\n') {
            words.push('\n');
        }
    }
    for value in &answer.values {
        let _ = writeln!(words, "{}", published(value));
    }
    for shown in &answer.artifacts {
        let _ = writeln!(words, "{}", artifact(shown).trim_end_matches('\n'));
    }
    words
}

/// A value with its name, at full precision.
pub fn published(value: &Published) -> String {
    let unit = value.unit.as_deref().unwrap_or_default();
    format!("{} = {} {unit}", value.name, exact::full(&value.value)).trim_end().to_owned()
}

/// What a cell shows, without pictures.
pub(crate) fn artifact(artifact: &Artifact) -> String {
    match artifact {
        Artifact::Text { text } => text.clone(),
        Artifact::File { name, data } => {
            format!("file: {name}, {}", bytes((data.len() / 4 * 3) as u64))
        }
        Artifact::Table(of) => table(of),
        Artifact::Figure(of) => format!("figure: {}", figure::describe(of)),
        Artifact::Check(of) => check(of),
    }
}

fn check(check: &Check) -> String {
    let status = match check.status {
        _ if check.cases == 0 => "vacuous",
        CheckStatus::Passed => "passed",
        CheckStatus::Failed => "failed",
    };
    let cases = if check.cases == 1 { "case" } else { "cases" };
    let mut words =
        format!("check {}: {status}, {} {cases}: {}", check.name, check.cases, check.statement);
    if let Some(counterexample) = &check.counterexample {
        let _ = write!(words, "\n  {counterexample}");
    }
    words
}

/// Columns side by side, as wide as their widest cell.
fn table(table: &Table) -> String {
    let headings = table.columns.iter().map(|column| match &column.unit {
        Some(unit) => format!("{} ({unit})", column.heading),
        None => column.heading.clone(),
    });
    let headings: Vec<String> = headings.collect();
    let rows: Vec<&Vec<String>> = std::iter::once(&headings).chain(&table.rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).zip(&table.columns);
        let cells = cells.map(|((cell, &width), column)| match column.align {
            Align::Left => format!("{cell:<width$}"),
            Align::Center => format!("{cell:^width$}"),
            Align::Right => format!("{cell:>width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut lines: Vec<String> = rows.into_iter().map(line).collect();
    let rule: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
    lines.insert(1, rule.join("  "));
    lines.join("\n")
}
