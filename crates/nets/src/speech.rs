//! Speech: from clips and transcripts to what networks take.
//!
//! [`audio`] reads clips, [`mel`] makes spectrograms of them, [`text`] makes tokens of transcripts,
//! [`corpus`] reads LJ Speech, and [`synth`] speaks sentences where there are no clips.
//! Left out: networks, which have modules of their own, and fetching.

pub mod audio;
pub mod corpus;
pub mod features;
pub mod mel;
pub mod synth;
pub mod text;
