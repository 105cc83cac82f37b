//! Transcripts as lists of 35 tokens.
//!
//! In: text. Out: tokens, and text again. Capitals become small letters, and whatever the
//! vocabulary lacks becomes [`UNKNOWN`], so that text to tokens to text is not always the same text.

use crate::similarity::Token;

/// The characters by token; the first four are not text.
pub const VOCABULARY: [char; 35] = [
    '<', '>', '@', '#', ' ', ',', '.', '?', '-', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j',
    'k', 'l', 'm', 'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
];

/// Stands before a transcript.
pub const START: Token = 0;

/// Stands after a transcript.
pub const END: Token = 1;

/// Fills up what is shorter than the others.
pub const PAD: Token = 2;

/// Stands for every character that the vocabulary lacks.
pub const UNKNOWN: Token = 3;

/// Tokens of a transcript that are kept.
pub const KEPT: usize = 97;

/// Tokens of a transcript with its start and end, filled up.
pub const LENGTH: usize = KEPT + 2;

/// Returns the token of a small letter or sign.
pub fn token(character: char) -> Token {
    let found = VOCABULARY.iter().position(|&known| known == character);
    found.map(|at| at as Token).filter(|&token| token > UNKNOWN).unwrap_or(UNKNOWN)
}

/// Returns the tokens of a text, at most `kept`, without start, end or filling.
pub fn tokens(text: &str, kept: usize) -> Vec<Token> {
    text.chars().flat_map(char::to_lowercase).map(token).take(kept).collect()
}

/// Returns start, at most `kept` tokens of the text, end, and filling up to `kept` + 2 tokens.
pub fn encode(text: &str, kept: usize) -> Vec<Token> {
    let mut all = vec![START];
    all.extend(tokens(text, kept));
    all.push(END);
    all.resize(kept + 2, PAD);
    all
}

/// Returns tokens as text, up to the first end; the start is left out.
pub fn decode(tokens: &[Token]) -> String {
    content(tokens).iter().map(|&token| VOCABULARY[usize::from(token)]).collect()
}

/// Returns the tokens between start and end: what is compared when a transcript is scored.
pub fn content(tokens: &[Token]) -> &[Token] {
    let tokens = tokens.strip_prefix(&[START]).unwrap_or(tokens);
    let end = tokens.iter().position(|&token| token == END).unwrap_or(tokens.len());
    &tokens[..end]
}
