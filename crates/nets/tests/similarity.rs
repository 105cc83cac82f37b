//! Similarities against those of another library, and against what must hold for any lists.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Deserialize;
use veracity_nets::similarity::{
    cosine, damerau_levenshtein, jaccard, restricted_distance, shared, unrestricted_distance, words,
};

/// A pair as `tests/similarity.py` wrote it.
#[derive(Deserialize)]
struct Pair {
    a: Vec<u8>,
    b: Vec<u8>,
    jaccard: f64,
    cosine: f64,
    damerau_levenshtein: f64,
    restricted: usize,
    unrestricted: usize,
}

fn pairs() -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut rng = StdRng::seed_from_u64(3);
    let mut list = |letters: u8, longest: usize| -> Vec<u8> {
        (0..rng.gen_range(0..=longest)).map(|_| rng.gen_range(0..letters)).collect()
    };
    let mut pairs = Vec::new();
    for (letters, longest) in [(2, 6), (3, 12), (35, 97), (4, 127), (4, 140), (255, 200)] {
        pairs.extend((0..300).map(|_| (list(letters, longest), list(letters, longest))));
    }
    pairs
}

#[test]
fn textdistance_finds_the_same() {
    let pairs: Vec<Pair> = serde_json::from_str(include_str!("data/similarity.json")).unwrap();
    assert!(pairs.len() > 30);
    for Pair { a, b, jaccard: j, cosine: c, damerau_levenshtein: d, restricted, unrestricted } in
        pairs
    {
        let near = |x: f64, y: f64| assert!((x - y).abs() < 1e-12, "{x} and {y} for {a:?}, {b:?}");
        near(jaccard(&a, &b), j);
        near(cosine(&a, &b), c);
        near(damerau_levenshtein(&a, &b), d);
        assert_eq!(restricted_distance(&a, &b), restricted, "{a:?} {b:?}");
        assert_eq!(unrestricted_distance(&a, &b), unrestricted, "{a:?} {b:?}");
    }
}

#[test]
fn bits_count_what_the_table_of_strsim_counts() {
    for (a, b) in pairs() {
        let text = |tokens: &[u8]| tokens.iter().map(|&token| token as char).collect::<String>();
        let table = strsim::osa_distance(&text(&a), &text(&b));
        assert_eq!(restricted_distance(&a, &b), table, "{a:?} {b:?}");
    }
}

#[test]
fn the_two_distances_differ() {
    assert_eq!(restricted_distance(b"ca", b"abc"), 3);
    assert_eq!(unrestricted_distance(b"ca", b"abc"), 2);
    // The restricted one is no metric: the way over "ac" is shorter.
    assert_eq!(restricted_distance(b"ca", b"ac") + restricted_distance(b"ac", b"abc"), 2);
}

#[test]
fn bounds_symmetry_identity_and_order_hold() {
    for (a, b) in pairs() {
        for similarity in [jaccard, cosine, damerau_levenshtein] {
            let score = similarity(&a, &b);
            assert!((0.0..=1.0).contains(&score), "{score} for {a:?}, {b:?}");
            assert_eq!(score, similarity(&b, &a));
            assert_eq!(similarity(&a, &a), 1.0);
        }
        // With s shared tokens, s/√(mn) ≥ s/(m + n − s), since √(mn) ≤ max(m, n) ≤ m + n − s.
        assert!(cosine(&a, &b) >= jaccard(&a, &b));
        // And Jaccard is never above 1 only by chance: it is 1 for equal counts alone.
        assert_eq!(jaccard(&a, &b) == 1.0, shared(&a, &b) == a.len().max(b.len()));
        assert!(unrestricted_distance(&a, &b) <= restricted_distance(&a, &b));
        // What is not shared must be edited, so that this similarity never exceeds s / max(m, n).
        assert!(restricted_distance(&a, &b) >= a.len().max(b.len()) - shared(&a, &b));
        assert!(cosine(&a, &b) >= damerau_levenshtein(&a, &b) - 1e-12);
    }
}

#[test]
fn words_are_compared_as_letters_are() {
    let [a, b] = words(["the cat saw the dog", "the dog saw the cat"]);
    assert_eq!((jaccard(&a, &b), restricted_distance(&a, &b)), (1.0, 2));
    let [a, b] = words(["a  b", "c"]);
    assert_eq!((jaccard(&a, &b), a.len()), (0.0, 2));
}
