//! Code in colour: spans whose classes stand for kinds of words, which the style sheet colours for
//! light and dark grounds.

use super::Writer;

impl Writer<'_> {
    /// Code, coloured if its language is known.
    pub(super) fn highlighted(&mut self, language: &str, code: &str) {
        let code = code.trim_end_matches('\n');
        for (kind, word) in self.highlighter.words(language, code) {
            match kind.name() {
                "" => self.out.text(word),
                name => {
                    self.out.raw("<span class=\"").raw(name).raw("\">").text(word).raw("</span>")
                }
            };
        }
    }
}
