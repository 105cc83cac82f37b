//! Transcripts, token by token, always the likeliest one.
//!
//! In: features. Out: tokens. Left out: searches among several transcripts.

use dfdx::dtypes::Dtype;
use dfdx::prelude::{HasShape, NoneTape};

use super::Recogniser;
use crate::sequence::{SequenceDevice, Sequences};

/// How transcripts begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greedy {
    /// The token before the first one.
    pub start: usize,
    /// The token that ends a transcript; neither it nor what comes after it is returned.
    pub end: usize,
    /// Most tokens, the last one included.
    pub steps: usize,
}

impl<E: Dtype, D: SequenceDevice<E>> Recogniser<E, D> {
    /// Writes down what is said in each clip: clips × frames × mel bands.
    ///
    /// Each step reads one token and what the decoder remembers of those before: the keys and
    /// values of an attention, the state of a long short-term memory. Of equally likely tokens
    /// the first wins.
    ///
    /// # Panics
    /// If there are more steps than the network has positions.
    pub fn transcribe(
        &self,
        features: Sequences<E, D, NoneTape>,
        greedy: Greedy,
    ) -> Vec<Vec<usize>> {
        assert!(greedy.steps <= self.sizes.tokens, "at most {} steps", self.sizes.tokens);
        let batch = features.shape().0;
        let frames = self.decoder.frames(self.encoder.forward(features));
        let mut memory = self.decoder.start();
        let mut tokens = vec![greedy.start; batch];
        let mut transcripts = vec![Vec::new(); batch];
        let mut ended = vec![false; batch];
        for _ in 0..greedy.steps {
            let logits = self.decoder.step(&frames, &tokens, &mut memory).as_vec();
            tokens = logits.chunks_exact(self.sizes.vocabulary).map(likeliest).collect();
            for ((&token, transcript), ended) in tokens.iter().zip(&mut transcripts).zip(&mut ended)
            {
                *ended |= token == greedy.end;
                if !*ended {
                    transcript.push(token);
                }
            }
            if ended.iter().all(|ended| *ended) {
                break;
            }
        }
        transcripts
    }
}

/// The place of the first of the largest numbers.
fn likeliest<E: Dtype>(logits: &[E]) -> usize {
    let mut best = 0;
    for (at, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = at;
        }
    }
    best
}
