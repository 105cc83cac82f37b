//! The graph of premises and conclusions, laid out once for pages and paper.
//!
//! In: judged claims. Out: a [`Drawing`] of boxes and curves in points: premises on the left, what
//! follows from them to their right. Left out: signs and colours, which each output has its own of.
//!
//! The layout is that of Sugiyama, Tagawa and Toda (IEEE Trans. SMC 11, 1981) in its plainest form: a
//! claim stands one column behind its last premise, curves pass other columns between their
//! boxes, and each column is ordered by the mean place of its neighbours.

use std::collections::{BTreeMap, BTreeSet};

use super::look::{Index, local_id};
use crate::claims::Judged;
use crate::figure;

/// Width of a box.
pub(super) const WIDTH: f64 = 168.0;
/// Height of a box.
pub(super) const HEIGHT: f64 = 38.0;
/// Size of the words in a box.
pub(super) const TEXT: f64 = 11.5;
/// Size of the verdict in a box.
pub(super) const SMALL: f64 = 10.0;
/// Room between the border of a box and its words.
pub(super) const INSET: f64 = 9.0;

const BETWEEN_COLUMNS: f64 = 56.0;
const BETWEEN_BOXES: f64 = 12.0;
/// Room that a curve takes in a column that it passes.
const PASSAGE: f64 = 10.0;
/// How often columns are ordered anew; more changes nothing in graphs of some dozen claims.
const SWEEPS: usize = 8;

/// The graph, ready to be drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    /// In reading order, premises first.
    pub(super) boxes: Vec<Node>,
    pub(super) curves: Vec<Curve>,
}

/// A claim.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// Index of the claim.
    pub(super) claim: usize,
    /// Left upper corner.
    pub(super) at: Point,
    /// What the claim says, as much as there is room for.
    pub(super) words: String,
}

/// From a premise to what follows from it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Curve {
    /// Bends lie between the first and the second point, the third and the fourth and so on; the rest
    /// is straight.
    pub(super) points: Vec<Point>,
    /// Index of the premise.
    pub(super) from: usize,
}

/// To the right and down.
pub(super) type Point = (f64, f64);

/// A place in a column: a claim, or a curve on its way.
#[derive(Clone, Debug)]
struct Place {
    claim: Option<usize>,
    column: usize,
    /// Places in the columns beside it.
    left: Vec<usize>,
    right: Vec<usize>,
}

impl Drawing {
    /// Lays out the premises of a report; nothing if no claim has any.
    pub(super) fn of(claims: &[Judged], index: &Index<'_>) -> Option<Self> {
        let at: BTreeMap<&str, usize> =
            claims.iter().enumerate().map(|(at, claim)| (claim.id.as_str(), at)).collect();
        let premises: BTreeMap<usize, Vec<usize>> = claims
            .iter()
            .enumerate()
            .filter(|(_, claim)| !claim.because.is_empty())
            .map(|(to, claim)| {
                let known = claim.because.iter().filter_map(|id| at.get(id.as_str()).copied());
                (to, known.collect())
            })
            .collect();
        if premises.values().all(Vec::is_empty) {
            return None;
        }
        let (places, chains) = places(&premises);
        let columns = ordered(&places);
        let tops = tops(&places, &columns);
        let x = |column: usize| column as f64 * (WIDTH + BETWEEN_COLUMNS);
        let height = |place: &Place| if place.claim.is_some() { HEIGHT } else { PASSAGE };
        let middle = |place: usize| tops[place] + height(&places[place]) / 2.0;
        let boxes = columns.iter().flatten().filter_map(|&place| {
            let claim = places[place].claim?;
            let words = words(&claims[claim], index.formulas(claim).is_some());
            Some(Node { claim, at: (x(places[place].column), tops[place]), words })
        });
        let curves = chains.iter().map(|chain| {
            let mut points = Vec::new();
            for (step, &place) in chain.iter().enumerate() {
                let left = x(places[place].column);
                // A curve leaves a box on its right side and comes to one on its left.
                if step > 0 {
                    points.push((left, middle(place)));
                }
                if step + 1 < chain.len() {
                    points.push((left + WIDTH, middle(place)));
                }
            }
            let from = chain.first().and_then(|&first| places[first].claim).unwrap_or_default();
            Curve { points, from }
        });
        let bottom = (0..places.len()).map(|place| tops[place] + height(&places[place]));
        Some(Self {
            width: x(columns.len() - 1) + WIDTH,
            height: bottom.fold(0.0, f64::max),
            boxes: boxes.collect(),
            curves: curves.collect(),
        })
    }
}

/// What a box says of a claim.
fn words(claim: &Judged, is_formula: bool) -> String {
    let text = claim.text.split_whitespace().collect::<Vec<_>>().join(" ");
    // A number alone does not say what it is the number of.
    let text = match text.contains(char::is_alphabetic) {
        _ if is_formula => local_id(claim).to_owned(),
        true => text,
        false => format!("{}: {text}", local_id(claim)),
    };
    // Fonts of pages differ from the one that is measured.
    let fits = |text: &str| figure::text_width(text, TEXT) * 1.08 <= WIDTH - 2.0 * INSET;
    if fits(&text) {
        return text;
    }
    let ends = text.char_indices().map(|(at, _)| at).rev();
    let cut = ends.map(|end| format!("{}…", text[..end].trim_end()));
    cut.into_iter().find(|text| fits(text)).unwrap_or_default()
}

/// The column of each claim: behind its last premise. Claims that rest on themselves stand where they
/// are met first.
fn column(
    claim: usize,
    premises: &BTreeMap<usize, Vec<usize>>,
    known: &mut BTreeMap<usize, usize>,
    open: &mut BTreeSet<usize>,
) -> usize {
    if let Some(&column) = known.get(&claim) {
        return column;
    }
    if !open.insert(claim) {
        return 0;
    }
    let own = premises.get(&claim).map_or(&[][..], Vec::as_slice);
    let column =
        own.iter().map(|&premise| column(premise, premises, known, open) + 1).max().unwrap_or(0);
    open.remove(&claim);
    known.insert(claim, column);
    column
}

/// All places, and for each premise of a claim the places on its way there.
fn places(premises: &BTreeMap<usize, Vec<usize>>) -> (Vec<Place>, Vec<Vec<usize>>) {
    let (mut columns, mut open) = (BTreeMap::new(), BTreeSet::new());
    let claims: BTreeSet<usize> =
        premises.iter().flat_map(|(to, from)| from.iter().chain([to]).copied()).collect();
    for &claim in &claims {
        column(claim, premises, &mut columns, &mut open);
    }
    let new = |claim, column| Place { claim, column, left: Vec::new(), right: Vec::new() };
    let mut places: Vec<Place> =
        claims.iter().map(|&claim| new(Some(claim), columns[&claim])).collect();
    let place: BTreeMap<usize, usize> = claims.iter().copied().zip(0..).collect();
    let mut chains = Vec::new();
    for (to, from) in premises.iter().flat_map(|(&to, all)| all.iter().map(move |&from| (to, from)))
    {
        let mut chain = vec![place[&from]];
        for between in columns[&from] + 1..columns[&to] {
            places.push(new(None, between));
            chain.push(places.len() - 1);
        }
        chain.push(place[&to]);
        for step in chain.windows(2) {
            places[step[0]].right.push(step[1]);
            places[step[1]].left.push(step[0]);
        }
        chains.push(chain);
    }
    (places, chains)
}

/// The places of each column from top to bottom.
fn ordered(places: &[Place]) -> Vec<Vec<usize>> {
    let count = places.iter().map(|place| place.column + 1).max().unwrap_or(0);
    let mut columns: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (at, place) in places.iter().enumerate() {
        columns[place.column].push(at);
    }
    for sweep in 0..SWEEPS {
        let forth = sweep % 2 == 0;
        let mut rank = vec![0.0; places.len()];
        for column in &columns {
            for (at, &place) in column.iter().enumerate() {
                rank[place] = (at as f64 + 0.5) / column.len() as f64;
            }
        }
        for column in 0..count {
            let column = if forth { column } else { count - 1 - column };
            let wish = |place: usize| {
                let beside = if forth { &places[place].left } else { &places[place].right };
                let sum: f64 = beside.iter().map(|&other| rank[other]).sum();
                if beside.is_empty() { rank[place] } else { sum / beside.len() as f64 }
            };
            let mut wishes: Vec<(f64, usize)> =
                columns[column].iter().map(|&place| (wish(place), place)).collect();
            wishes.sort_by(|a, b| a.0.total_cmp(&b.0));
            let count = wishes.len() as f64;
            columns[column] = wishes.into_iter().map(|(_, place)| place).collect();
            for (at, &place) in columns[column].iter().enumerate() {
                rank[place] = (at as f64 + 0.5) / count;
            }
        }
    }
    columns
}

/// Upper edges: every column in the middle of the tallest.
fn tops(places: &[Place], columns: &[Vec<usize>]) -> Vec<f64> {
    let height = |place: usize| if places[place].claim.is_some() { HEIGHT } else { PASSAGE };
    let tall = |column: &Vec<usize>| {
        let boxes: f64 = column.iter().map(|&place| height(place)).sum();
        boxes + BETWEEN_BOXES * (column.len() - 1) as f64
    };
    let tallest = columns.iter().map(tall).fold(0.0, f64::max);
    let mut tops = vec![0.0; places.len()];
    for column in columns {
        let mut top = (tallest - tall(column)) / 2.0;
        for &place in column {
            tops[place] = top;
            top += height(place) + BETWEEN_BOXES;
        }
    }
    tops
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each column the claims in it, from top to bottom.
    fn columns(premises: &[(usize, &[usize])]) -> Vec<Vec<usize>> {
        let premises = premises.iter().map(|(to, from)| (*to, from.to_vec())).collect();
        let (places, _) = places(&premises);
        let columns = ordered(&places);
        let claims =
            |column: &Vec<usize>| column.iter().filter_map(|&at| places[at].claim).collect();
        columns.iter().map(claims).collect()
    }

    #[test]
    fn what_follows_stands_behind_its_last_premise() {
        assert_eq!(columns(&[(1, &[0]), (2, &[1, 0])]), [[0], [1], [2]]);
        assert_eq!(columns(&[(0, &[3]), (1, &[0])]), [[3], [0], [1]]);
    }

    #[test]
    fn curves_do_not_cross_if_they_need_not() {
        assert_eq!(columns(&[(2, &[1]), (3, &[0])]), [vec![0, 1], vec![3, 2]]);
        assert_eq!(columns(&[(4, &[0, 1]), (3, &[2])]), [vec![0, 1, 2], vec![4, 3]]);
    }

    #[test]
    fn a_circle_is_drawn_and_not_followed_for_ever() {
        let all: usize = columns(&[(0, &[1]), (1, &[0]), (2, &[1])]).iter().map(Vec::len).sum();
        assert_eq!(all, 3);
    }

    #[test]
    fn boxes_of_a_column_do_not_overlap() {
        let premises: BTreeMap<usize, Vec<usize>> =
            [(5, vec![0, 1, 2]), (6, vec![5, 0]), (7, vec![6, 1, 3])].into();
        let (places, chains) = places(&premises);
        let columns = ordered(&places);
        let tops = tops(&places, &columns);
        for column in &columns {
            for pair in column.windows(2) {
                assert!(tops[pair[0]] + PASSAGE < tops[pair[1]], "{column:?} {tops:?}");
                if places[pair[0]].claim.is_some() {
                    assert!(tops[pair[0]] + HEIGHT < tops[pair[1]]);
                }
            }
        }
        // A curve passes each column between its ends once.
        for chain in chains {
            let passed: Vec<usize> = chain.iter().map(|&place| places[place].column).collect();
            assert!(passed.windows(2).all(|step| step[1] == step[0] + 1), "{passed:?}");
        }
    }
}
