//! Below the ledger: which numbers of the prose are backed.
//!
//! In: the coverage of each chapter. Out: HTML.

use super::{Writer, page_name};
use crate::coverage::{Authority, Coverage, percent};
use crate::words::Word;

impl Writer<'_> {
    /// A table of all chapters, the numbers that nothing backs, and those the author exempts.
    pub(super) fn coverage(&mut self) {
        let all = &self.document.coverage;
        if all.iter().all(|chapter| chapter.needed() + chapter.exempt.len() == 0) {
            return;
        }
        let words = self.words;
        self.out.raw("<section class=\"coverage\"><h2 id=\"coverage\">");
        self.out.raw(words.get(Word::Coverage)).raw("</h2><p>").raw(words.get(Word::CoverageMeans));
        self.out.raw("</p><div class=\"scroll\"><table><thead><tr><th scope=\"col\">");
        self.out.raw(words.get(Word::Chapter)).raw("</th>");
        for word in [
            Word::Claimed,
            Word::PutIn,
            Word::ExemptByForm,
            Word::ByAuthor,
            Word::Uncovered,
            Word::Backed,
        ] {
            self.out.raw("<th scope=\"col\" class=\"right\">").raw(words.get(word)).raw("</th>");
        }
        self.out.raw("</tr></thead><tbody>");
        for chapter in all {
            let by_author = chapter.by_author().count();
            self.out.raw("<tr><th scope=\"row\"><a href=\"").text(&page_name(&chapter.chapter));
            self.out.raw("\">").text(&chapter.chapter).raw("</a></th>");
            for count in [
                chapter.claimed,
                chapter.values,
                chapter.exempt.len() - by_author,
                by_author,
                chapter.uncovered.len(),
            ] {
                self.out.raw("<td class=\"right\">").text(&count.to_string()).raw("</td>");
            }
            let share = percent(chapter.covered(), chapter.needed());
            self.out.raw("<td class=\"right\">").text(&share.to_string()).raw(" %</td></tr>");
        }
        self.out.raw("</tbody></table></div>");
        self.uncovered(all);
        self.exemptions(all);
        self.formulas(all);
        self.unnoticed(all);
        self.out.raw("</section>");
    }

    /// Begins a list of numbers.
    fn numbers(&mut self, head: Word) {
        self.out.raw("<h3>").text(&self.words.head(head)).raw("</h3><ul class=\"numbers\">");
    }

    fn uncovered(&mut self, all: &[Coverage]) {
        if all.iter().all(|chapter| chapter.uncovered.is_empty()) {
            return;
        }
        self.numbers(Word::Uncovered);
        for span in all.iter().flat_map(|chapter| &chapter.uncovered) {
            self.out.raw("<li><b>").text(span.text()).raw("</b> <code>").text(&span.to_string());
            self.out.raw("</code></li>");
        }
        self.out.raw("</ul>");
    }

    fn exemptions(&mut self, all: &[Coverage]) {
        let exempt = all.iter().flat_map(|chapter| &chapter.exempt);
        let mut exempt = exempt.filter(|exempt| exempt.by == Authority::Author).peekable();
        if exempt.peek().is_none() {
            return;
        }
        self.numbers(Word::Exempt);
        for exempt in exempt {
            self.out.raw("<li><b>").text(exempt.span.text()).raw("</b> ").text(&exempt.reason);
            self.out.raw(" <code>").text(&exempt.span.to_string()).raw("</code></li>");
        }
        self.out.raw("</ul>");
    }

    fn formulas(&mut self, all: &[Coverage]) {
        let count: usize = all.iter().map(|chapter| chapter.formulas.len()).sum();
        if count == 0 {
            return;
        }
        self.out.raw("<details><summary>").text(&self.words.bare_formulas(count));
        self.out.raw("</summary><p>").raw(self.words.get(Word::BareFormulasAre));
        self.out.raw("</p><ul class=\"numbers\">");
        for span in all.iter().flat_map(|chapter| &chapter.formulas) {
            self.out.raw("<li><code>").text(span.text().trim()).raw("</code> <code>");
            self.out.text(&span.to_string()).raw("</code></li>");
        }
        self.out.raw("</ul></details>");
    }

    fn unnoticed(&mut self, all: &[Coverage]) {
        let mut reasons = all.iter().flat_map(|chapter| &chapter.unnoticed).peekable();
        if reasons.peek().is_none() {
            return;
        }
        self.out.raw("<h3>").raw(self.words.get(Word::Unnoticed)).raw("</h3><p>");
        let means = self.words.get(Word::UnnoticedMeans);
        let (before, after) = means.split_once("{}").unwrap_or((means, ""));
        self.out.raw(before).raw("<code>veracity mutate</code>").raw(after);
        self.out.raw("</p><ul class=\"numbers\">");
        for reason in reasons {
            self.out.raw("<li><code>").text(reason.first_line()).raw("</code> ");
            self.out.text(&reason.words).raw(" <code>").text(&reason.code.to_string());
            self.out.raw("</code></li>");
        }
        self.out.raw("</ul>");
    }
}
