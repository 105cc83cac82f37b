//! Code in colour.
//!
//! In: code and the name of its language. Out: spans whose classes stand for a few kinds of
//! words, which the style sheet colours for light and dark grounds.

use std::sync::OnceLock;

use syntect::parsing::{ParseState, Scope, ScopeStack, SyntaxSet};
use syntect::util::LinesWithEndings;

use super::Writer;

/// Longest code that is coloured; longer code is shown plain.
const LONGEST: usize = 200_000;

/// Kinds of words: scope that a word stands in, and what opens its span. Later entries and
/// inner scopes win.
const KINDS: [(&str, &str); 17] = [
    ("keyword", "<span class=\"k\">"),
    ("keyword.operator", ""),
    ("storage", "<span class=\"k\">"),
    ("storage.type.numeric", "<span class=\"m\">"),
    ("entity.name", "<span class=\"f\">"),
    ("entity.name.type", "<span class=\"t\">"),
    ("entity.name.lifetime", "<span class=\"t\">"),
    ("support.type", "<span class=\"t\">"),
    ("support.function", "<span class=\"f\">"),
    ("support.macro", "<span class=\"f\">"),
    ("variable.function", "<span class=\"f\">"),
    ("constant", "<span class=\"m\">"),
    ("constant.character.escape", "<span class=\"e\">"),
    ("string", "<span class=\"s\">"),
    ("variable.annotation", "<span class=\"a\">"),
    ("meta.annotation", "<span class=\"a\">"),
    ("comment", "<span class=\"c\">"),
];

struct Languages {
    set: SyntaxSet,
    kinds: Vec<(Scope, &'static str)>,
}

/// Loaded when the first code is met, for it takes a while.
fn languages() -> &'static Languages {
    static LANGUAGES: OnceLock<Languages> = OnceLock::new();
    LANGUAGES.get_or_init(|| Languages {
        set: SyntaxSet::load_defaults_newlines(),
        kinds: KINDS
            .iter()
            .filter_map(|(scope, open)| Some((Scope::new(scope).ok()?, *open)))
            .collect(),
    })
}

impl Writer<'_> {
    /// Code, coloured if its language is known.
    pub(super) fn highlighted(&mut self, language: &str, code: &str) {
        let code = code.trim_end_matches('\n');
        if language.is_empty() || code.len() > LONGEST {
            self.out.text(code);
            return;
        }
        let languages = languages();
        let Some(syntax) = languages.set.find_syntax_by_token(language) else {
            self.out.text(code);
            return;
        };
        let mut parser = ParseState::new(syntax);
        let mut scopes = ScopeStack::new();
        let mut open = "";
        for line in LinesWithEndings::from(code) {
            let changes = parser.parse_line(line, &languages.set).unwrap_or_default();
            let mut done = 0;
            for (at, change) in changes {
                self.word(&mut open, languages.kind(&scopes), &line[done..at]);
                done = at;
                // A stack that cannot change goes on as it is: the words stay, only plainer.
                let _ = scopes.apply(&change);
            }
            self.word(&mut open, languages.kind(&scopes), &line[done..]);
        }
        if !open.is_empty() {
            self.out.raw("</span>");
        }
    }

    /// A word of a kind, in the span that is open if that is of the same kind.
    fn word(&mut self, open: &mut &'static str, kind: &'static str, word: &str) {
        if word.is_empty() {
            return;
        }
        if *open != kind {
            if !open.is_empty() {
                self.out.raw("</span>");
            }
            self.out.raw(kind);
            *open = kind;
        }
        self.out.text(word);
    }
}

impl Languages {
    fn kind(&self, scopes: &ScopeStack) -> &'static str {
        scopes
            .as_slice()
            .iter()
            .rev()
            .find_map(|scope| self.kinds.iter().rev().find(|(kind, _)| kind.is_prefix_of(*scope)))
            .map_or("", |(_, open)| open)
    }
}
