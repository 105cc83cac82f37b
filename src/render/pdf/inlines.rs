//! What stands inside a paragraph, as Typst expressions.

use crate::document::{Inline, Piece, pieces};
use crate::math::Math;
use crate::words::Word;

use super::emit::Emitter;
use super::ledger;
use super::text::{Space, longest_word, quoted};

/// Levels of nested emphasis and the like that are shown; Typst bounds how deep content nests.
const DEEPEST: usize = 12;

/// Longest address that Typst takes.
const LONGEST_ADDRESS: usize = 8000;

/// Width of a badge in letters, about.
const LETTERS_OF_A_BADGE: usize = 12;

/// Where inline content stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In running text.
    Text,
    /// In a heading, which the table of contents repeats: without links and anchors.
    Heading,
}

impl Emitter<'_> {
    /// An expression for inline content.
    pub(super) fn inlines(&mut self, inlines: &[Inline]) -> String {
        self.sequence(inlines, Place::Text, 0)
    }

    /// An expression for the content of a heading, which has words in it or in its number.
    pub(super) fn title(&mut self, number: &str, inlines: &[Inline]) -> String {
        let words = spoken(inlines);
        if words.trim().is_empty() {
            return quoted("Untitled");
        }
        if number.trim().is_empty() && !has_text(inlines) {
            return self.text.shown(&words, Space::Running);
        }
        self.sequence(inlines, Place::Heading, 0)
    }

    fn sequence(&mut self, inlines: &[Inline], place: Place, depth: usize) -> String {
        if inlines.is_empty() {
            return "[]".to_owned();
        }
        let parts: Vec<String> =
            inlines.iter().map(|inline| self.inline(inline, place, depth)).collect();
        format!("{{ {} }}", parts.join("; "))
    }

    fn inline(&mut self, inline: &Inline, place: Place, depth: usize) -> String {
        match inline {
            Inline::Text(text) | Inline::Value { text, .. } => {
                self.text.shown(text, Space::Running)
            }
            Inline::Emphasis(content) => self.nested("emph", content, place, depth),
            Inline::Strong(content) => self.nested("strong", content, place, depth),
            Inline::Strikethrough(content) => self.nested("strike", content, place, depth),
            Inline::Code(code) => format!("raw({})", self.text.shown(code, Space::Running)),
            Inline::Math(math) => self.inline_formula(math),
            Inline::Link { target, content, .. } => {
                let linked = place == Place::Text
                    && !target.is_empty()
                    && target.len() <= LONGEST_ADDRESS
                    && depth < DEEPEST;
                let content = if content.is_empty() {
                    self.text.shown(target, Space::Running)
                } else {
                    self.sequence(content, place, depth + 1)
                };
                if linked { format!("link({}, {content})", quoted(target)) } else { content }
            }
            Inline::Exempt { content, .. } => self.sequence(content, place, depth + 1),
            Inline::Jump { anchor, content, .. } => {
                let content = self.sequence(content, place, depth + 1);
                if place == Place::Text { self.jump(anchor, content) } else { content }
            }
            Inline::Claim { claim, content } => self.claim(*claim, content, place, depth),
            Inline::Image(image) => match self.picture(image) {
                Some(draw) => format!("r.inline-picture({draw})"),
                None => {
                    let alt = self.text.shown(&image.alt, Space::Running);
                    format!("r.inline-problem({alt})")
                }
            },
            Inline::FootnoteMark { number, anchor, note } => {
                let mark = self.footnote(*number, anchor, note);
                here(place, mark)
            }
            Inline::Problem(message) => {
                format!("r.inline-problem({})", self.text.shown(message, Space::Running))
            }
            Inline::SoftBreak => "\" \"".to_owned(),
            Inline::HardBreak => "linebreak()".to_owned(),
        }
    }

    fn inline_formula(&mut self, math: &Math) -> String {
        let alt = self.text.spoken(&math.alt());
        match self.formula(math) {
            Some(code) => format!("math.equation(alt: {alt}, {code}.body)"),
            None => {
                let latex = self.text.shown(math.latex(), Space::Running);
                format!("r.inline-problem({latex})")
            }
        }
    }

    /// What a claim asserts in words and formulas.
    pub(super) fn said(&mut self, claim: usize) -> String {
        let Some(said) = self.index.formulas(claim) else {
            let document = self.document;
            return self.text.shown(&document.claims[claim].text, Space::Running);
        };
        let pieces: Vec<String> = (said.into_iter())
            .map(|piece| match piece {
                Piece::Formula(math) => self.inline_formula(math),
                Piece::Words(words) => self.text.shown(words, Space::Running),
            })
            .collect();
        format!("({})", pieces.join(" + "))
    }

    /// What a claim is called beside its cell: the number of its formula, or what it asserts.
    pub(super) fn named(&mut self, claim: usize) -> String {
        match self.index.number(claim) {
            Some(number) => self.text.shown(
                &format!("{}\u{a0}({number})", self.document.words().get(Word::Equation)),
                Space::Running,
            ),
            None => self.said(claim),
        }
    }

    /// Parts of a table's cell that stay on one line, with about how many letters wide they are.
    pub(super) fn unbreakable(&mut self, inlines: &[Inline], parts: &mut Vec<(usize, String)>) {
        for inline in inlines {
            let first = parts.len();
            match inline {
                Inline::Text(text) | Inline::Value { text, .. } | Inline::Problem(text) => {
                    let word = longest_word(text);
                    parts.push((word.chars().count(), self.text.spoken(&word)));
                }
                Inline::Code(code) => {
                    let word = longest_word(code);
                    let length = word.chars().count();
                    parts.push((length + length / 4, format!("raw({})", self.text.spoken(&word))));
                }
                Inline::Math(math) => parts.push((math.alt().len(), self.inline_formula(math))),
                Inline::Claim { claim, content } => {
                    self.unbreakable(content, parts);
                    let last =
                        longest_word(spoken(content).split_whitespace().last().unwrap_or(""));
                    if let Some(claim) = self.document.claims.get(*claim) {
                        let word = self.text.spoken(&last);
                        let badge = ledger::badge(claim, self.document.words());
                        let length = last.chars().count() + LETTERS_OF_A_BADGE;
                        parts.push((length, format!("r.marked({badge}, {word})")));
                    }
                }
                Inline::Strong(content) => {
                    self.unbreakable(content, parts);
                    for (_, part) in &mut parts[first..] {
                        *part = format!("strong({part})");
                    }
                }
                _ => self.unbreakable(inline.content(), parts),
            }
        }
    }

    fn nested(&mut self, function: &str, content: &[Inline], place: Place, depth: usize) -> String {
        let content = self.sequence(content, place, depth + 1);
        if depth < DEEPEST { format!("{function}({content})") } else { content }
    }

    fn claim(&mut self, index: usize, content: &[Inline], place: Place, depth: usize) -> String {
        let content = self.sequence(content, place, depth + 1);
        let document = self.document;
        let Some(claim) = document.claims.get(index) else {
            return content;
        };
        let name = self.place(&claim.anchor);
        let mark = |content: &str| {
            let entry = ledger::entry_label(index);
            format!(
                "r.claim({name}, {entry}, {}, {content})",
                ledger::badge(claim, self.document.words())
            )
        };
        match place {
            Place::Text => mark(&content),
            Place::Heading => format!("{{ {content}; r.only-here({}) }}", mark("[]")),
        }
    }

    /// The mark of a footnote; at its first mark the note itself is set.
    fn footnote(&mut self, number: usize, anchor: &str, note: &str) -> String {
        let chapter = self.chapter;
        let content = chapter
            .and_then(|chapter| chapter.footnotes.iter().find(|footnote| footnote.anchor == note));
        let anchor = self.place(anchor);
        let number = quoted(&number.to_string());
        let first = self.place(note);
        match content {
            Some(footnote) if first != "none" => {
                let content = self.note_content(&footnote.blocks);
                format!("{{ r.anchor({anchor}); r.note-mark({first}, {number}, {content}) }}")
            }
            _ => format!("{{ r.anchor({anchor}); super({}) }}", self.jump(note, number)),
        }
    }
}

fn here(place: Place, code: String) -> String {
    match place {
        Place::Text => code,
        Place::Heading => format!("r.only-here({code})"),
    }
}

/// Whether content holds text that is written out, not only formulas and pictures.
fn has_text(inlines: &[Inline]) -> bool {
    inlines.iter().any(|inline| match inline {
        Inline::Text(text) | Inline::Code(text) | Inline::Value { text, .. } => {
            !text.trim().is_empty()
        }
        _ => has_text(inline.content()),
    })
}

/// Whether content holds anchors, which must not be written twice.
pub(super) fn has_anchor(inlines: &[Inline]) -> bool {
    inlines.iter().any(|inline| {
        matches!(inline, Inline::Claim { .. } | Inline::FootnoteMark { .. })
            || has_anchor(inline.content())
    })
}

/// What content says, as plain text, formulas as they are read aloud.
pub(super) fn spoken(content: &[Inline]) -> String {
    let text = |piece| match piece {
        Piece::Words(words) => words.to_owned(),
        Piece::Formula(math) => math.alt(),
    };
    pieces(content).into_iter().map(text).collect()
}
