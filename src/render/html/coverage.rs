//! Below the ledger: which numbers of the prose are backed.
//!
//! In: the coverage of each chapter. Out: HTML.

use super::{Writer, page_name};
use crate::coverage::{Authority, Coverage, percent};

impl Writer<'_> {
    /// A table of all chapters, the numbers that nothing backs, and those the author exempts.
    pub(super) fn coverage(&mut self) {
        let all = &self.document.coverage;
        if all.iter().all(|chapter| chapter.needed() + chapter.exempt.len() == 0) {
            return;
        }
        self.out.raw(
            "<section class=\"coverage\"><h2 id=\"coverage\">Coverage</h2><p>Of every number in \
             the prose: whether a claim compares it, whether it is a value that the build puts in, \
             whether it needs no evidence, or whether nothing backs it. Numbers that are written as \
             words are not counted.</p>\
             <div class=\"scroll\"><table><thead><tr><th scope=\"col\">Chapter</th>\
             <th scope=\"col\" class=\"right\">claimed</th>\
             <th scope=\"col\" class=\"right\">put in</th>\
             <th scope=\"col\" class=\"right\">exempt by form</th>\
             <th scope=\"col\" class=\"right\">by the author</th>\
             <th scope=\"col\" class=\"right\">uncovered</th>\
             <th scope=\"col\" class=\"right\">backed</th></tr></thead><tbody>",
        );
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

    fn uncovered(&mut self, all: &[Coverage]) {
        if all.iter().all(|chapter| chapter.uncovered.is_empty()) {
            return;
        }
        self.out.raw("<h3>Uncovered</h3><ul class=\"numbers\">");
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
        self.out.raw("<h3>Exempt by the author</h3><ul class=\"numbers\">");
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
        self.out.raw("<details><summary>").text(&count.to_string());
        self.out.raw(if count == 1 { " formula" } else { " formulas" });
        self.out.raw(
            " that nothing evaluates</summary><p>Definitions, notation, and steps of an argument \
             among them; a slip in one would stay unseen.</p><ul class=\"numbers\">",
        );
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
        self.out.raw(
            "<h3>Code of which changes may go unnoticed</h3><p>By the author’s word; \
             <code>veracity mutate</code> changes it all the same.</p><ul class=\"numbers\">",
        );
        for reason in reasons {
            self.out.raw("<li><code>").text(reason.first_line()).raw("</code> ");
            self.out.text(&reason.words).raw(" <code>").text(&reason.code.to_string());
            self.out.raw("</code></li>");
        }
        self.out.raw("</ul>");
    }
}
