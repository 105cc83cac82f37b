//! Numbers out of digits.

use crate::math::tree::{Kind, Node, Row};

/// Joins the digits of a number, which the grammar yields one by one.
pub(super) fn join_numbers(row: Row) -> Row {
    let mut joined: Row = Vec::with_capacity(row.len());
    for mut node in row {
        let digits = match &mut node.kind {
            Kind::Number(digits) => Some(digits),
            Kind::Scripts { base, .. } => match &mut base[..] {
                [Node { kind: Kind::Number(digits), .. }] => Some(digits),
                _ => None,
            },
            _ => None,
        };
        if let Some(digits) = digits {
            let mut start = node.range.start;
            if joined.len() >= 2
                && is_point(&joined[joined.len() - 1])
                && let Kind::Number(whole) = &joined[joined.len() - 2].kind
                && !whole.contains('.')
            {
                digits.insert_str(0, &format!("{whole}."));
                start = joined[joined.len() - 2].range.start;
                joined.truncate(joined.len() - 2);
            } else if let Some(Node { kind: Kind::Number(before), range }) = joined.last() {
                digits.insert_str(0, before);
                start = range.start;
                joined.pop();
            }
            node.range.start = start;
            if let Kind::Scripts { base, .. } = &mut node.kind {
                base[0].range.start = start;
            }
        }
        joined.push(node);
    }
    joined
}

fn is_point(node: &Node) -> bool {
    matches!(&node.kind, Kind::Symbol(symbol) if symbol.char == '.')
}
