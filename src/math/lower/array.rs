//! Matrices, cases and aligned equations.

use katex::parser::parse_node::{AlignSpec, AnyParseNode, ColSeparationType, ParseNodeArray};

use super::Lowering;
use crate::math::MathError;
use crate::math::tree::{Align, Array, Layout, Row, Style};

impl Lowering<'_> {
    /// Converts an environment with rows and columns.
    pub(super) fn array(&mut self, array: &ParseNodeArray) -> Result<Array, MathError> {
        let layout = match array.col_separation_type {
            Some(ColSeparationType::Align | ColSeparationType::Alignat) => Layout::Aligned,
            Some(ColSeparationType::Gather) => Layout::Gathered,
            Some(ColSeparationType::CD) => return Err(self.unsupported("a CD diagram")),
            Some(ColSeparationType::Small) | None => Layout::Table,
        };
        let style = match (layout, &array.col_separation_type) {
            (Layout::Aligned | Layout::Gathered, _) => Style::Display,
            _ if array.arraystretch < 0.9 || array.col_separation_type.is_some() => Style::Script,
            _ => Style::Text,
        };
        let outer = std::mem::replace(&mut self.style, style);
        let mut rows = Vec::new();
        for cells in &array.body {
            let mut row = Vec::new();
            for cell in cells {
                let cell = match cell {
                    AnyParseNode::Styling(styling) => match &styling.body[..] {
                        [AnyParseNode::OrdGroup(group)] => self.row(&group.body)?,
                        body => self.row(body)?,
                    },
                    other => self.one(other)?,
                };
                row.push(cell);
            }
            rows.push(row);
        }
        self.style = outer;

        let width = rows.iter().map(Vec::len).max().unwrap_or(0);
        for row in &mut rows {
            row.resize_with(width, Row::new);
        }
        let mut columns = Vec::new();
        let mut vertical_rules = Vec::new();
        for column in array.cols.iter().flatten() {
            match column {
                AlignSpec::Align { align, .. } => columns.push(match &**align {
                    "l" => Align::Left,
                    "r" => Align::Right,
                    _ => Align::Center,
                }),
                AlignSpec::Separator { separator } if separator == "|" => {
                    vertical_rules.push(columns.len());
                }
                AlignSpec::Separator { .. } => return Err(self.unsupported("a dashed rule")),
            }
        }
        columns.resize(width, Align::Center);
        vertical_rules.dedup();
        vertical_rules.retain(|column| *column <= width);
        if array.h_lines_before_row.iter().flatten().any(|dashed| *dashed) {
            return Err(self.unsupported("a dashed rule"));
        }
        let horizontal_rules = (0..=rows.len())
            .filter(|row| array.h_lines_before_row.get(*row).is_some_and(|lines| !lines.is_empty()))
            .collect();
        Ok(Array { layout, rows, columns, vertical_rules, horizontal_rules, style })
    }
}
