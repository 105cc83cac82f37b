//! Spectrograms against those of librosa; clips, transcripts and corpora, whole and broken.

use std::fs;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};
use serde::Deserialize;
use veracity_nets::speech::corpus::{Corpus, PUBLISHED, Splits};
use veracity_nets::speech::features::{Features, Sound};
use veracity_nets::speech::mel::{BANDS, FrontEnd, Spectrogram};
use veracity_nets::speech::{audio, synth, text};

/// Largest difference from librosa in double precision that is allowed, in scaled units.
const TOLERANCE: f32 = 2e-5;

/// What `tests/mel.py` wrote.
#[derive(Deserialize)]
struct Librosa {
    tone: Values,
    clip: Statistics,
}

#[derive(Deserialize)]
struct Values {
    frames: usize,
    values: Vec<f32>,
}

#[derive(Deserialize)]
struct Statistics {
    name: String,
    frames: usize,
    mean: f32,
    largest: f32,
    bands: Vec<f32>,
    frame: Vec<f32>,
}

fn librosa() -> Librosa {
    serde_json::from_str(include_str!("data/mel.json")).unwrap()
}

/// A rising tone with a pause and a little noise, the same as in `tests/mel.py`.
fn tone() -> Vec<i16> {
    let mut state = 1_u64;
    let sample = |at: u64| {
        let phase = ((at * (40 + at / 16)) % 22_050) as f64 / 22_050.0;
        let triangle = 4.0 * (phase - 0.5).abs() - 1.0;
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        let noise = state as f64 / f64::from(1 << 30) - 1.0;
        let loud = if (1_500..2_300).contains(&at) { 0.0 } else { 9_000.0 };
        (loud * triangle + 100.0 * noise) as i16
    };
    (0..4_000).map(sample).collect()
}

fn floats(samples: &[i16]) -> Vec<f32> {
    samples.iter().map(|&sample| f32::from(sample) / 32_768.0).collect()
}

fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    let distance = found.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(distance <= TOLERANCE, "differs by {distance}");
}

fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

const PUBLISHED_FORMAT: WavSpec = WavSpec {
    channels: 1,
    sample_rate: audio::RATE,
    bits_per_sample: 16,
    sample_format: SampleFormat::Int,
};

fn wav(spec: WavSpec, samples: &[i16]) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = WavWriter::new(&mut bytes, spec).unwrap();
    for &sample in samples {
        match (spec.sample_format, spec.bits_per_sample) {
            (SampleFormat::Float, _) => writer.write_sample(f32::from(sample) / 32_768.0).unwrap(),
            (_, 8) => writer.write_sample((sample / 256) as i8).unwrap(),
            _ => writer.write_sample(sample).unwrap(),
        }
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

/// A corpus with these transcripts; each row has a clip.
fn corpus(name: &str, metadata: &[u8]) -> PathBuf {
    let folder = scratch(name);
    fs::create_dir(folder.join("wavs")).unwrap();
    fs::write(folder.join("metadata.csv"), metadata).unwrap();
    for row in String::from_utf8_lossy(metadata).lines() {
        let clip = folder.join(format!("wavs/{}.wav", row.split('|').next().unwrap()));
        let _ = fs::write(clip, wav(PUBLISHED_FORMAT, &tone()));
    }
    folder
}

#[test]
fn librosa_makes_the_same_spectrogram() {
    let expected = librosa().tone;
    let found = FrontEnd::default().spectrogram(&floats(&tone())).unwrap();
    assert_eq!(found.frames, expected.frames);
    assert_near(&found.values, &expected.values);
}

/// Runs on the published clip where there is one: `VERACITY_DATA` names the folder of data sets.
#[test]
fn librosa_makes_the_same_spectrogram_of_a_published_clip() {
    let Some(data) = std::env::var_os("VERACITY_DATA") else { return };
    let expected = librosa().clip;
    let clip = format!("LJSpeech-1.1/wavs/{}.wav", expected.name);
    let Ok(samples) = audio::read(&Path::new(&data).join(clip)) else { return };
    let found = FrontEnd::default().spectrogram(&samples).unwrap();
    assert_eq!(found.frames, expected.frames);
    let mean = |numbers: &[f32]| numbers.iter().sum::<f32>() / numbers.len() as f32;
    let bands: Vec<f32> = (0..BANDS).map(|band| mean(found.band(band))).collect();
    let middle: Vec<f32> = (0..BANDS).map(|band| found.band(band)[found.frames / 2]).collect();
    let largest = found.values.iter().copied().fold(f32::MIN, f32::max);
    assert_near(&bands, &expected.bands);
    assert_near(&middle, &expected.frame);
    assert_near(&[mean(&bands), largest], &[expected.mean, expected.largest]);
}

#[test]
fn a_spectrogram_is_padded_with_zeros_and_cut() {
    let whole = FrontEnd::default().spectrogram(&floats(&tone())).unwrap();
    let longer = whole.fitted(40);
    assert_eq!((longer.frames, longer.values.len()), (40, BANDS * 40));
    assert_eq!(&longer.band(3)[..26], whole.band(3));
    assert!(longer.band(3)[26..].iter().all(|&value| value == 0.0));
    assert_eq!(whole.fitted(7).band(79), &whole.band(79)[..7]);
    assert_eq!(longer.fitted(26), whole);
    let turned = whole.frame_by_frame(30);
    assert_eq!((turned.len(), turned[5 * BANDS + 3]), (30 * BANDS, whole.band(3)[5]));
    assert_eq!(turned[29 * BANDS + 3], 0.0);
    let joined = whole.joined(4);
    assert_eq!((joined.frames, joined.band(9).len()), (6, 6));
    assert_eq!(joined.band(9)[1], whole.band(9)[4..8].iter().sum::<f32>() / 4.0);
}

#[test]
fn nothing_is_more_than_eight_decades_below_the_largest() {
    let mut front = FrontEnd::default();
    let of = |spectrogram: Spectrogram| {
        let least = spectrogram.values.iter().copied().fold(f32::MAX, f32::min);
        (least, spectrogram.values.iter().copied().fold(f32::MIN, f32::max))
    };
    let silence = of(front.spectrogram(&[0.0; 1_000]).unwrap());
    assert_eq!(silence, (-1.5, -1.5));
    let mut click = vec![0.0; 4_000];
    click[2_000] = 1.0;
    let (least, largest) = of(front.spectrogram(&click).unwrap());
    assert_eq!(largest - least, 2.0);
}

#[test]
fn what_cannot_be_transformed_is_refused() {
    let mut front = FrontEnd::default();
    assert!(front.spectrogram(&[0.1; 201]).is_ok());
    assert!(front.spectrogram(&[0.1; 200]).unwrap_err().contains("too few"));
    let mut samples = vec![0.1; 500];
    samples[77] = f32::NAN;
    assert!(front.spectrogram(&samples).unwrap_err().contains("sample 77"));
}

#[test]
fn clips_of_another_format_are_named_and_refused() {
    let folder = scratch("clips");
    let spec = PUBLISHED_FORMAT;
    let whole = wav(spec, &tone());
    let float = WavSpec { sample_format: SampleFormat::Float, bits_per_sample: 32, ..spec };
    let cases = [
        ("eight.wav", wav(WavSpec { bits_per_sample: 8, ..spec }, &tone()), "have 8 bits, not 16"),
        ("float.wav", wav(float, &tone()), "32 bits (floating point)"),
        ("two.wav", wav(WavSpec { channels: 2, ..spec }, &tone()), "2 channels, not 1"),
        ("slow.wav", wav(WavSpec { sample_rate: 16_000, ..spec }, &tone()), "16000 samples per"),
        ("cut.wav", whole[..whole.len() / 2].to_vec(), "no whole WAV file"),
        ("header.wav", whole[..30].to_vec(), "no whole WAV file"),
        ("empty.wav", Vec::new(), "no whole WAV file"),
        ("silent.wav", wav(spec, &[]), "has no sample"),
        ("text.wav", b"not a clip at all, just text in a file".to_vec(), "no whole WAV file"),
    ];
    for (name, bytes, problem) in cases {
        fs::write(folder.join(name), bytes).unwrap();
        let told = audio::read(&folder.join(name)).unwrap_err().to_string();
        assert!(told.contains(name) && told.contains(problem), "{told}");
    }
    let told = audio::read(&folder.join("none.wav")).unwrap_err().to_string();
    assert!(told.contains("none.wav"), "{told}");
    fs::write(folder.join("whole.wav"), whole).unwrap();
    assert_eq!(audio::read(&folder.join("whole.wav")).unwrap(), floats(&tone()));
}

#[test]
fn a_part_of_the_corpus_is_read() {
    let folder =
        corpus("part", "A-1|\"Quoted\"; 5|\"Quoted\"; five\nA-2|x|Na\u{ef}ve\n".as_bytes());
    fs::write(
        folder.join("metadata.csv"),
        "A-1|x|\"Quoted\"; five\r\nA-9|x|gone\r\nA-2|x|Naïve\r\n",
    )
    .unwrap();
    let corpus = Corpus::in_folder(&folder).unwrap();
    let texts: Vec<&str> = corpus.utterances.iter().map(|u| u.text.as_str()).collect();
    assert_eq!(texts, ["\"Quoted\"; five", "Naïve"]);
    assert_eq!(corpus.missing, [(2, "A-9".to_owned())]);
    let notes = corpus.notes().join("\n");
    assert!(
        notes.contains("1 of 3 rows have no clip, the first is row 2 (wavs/A-9.wav)"),
        "{notes}"
    );
    assert!(notes.contains("'\"' is not in the vocabulary: 2 times, first in row 1"), "{notes}");
    assert!(notes.contains("'ï' is not in the vocabulary: 1 times, first in row 3"), "{notes}");
}

#[test]
fn broken_rows_are_named() {
    let cases: [(&str, &[u8], &str); 7] = [
        ("columns", b"A-1|a|a\nA-2|only two\n", "row 2: the row has 2 columns"),
        ("more", b"A-1|a|b|c\n", "row 1: the row has 4 columns"),
        ("silent", b"A-1|a|a\n\nA-2|a|  \n", "row 3: the transcript of A-2 is empty"),
        ("twice", b"A-1|a|a\nA-1|b|b\n", "row 2: the clip A-1 stands in row 1 already"),
        ("latin", b"A-1|a|a\nA-2|a|caf\xe9\n", "row 2: the row is no UTF-8"),
        ("control", b"A-1|a|a\tb\n", "control character"),
        ("name", b"../A-1|a|a\n", "no name of a clip"),
    ];
    for (name, metadata, problem) in cases {
        let told = Corpus::in_folder(&corpus(name, metadata)).unwrap_err().to_string();
        assert!(told.contains("metadata.csv") && told.contains(problem), "{told}");
    }
    let folder = corpus("none", b"");
    fs::write(folder.join("metadata.csv"), "A-1|a|a\n").unwrap();
    let told = Corpus::in_folder(&folder).unwrap_err().to_string();
    assert!(told.contains("none of the 1 rows has a clip"), "{told}");
    fs::remove_file(folder.join("metadata.csv")).unwrap();
    assert!(Corpus::in_folder(&folder).unwrap_err().to_string().contains("metadata.csv"));
}

#[test]
fn a_broken_clip_is_named_by_row() {
    let folder = corpus("clip", b"A-1|a|a\nA-2|b|b\n");
    fs::write(folder.join("wavs/A-2.wav"), b"RIFF").unwrap();
    let corpus = Corpus::in_folder(&folder).unwrap();
    let mut features = Features::new(None);
    assert!(features.of(&corpus.utterances[0]).is_ok());
    let told = features.of(&corpus.utterances[1]).unwrap_err().to_string();
    assert!(told.starts_with("metadata.csv, row 2: ") && told.contains("A-2.wav"), "{told}");
}

#[test]
fn spectrograms_are_kept_by_content() {
    let folder = corpus("kept", b"A-1|a|a\n");
    let clip = folder.join("wavs/A-1.wav");
    let kept = folder.join("spectrograms");
    let mut features = Features::new(Some(kept.clone()));
    let made = features.of_clip(&clip).unwrap();
    let files =
        || fs::read_dir(&kept).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    let [file] = files().try_into().unwrap();
    // What is kept is used: a changed number comes back, if its checksum is right.
    assert_eq!(features.of_clip(&clip).unwrap(), made);
    let mut bytes = fs::read(&file).unwrap();
    bytes[10] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(features.of_clip(&clip).unwrap(), made, "damage is noticed");
    fs::write(&file, b"").unwrap();
    assert_eq!(features.of_clip(&clip).unwrap(), made, "an empty file is noticed");
    let mut other = tone();
    other[5] += 1;
    fs::write(&clip, wav(PUBLISHED_FORMAT, &other)).unwrap();
    assert_ne!(features.of_clip(&clip).unwrap(), made, "another clip is another spectrogram");
    assert_eq!(files().len(), 2);
}

#[test]
fn transcripts_become_tokens_and_text_again() {
    let tokens = text::encode("Ab, it's \u{2013} Z?", 12);
    assert_eq!(tokens.len(), 14);
    assert_eq!((tokens[0], tokens[13]), (text::START, text::END));
    assert_eq!(text::decode(&tokens), "ab, it#s # z");
    let short = text::encode("a-", 4);
    assert_eq!(short, [text::START, 9, 8, text::END, text::PAD, text::PAD]);
    assert_eq!(text::content(&short), [9, 8]);
    assert_eq!(text::encode(&"x".repeat(200), text::KEPT).len(), text::LENGTH);
    // The signs for start, end and padding are no text.
    assert_eq!(text::tokens("<@>", 9), [text::UNKNOWN; 3]);
    for (at, &character) in text::VOCABULARY.iter().enumerate().skip(4) {
        assert_eq!(usize::from(text::token(character)), at);
    }
}

#[test]
fn splits_are_the_published_ones_or_in_proportion() {
    let splits = Splits::of(PUBLISHED);
    assert_eq!((splits.train.len(), splits.val.len(), splits.test.len()), (9_825, 655, 2_620));
    for count in 3..200 {
        let Splits { train, val, test } = Splits::of(count);
        assert_eq!((train.start, train.end, val.end, test.end), (0, val.start, test.start, count));
        assert!(!train.is_empty() && !val.is_empty() && !test.is_empty());
    }
}

#[test]
fn synthetic_speech_depends_on_its_seed_alone() {
    let spoken = |seed, count| {
        synth::utterances(seed, count).into_iter().map(|u| match u.sound {
            Sound::Heard(spectrogram) => (u.text, spectrogram),
            Sound::Clip(_) => unreachable!("sentences are spoken"),
        })
    };
    let few: Vec<_> = spoken(1, 5).collect();
    assert_eq!(few, spoken(1, 9).take(5).collect::<Vec<_>>());
    assert_ne!(few, spoken(2, 5).collect::<Vec<_>>());
    for (sentence, spectrogram) in few {
        assert!(text::tokens(&sentence, 99).iter().all(|&token| token > text::UNKNOWN));
        assert!(spectrogram.values.iter().all(|value| value.is_finite()));
        let second = audio::RATE as usize / 160;
        assert!((second / 3..3 * second).contains(&spectrogram.frames), "{}", spectrogram.frames);
    }
}
