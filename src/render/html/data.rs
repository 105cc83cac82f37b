//! A table without a page around it, for notebooks.

use veracity_protocol::{Align, Table};

use super::fragment::Fragment;

/// A table that a cell has put out, as HTML.
pub(crate) fn table(table: &Table) -> String {
    let mut html = Fragment::default();
    html.raw("<table><thead><tr>");
    for column in &table.columns {
        html.raw("<th style=\"text-align: ").raw(align(column.align)).raw("\">");
        html.text(&column.heading);
        if let Some(unit) = &column.unit {
            html.raw(" (").text(unit).raw(")");
        }
        html.raw("</th>");
    }
    html.raw("</tr></thead><tbody>");
    for row in &table.rows {
        html.raw("<tr>");
        for (cell, column) in row.iter().zip(&table.columns) {
            html.raw("<td style=\"text-align: ").raw(align(column.align)).raw("\">");
            html.text(cell).raw("</td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody></table>");
    html.finish(&[])
}

fn align(align: Align) -> &'static str {
    match align {
        Align::Left => "left",
        Align::Center => "center",
        Align::Right => "right",
    }
}
