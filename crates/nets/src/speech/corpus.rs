//! LJ Speech: clips of one speaker with transcripts.
//!
//! In: a folder with `metadata.csv` and `wavs/`, as published or a part of it. Out: utterances in the
//! order of the rows, and what was left out. A row is `name|transcript|normalised transcript`; quotes
//! are characters like others. Left out: fetching; clips are read when they are needed.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use super::features::{Sound, Utterance};
use super::text;

/// Rows of the published corpus.
pub const PUBLISHED: usize = 13_100;

/// The file of transcripts.
const METADATA: &str = "metadata.csv";

/// What a folder has.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// Rows that have a clip.
    pub utterances: Vec<Utterance>,
    /// Rows without one, with the clip's name: a part of the corpus has the rows of all.
    pub missing: Vec<(usize, String)>,
    /// How often each character occurs that the vocabulary lacks, with the first row.
    pub unknown: BTreeMap<char, (usize, usize)>,
}

/// Why a folder cannot be used.
#[derive(Debug)]
pub struct CorpusError {
    file: PathBuf,
    row: Option<usize>,
    problem: String,
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(row) = self.row {
            write!(f, ", row {row}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for CorpusError {}

impl Corpus {
    /// Reads the transcripts and looks which clips there are.
    ///
    /// # Errors
    /// Names file and row if the transcripts are missing or no UTF-8, a row has not three columns, an
    /// empty name or transcript, a control character or a name that was there before, or no row has a clip.
    pub fn in_folder(folder: &Path) -> Result<Self, CorpusError> {
        let file = folder.join(METADATA);
        let wrong = |row, problem: String| CorpusError { file: file.clone(), row, problem };
        let bytes = fs::read(&file).map_err(|error| wrong(None, error.to_string()))?;
        let mut corpus =
            Self { utterances: Vec::new(), missing: Vec::new(), unknown: BTreeMap::new() };
        let mut rows: BTreeMap<String, usize> = BTreeMap::new();
        for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.is_empty() {
                continue;
            }
            let row = at + 1;
            let wrong = |problem| wrong(Some(row), problem);
            let line =
                std::str::from_utf8(line).map_err(|_| wrong("the row is no UTF-8".into()))?;
            let (name, transcript) = columns(line).map_err(wrong)?;
            if let Some(first) = rows.insert(name.to_owned(), row) {
                return Err(wrong(format!("the clip {name} stands in row {first} already")));
            }
            corpus.add(folder, row, name, transcript);
        }
        if corpus.utterances.is_empty() {
            let rows = rows.len();
            return Err(wrong(None, format!("none of the {rows} rows has a clip in wavs/")));
        }
        Ok(corpus)
    }

    fn add(&mut self, folder: &Path, row: usize, name: &str, transcript: &str) {
        let clip = folder.join("wavs").join(format!("{name}.wav"));
        if !clip.is_file() {
            self.missing.push((row, name.to_owned()));
            return;
        }
        for character in transcript.chars().flat_map(char::to_lowercase) {
            if text::token(character) == text::UNKNOWN {
                self.unknown.entry(character).or_insert((0, row)).0 += 1;
            }
        }
        self.utterances.push(Utterance {
            name: format!("{METADATA}, row {row}"),
            text: transcript.to_owned(),
            sound: Sound::Clip(clip),
        });
    }

    /// Says in words which rows have no clip and which characters are unknown; nothing if none.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some((row, name)) = self.missing.first() {
            let (missing, all) = (self.missing.len(), self.missing.len() + self.utterances.len());
            notes.push(format!(
                "{missing} of {all} rows have no clip, the first is row {row} (wavs/{name}.wav)"
            ));
        }
        for (character, (count, row)) in &self.unknown {
            notes.push(format!(
                "{character:?} is not in the vocabulary: {count} times, first in row {row}"
            ));
        }
        notes
    }
}

/// Name and normalised transcript of a row.
fn columns(line: &str) -> Result<(&str, &str), String> {
    let columns: Vec<&str> = line.split('|').collect();
    let &[name, _, transcript] = columns.as_slice() else {
        let count = columns.len();
        return Err(format!("the row has {count} columns, not 3 (name|transcript|normalised)"));
    };
    if name.is_empty() || name.contains(['/', '\\']) {
        return Err(format!("the first column is no name of a clip: {name:?}"));
    }
    if transcript.trim().is_empty() {
        return Err(format!("the transcript of {name} is empty"));
    }
    if let Some(character) = transcript.chars().find(|character| character.is_control()) {
        return Err(format!("the transcript of {name} has the control character {character:?}"));
    }
    Ok((name, transcript))
}

/// Which utterances train, validate and test, by index: three quarters, a twentieth and the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splits {
    /// To train with.
    pub train: Range<usize>,
    /// To look at while training.
    pub val: Range<usize>,
    /// To judge with.
    pub test: Range<usize>,
}

impl Splits {
    /// Splits so many utterances; of the published 13,100 they are 9,825, 655 and 2,620.
    ///
    /// # Panics
    /// If there are fewer than three.
    pub fn of(count: usize) -> Self {
        assert!(count >= 3, "one utterance for each split");
        let val = (count / 20).max(1);
        let test = (count / 5).max(1);
        let train = count - val - test;
        Self { train: 0..train, val: train..train + val, test: train + val..count }
    }
}
