//! Code, cut into words of a few kinds.
//!
//! In: code and the name of its language. Out: its words with their kinds, which pages and the
//! PDF colour. Finding them takes longer than all else of a page, so what was found for a text
//! is kept for the next build. Left out: the colours, and where words are kept.

use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use serde::{Deserialize, Serialize};
use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};
use syntect::util::LinesWithEndings;

/// Longest code that is coloured; longer code is shown plain.
const LONGEST: usize = 200_000;

/// Number of texts from which on those that nobody asked for are forgotten.
const MOST: usize = 2000;

/// What a word is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Nothing special.
    #[default]
    #[serde(rename = "")]
    Plain,
    #[serde(rename = "k")]
    Keyword,
    /// A number, a truth value or another constant.
    #[serde(rename = "m")]
    Constant,
    #[serde(rename = "f")]
    Function,
    #[serde(rename = "t")]
    Type,
    #[serde(rename = "e")]
    Escape,
    #[serde(rename = "s")]
    String,
    #[serde(rename = "a")]
    Attribute,
    #[serde(rename = "c")]
    Comment,
}

impl Kind {
    /// Its name in pages and in the PDF; empty for what is nothing special.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Keyword => "k",
            Self::Constant => "m",
            Self::Function => "f",
            Self::Type => "t",
            Self::Escape => "e",
            Self::String => "s",
            Self::Attribute => "a",
            Self::Comment => "c",
        }
    }
}

/// Words one after another: what each is, and how many bytes it has.
type Words = Vec<(Kind, usize)>;

/// The kinds of words by the scope that a word stands in. Later entries and inner scopes win.
const SCOPES: [(&str, Kind); 17] = [
    ("keyword", Kind::Keyword),
    ("keyword.operator", Kind::Plain),
    ("storage", Kind::Keyword),
    ("storage.type.numeric", Kind::Constant),
    ("entity.name", Kind::Function),
    ("entity.name.type", Kind::Type),
    ("entity.name.lifetime", Kind::Type),
    ("support.type", Kind::Type),
    ("support.function", Kind::Function),
    ("support.macro", Kind::Function),
    ("variable.function", Kind::Function),
    ("constant", Kind::Constant),
    ("constant.character.escape", Kind::Escape),
    ("string", Kind::String),
    ("variable.annotation", Kind::Attribute),
    ("meta.annotation", Kind::Attribute),
    ("comment", Kind::Comment),
];

/// Cuts code into words, and remembers what it found.
#[derive(Debug, Default)]
pub struct Highlighter {
    before: Found,
    now: Mutex<Found>,
}

/// What was found, by the digest of code and language.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Found(BTreeMap<String, Words>);

impl Highlighter {
    /// A highlighter that knows what another one found.
    pub fn new(before: Found) -> Self {
        Self { before, now: Mutex::default() }
    }

    /// One that knows only what this one was asked for.
    pub fn renewed(&self) -> Self {
        Self::new(self.now.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// What is known now, if it is more than what was known at first. What nobody asked for is
    /// forgotten once there is much of it.
    pub fn news(self) -> Option<Found> {
        let mut now = self.now.into_inner().unwrap_or_else(PoisonError::into_inner);
        if now.0.iter().all(|(key, words)| self.before.0.get(key) == Some(words)) {
            return None;
        }
        if self.before.0.len() < MOST {
            for (key, words) in self.before.0 {
                now.0.entry(key).or_insert(words);
            }
        }
        Some(now)
    }

    /// The words of some code; one plain word if the language is unknown.
    pub(super) fn words<'a>(
        &self,
        language: &str,
        code: &'a str,
    ) -> impl Iterator<Item = (Kind, &'a str)> {
        let words = self.find(language, code);
        let mut at = 0;
        (0..words.len()).filter_map(move |index| {
            let (kind, length) = words[index];
            let word = code.get(at..at + length)?;
            at += length;
            Some((kind, word))
        })
    }

    fn find(&self, language: &str, code: &str) -> Words {
        if language.is_empty() || code.len() > LONGEST {
            return vec![(Kind::Plain, code.len())];
        }
        let mut key = blake3::Hasher::new_derive_key("veracity highlighted code v1");
        key.update(language.as_bytes()).update(&[0]).update(code.as_bytes());
        let key = key.finalize().to_hex().to_string();
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let known = now.0.get(&key).or_else(|| self.before.0.get(&key)).cloned();
        // What is kept comes from a file, which may hold anything.
        let whole = known.filter(|words| is_cut(code, words));
        let words = whole.unwrap_or_else(|| cut(language, code));
        now.0.insert(key, words.clone());
        words
    }
}

fn is_cut(code: &str, words: &Words) -> bool {
    let mut end = 0_usize;
    words.iter().all(|(_, length)| {
        end = end.saturating_add(*length);
        code.is_char_boundary(end)
    }) && end == code.len()
}

struct Languages {
    set: SyntaxSet,
    scopes: Vec<(Scope, Kind)>,
}

/// Loaded when the first code is met, for it takes a while.
fn languages() -> &'static Languages {
    static LANGUAGES: OnceLock<Languages> = OnceLock::new();
    LANGUAGES.get_or_init(|| Languages {
        set: SyntaxSet::load_defaults_newlines(),
        scopes: SCOPES
            .iter()
            .filter_map(|(scope, kind)| Some((Scope::new(scope).ok()?, *kind)))
            .collect(),
    })
}

fn cut(language: &str, code: &str) -> Words {
    let languages = languages();
    let Some(syntax) = languages.set.find_syntax_by_token(language) else {
        return vec![(Kind::Plain, code.len())];
    };
    let mut parser = ParseState::new(syntax);
    let mut scopes = ScopeStack::new();
    let mut words = Words::new();
    for line in LinesWithEndings::from(code) {
        let changes = parser.parse_line(line, &languages.set).unwrap_or_default();
        let mut done = 0;
        for (at, change) in changes {
            push(&mut words, languages.kind(&scopes), at - done);
            done = at;
            // A stack that cannot change goes on as it is: the words stay, only plainer.
            let _ = scopes.apply(&change);
        }
        push(&mut words, languages.kind(&scopes), line.len() - done);
    }
    words
}

fn push(words: &mut Words, kind: Kind, length: usize) {
    match words.last_mut() {
        _ if length == 0 => {}
        Some((last, end)) if *last == kind => *end += length,
        _ => words.push((kind, length)),
    }
}

impl Languages {
    fn kind(&self, scopes: &ScopeStack) -> Kind {
        scopes
            .as_slice()
            .iter()
            .rev()
            .find_map(|scope| self.scopes.iter().rev().find(|(kind, _)| kind.is_prefix_of(*scope)))
            .map_or(Kind::Plain, |(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "// é\nfn f() -> u8 { 1 }\n";

    fn words(highlighter: &Highlighter) -> Vec<(Kind, &'static str)> {
        highlighter.words("rust", CODE).collect()
    }

    #[test]
    fn words_are_found_once() {
        let first = Highlighter::default();
        let found = words(&first);
        assert_eq!(found.iter().map(|(_, word)| *word).collect::<String>(), CODE);
        assert!(found.contains(&(Kind::Keyword, "fn")) && found[0].0 == Kind::Comment, "{found:?}");
        let second = Highlighter::new(first.news().expect("it found something"));
        assert_eq!(words(&second), found);
        assert_eq!(second.news(), None);
    }

    #[test]
    fn what_does_not_fit_the_code_is_not_believed() {
        let honest = words(&Highlighter::default());
        let first = Highlighter::default();
        words(&first);
        let mut found = first.news().expect("it found something");
        for wrong in [
            vec![],
            vec![(Kind::Plain, 4), (Kind::Plain, CODE.len() - 4)],
            vec![(Kind::Plain, usize::MAX), (Kind::Plain, 3)],
        ] {
            for words in found.0.values_mut() {
                *words = wrong.clone();
            }
            assert_eq!(words(&Highlighter::new(found.clone())), honest);
        }
    }
}
