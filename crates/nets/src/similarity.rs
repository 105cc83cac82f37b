//! How alike two lists of tokens are, from 0 to 1, in three ways.
//!
//! In: lists of tokens, here the characters of transcripts. Out: similarities. The first two count
//! how often each token occurs and do not see the order, the third counts edits. Two empty lists are
//! alike. Left out: what the tokens stand for.
//!
//! The distance of Damerau and Levenshtein has two forms. The *unrestricted* one is the least number
//! of insertions, deletions, replacements and exchanges of neighbours. The *restricted* one, also
//! called optimal string alignment, edits no token twice: from "ca" to "abc" it needs 3 edits, where
//! an exchange and an insertion between the two exchanged are 2. Similarities use the restricted form.

use std::collections::HashMap;

/// A token.
pub type Token = u8;

/// How often each token occurs.
#[derive(Clone, Debug)]
struct Counts([u32; 256]);

impl Counts {
    fn of(tokens: &[Token]) -> Self {
        let mut counts = [0; 256];
        tokens.iter().for_each(|&token| counts[usize::from(token)] += 1);
        Self(counts)
    }

    fn shared(&self, other: &Self) -> u32 {
        self.0.iter().zip(&other.0).map(|(&a, &b)| a.min(b)).sum()
    }
}

/// Returns the number of tokens that the lists share, each as often as in both.
pub fn shared(a: &[Token], b: &[Token]) -> usize {
    Counts::of(a).shared(&Counts::of(b)) as usize
}

/// Returns shared tokens as part of all tokens: Σ min / Σ max of the counts (Jaccard).
pub fn jaccard(a: &[Token], b: &[Token]) -> f64 {
    let shared = shared(a, b);
    let all = a.len() + b.len() - shared;
    if all == 0 { 1.0 } else { shared as f64 / all as f64 }
}

/// Returns shared tokens over the geometric mean of the lengths: Σ min / √(|a|·|b|) (Ochiai).
///
/// This is the coefficient that some libraries call cosine. Of sets it is the cosine between their
/// vectors of zeros and ones; of counts it is not the cosine between the vectors of counts.
pub fn cosine(a: &[Token], b: &[Token]) -> f64 {
    match (a.len(), b.len()) {
        (0, 0) => 1.0,
        (0, _) | (_, 0) => 0.0,
        (m, n) => shared(a, b) as f64 / ((m * n) as f64).sqrt(),
    }
}

/// Returns 1 − distance / longer length, with the restricted distance.
pub fn damerau_levenshtein(a: &[Token], b: &[Token]) -> f64 {
    let longer = a.len().max(b.len());
    if longer == 0 { 1.0 } else { 1.0 - restricted_distance(a, b) as f64 / longer as f64 }
}

/// Returns the least number of edits of which none touches what another one changed.
///
/// Lists of which one has at most 128 tokens take one step per token of the other one: the columns
/// of the table of distances are held as differences in the bits of a number (Hyyrö, 2003, "A
/// bit-vector algorithm for computing Levenshtein and Damerau edit distances", Nordic Journal of
/// Computing 10). Others go through strsim.
pub fn restricted_distance(a: &[Token], b: &[Token]) -> usize {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    match short.len() {
        0 => long.len(),
        1..=128 => by_bits(short, long),
        _ => strsim::osa_distance(&characters(short), &characters(long)),
    }
}

/// Returns the least number of edits when they may follow each other in one place.
pub fn unrestricted_distance(a: &[Token], b: &[Token]) -> usize {
    strsim::generic_damerau_levenshtein(a, b)
}

fn by_bits(short: &[Token], long: &[Token]) -> usize {
    let mut places = [0_u128; 256];
    short.iter().enumerate().for_each(|(at, &token)| places[usize::from(token)] |= 1 << at);
    let last = 1_u128 << (short.len() - 1);
    let mut distance = short.len();
    // Where a column grows by one, falls by one, and where the diagonal stays the same.
    let (mut grows, mut falls, mut stays) = (u128::MAX, 0_u128, 0_u128);
    let mut before = 0_u128;
    for &token in long {
        let equal = places[usize::from(token)];
        let exchanged = ((!stays & equal) << 1) & before;
        stays = ((equal & grows).wrapping_add(grows) ^ grows) | equal | falls | exchanged;
        let row_grows = falls | !(stays | grows);
        let row_falls = stays & grows;
        distance += usize::from(row_grows & last != 0);
        distance -= usize::from(row_falls & last != 0);
        let row_grows = (row_grows << 1) | 1;
        grows = (row_falls << 1) | !(stays | row_grows);
        falls = row_grows & stays;
        before = equal;
    }
    distance
}

/// Tokens as characters, one for each.
fn characters(tokens: &[Token]) -> String {
    tokens.iter().map(|&token| char::from(token)).collect()
}

/// Gives words numbers, so that lists of words can be compared as well.
///
/// # Panics
/// If there are more than 256 different ones.
pub fn words(texts: [&str; 2]) -> [Vec<Token>; 2] {
    let mut numbers = HashMap::new();
    texts.map(|text| {
        let number = |word| {
            let next = numbers.len();
            *numbers.entry(word).or_insert(next)
        };
        let numbers = text.split_whitespace().map(number);
        numbers.map(|number| Token::try_from(number).expect("few words")).collect()
    })
}
