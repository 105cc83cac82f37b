//! Claims as HTML: badge, details, summary and ledger.
//!
//! In: judged claims. Out: for each a badge of shape and word beside the author's words, a
//! popover with what the verdict rests on, and a row of the ledger.

use super::blocks::{EXPECTED, REFUTED, UNVERIFIED, VACUOUS, VERIFIED, WARNING};
use super::{Writer, page_name};
use crate::claims::{Expected, Judged, Standing, Verdict};
use crate::data;
use crate::document::{Chapter, Inline, Piece, plain_text};
use crate::render::look::{self, Look, Shared};
use crate::words::Word;

impl Look {
    fn icon(self) -> &'static str {
        match self {
            Self::Verified => VERIFIED,
            Self::AsExpected => EXPECTED,
            Self::Unverified => UNVERIFIED,
            Self::Refuted | Self::Unexpected => REFUTED,
            Self::Vacuous => VACUOUS,
            Self::Error => WARNING,
        }
    }

    /// Name in classes and filters.
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::AsExpected => "as-expected",
            Self::Unverified => "unverified",
            Self::Refuted => "refuted",
            Self::Unexpected => "unexpected",
            Self::Vacuous => "vacuous",
            Self::Error => "error",
        }
    }
}

pub(super) fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Good => "good",
        Standing::Open => "open",
        Standing::Bad => "bad",
    }
}

impl<'a> Writer<'a> {
    /// The author's words with the badge of the claim that they make; `placed` is the anchor of what
    /// stands around them, such as a formula that is the claim itself.
    pub(super) fn claim(&mut self, index: usize, content: &'a [Inline], placed: &str) {
        let Some(claim) = self.document.claims.get(index) else {
            return self.inlines(content);
        };
        let first = !self.mentioned.contains(&index);
        self.out.raw("<span class=\"claim ").raw(standing(claim.standing()));
        if first {
            self.mentioned.push(index);
            if claim.anchor != placed {
                self.out.raw("\" id=\"").text(&claim.anchor);
            }
        }
        self.out.raw("\">");
        let (start, last) = split_last_word(content);
        if !content.is_empty() {
            self.out.raw("<span class=\"said\">");
            self.inlines(start.0);
            self.out.text(start.1).raw("</span>");
        }
        // The badge stays on the line of the last word.
        self.out.raw("<span class=\"tie\">");
        if !last.is_empty() {
            self.out.raw("<span class=\"said\">").text(last).raw("</span>");
        }
        self.out.raw("<button type=\"button\" class=\"badge\" popovertarget=\"about-");
        self.out.text(&claim.anchor).raw("\">");
        self.verdict(claim);
        self.out.raw("</button></span></span>");
    }

    fn verdict(&mut self, claim: &Judged) {
        let look = Look::of(claim);
        self.out.raw(look.icon()).raw(" ").raw(look.word(self.words));
        if let Verdict::Unverified(reason, _) = &claim.verdict {
            self.out
                .raw(" <span class=\"reason\">(")
                .raw(look::reason(*reason, self.words))
                .raw(")</span>");
        }
    }

    /// What a claim asserts in words and formulas.
    fn said(&mut self, index: usize) {
        let Some(said) = self.index.formulas(index) else {
            self.out.text(&self.document.claims[index].text);
            return;
        };
        for piece in said {
            match piece {
                Piece::Formula(math) => self.formula(math),
                Piece::Words(words) => drop(self.out.text(words)),
            }
        }
    }

    /// A link to where a claim is made.
    pub(super) fn claim_link(&mut self, index: usize) {
        let Some(claim) = self.document.claims.get(index) else { return };
        self.out.raw(" <a class=\"to-claim ").raw(standing(claim.standing())).raw("\" href=\"");
        self.href(Some(&claim.chapter), &claim.anchor);
        self.out.raw("\">").raw(Look::of(claim).icon()).raw(" <span>");
        self.said(index);
        self.out
            .raw("</span><span class=\"hidden\"> (")
            .raw(Look::of(claim).word(self.words))
            .raw(")</span></a>");
    }

    /// The details of every claim of the page, each behind its badge.
    pub(super) fn claim_details(&mut self) {
        for index in std::mem::take(&mut self.mentioned) {
            let claim = &self.document.claims[index];
            self.out
                .raw("<div class=\"about ")
                .raw(standing(claim.standing()))
                .raw("\" popover=\"auto\" id=\"about-");
            self.out.text(&claim.anchor).raw("\" role=\"dialog\" aria-label=\"");
            self.out
                .text(&self.words.head(Word::Claim))
                .raw(" ")
                .text(&claim.text)
                .raw("\"><p class=\"verdict\">");
            self.verdict(claim);
            self.out.raw("</p>");
            if !claim.verdict.detail().is_empty() {
                self.out.raw("<p class=\"detail\">").text(claim.verdict.detail()).raw("</p>");
            }
            self.out.raw("<dl>");
            self.term(Word::Claim);
            self.said(index);
            self.out.raw("</dd></div>");
            self.row(Word::Relation, &claim.relation);
            self.row(Word::Because, &claim.because.join(", "));
            if let Some(value) = &claim.value {
                self.out.raw("<div><dt>").text(&self.words.head(Word::Value));
                self.out.raw("</dt><dd class=\"full\">");
                self.value(value, claim.unit.as_deref());
                self.out.raw("</dd></div>");
            }
            for found in claim.elsewhere() {
                self.row(Word::Elsewhere, &found.words());
            }
            if claim.expected == Expected::Refuted {
                self.row(Word::Expected, self.words.get(Word::QuotedAsWrong));
            }
            self.provenance(claim);
            self.out.raw("</dl><p class=\"links\"><a href=\"ledger.html#");
            self.out.text(&claim.anchor).raw("\">").raw(self.words.get(Word::InLedger));
            self.out.raw("</a> <code>veracity explain ");
            self.out.text(&claim.id).raw("</code></p></div>\n");
        }
    }

    fn row(&mut self, name: Word, value: &str) {
        if !value.is_empty() {
            self.term(name);
            self.out.text(value).raw("</dd></div>");
        }
    }

    /// Begins a row up to what is said of its name.
    fn term(&mut self, name: Word) {
        self.out.raw("<div><dt>").text(&self.words.head(name)).raw("</dt><dd>");
    }

    /// A value, or the words that stand for one.
    fn value(&mut self, value: &str, unit: Option<&str>) {
        if value.contains(' ') {
            self.out.text(value);
        } else {
            self.out.raw("<code>").text(value).raw("</code>");
        }
        if let Some(unit) = unit {
            self.out.raw(" ").text(unit);
        }
    }

    fn provenance(&mut self, claim: &Judged) {
        let Some(provenance) = &claim.provenance else { return };
        self.term(Word::Cell);
        self.out.raw("<a href=\"");
        self.href(Some(&provenance.chapter), &provenance.anchor);
        let name = self.index.cell_name(claim, provenance);
        self.out.raw("\">").text(&name).raw("</a></dd></div>");
        self.row(Word::Device, &provenance.device);
        self.row(Word::Profile, &provenance.profile);
        if let Some(data) = &provenance.data {
            self.term(Word::Data);
            self.out.text(&data.name).raw(" (").raw(look::kind(data.kind, self.words));
            self.out
                .raw(") <code title=\"")
                .text(&data.digest)
                .raw("\">")
                .text(look::digest(&data.digest))
                .raw("</code></dd></div>");
        }
        if let Some(seed) = provenance.seed {
            self.row(Word::Seed, &seed.to_string());
        }
        self.term(Word::Key);
        self.out.raw("<code title=\"").text(&provenance.key).raw("\">");
        self.out.text(data::shown(&provenance.key)).raw("</code></dd></div>");
        self.out.raw("<div hidden=\"\"><dt>").text(&self.words.head(Word::CellTime));
        self.out.raw("</dt><dd data-duration=\"");
        self.out.text(&claim.id).raw("\"></dd></div>");
    }

    /// How many claims have which verdict.
    pub(super) fn summary(&mut self, claims: &[&Judged]) {
        if claims.is_empty() {
            return;
        }
        self.out.raw("<p class=\"tally\"><a href=\"ledger.html\">");
        self.out.text(&self.words.claims(claims.len())).raw("</a>");
        for (look, count) in look::counts(claims.iter().copied()) {
            self.out.raw(" <span class=\"count ").raw(standing(look.standing())).raw("\">");
            self.count(look, count);
            self.out.raw("</span>");
        }
        self.out.raw("</p>");
    }

    fn count(&mut self, look: Look, count: usize) {
        self.out.raw(look.icon()).raw(" <b>").text(&count.to_string()).raw("</b> ");
        self.out.raw(look.word(self.words));
    }

    /// The same with what each mark means.
    pub(super) fn legend(&mut self) {
        let counts = look::counts(&self.document.claims);
        if counts.is_empty() {
            return;
        }
        self.out.raw("<dl class=\"legend\">");
        for (look, count) in counts {
            self.out.raw("<div><dt class=\"count ").raw(standing(look.standing())).raw("\">");
            self.count(look, count);
            self.out.raw("</dt><dd>").raw(look.meaning(self.words)).raw("</dd></div>");
        }
        self.out.raw("</dl><p class=\"all\"><a href=\"ledger.html\">");
        let all = self.words.claims(self.document.claims.len());
        self.out.text(&self.words.with(Word::LedgerOfAll, [&all])).raw("</a></p>");
    }

    /// Whether all claims are as expected, in a sentence.
    pub(super) fn outcome(&mut self) {
        if self.document.claims.is_empty() {
            self.out.raw("<p class=\"outcome\">").raw(self.words.get(Word::NoClaims)).raw("</p>");
            return;
        }
        let (worst, words) = look::outcome(self.document);
        let (class, icon) = match worst {
            Standing::Good => ("<p class=\"outcome good\">", VERIFIED),
            Standing::Open => ("<p class=\"outcome open\">", UNVERIFIED),
            Standing::Bad => ("<p class=\"outcome bad\">", REFUTED),
        };
        self.out.raw(class).raw(icon).raw(" <span>").text(&words).raw("</span></p>");
    }

    /// A mark beside the title of a chapter with something wrong in it.
    pub(super) fn mark(&mut self, chapter: &Chapter) {
        let failed = self
            .document
            .claims
            .iter()
            .any(|claim| claim.chapter == chapter.slug && claim.standing() == Standing::Bad);
        if failed || !chapter.problems.is_empty() {
            self.out.raw(" <span class=\"mark bad\">").raw(REFUTED);
            self.out.raw("<span class=\"hidden\">").raw(self.words.get(Word::HasFailures));
            self.out.raw("</span></span>");
        }
    }

    /// The table of all claims.
    pub(super) fn ledger(&mut self) {
        self.outcome();
        self.summary(&self.document.claims.iter().collect::<Vec<_>>());
        let mut looks: Vec<Look> = self.document.claims.iter().map(Look::of).collect();
        looks.sort();
        looks.dedup();
        // Hidden until the script that works them is there.
        self.out.raw("<form class=\"filters\" hidden=\"\"><fieldset><legend>");
        self.out.text(&self.words.head(Word::Verdict)).raw("</legend>");
        for look in looks {
            self.out.raw("<label><input type=\"checkbox\" name=\"verdict\" value=\"");
            self.out
                .raw(look.class())
                .raw("\" checked=\"\"/> ")
                .raw(look.word(self.words))
                .raw("</label>");
        }
        self.out.raw("</fieldset><label class=\"choose\">").raw(self.words.get(Word::Chapter));
        self.out.raw(" <select name=\"chapter\"><option value=\"\">");
        self.out.raw(self.words.get(Word::All)).raw("</option>");
        for chapter in &self.document.chapters {
            self.out.raw("<option value=\"").text(&chapter.slug).raw("\">").text(&chapter.number);
            self.out.raw(" ").text(&plain_text(&chapter.title)).raw("</option>");
        }
        self.out.raw("</select></label><p class=\"shown\" role=\"status\" data-words=\"");
        self.out.raw(self.words.get(Word::Shown)).raw("\"></p></form>");
        let shared = Shared::of(&self.document.claims);
        if let Some(words) = shared.words(self.words) {
            self.out.raw("<p class=\"setting\">").text(&words).raw("</p>");
        }
        self.out.raw(
            "<div class=\"scroll\"><table class=\"ledger\">\
             <caption class=\"hidden\">",
        );
        self.out.raw(self.words.get(Word::EveryClaim)).raw("</caption><thead><tr>");
        for word in [Word::Verdict, Word::Claim, Word::Value, Word::RestsOn] {
            self.out.raw("<th scope=\"col\">").text(&self.words.head(word)).raw("</th>");
        }
        self.out.raw("</tr></thead>");
        for chapter in &self.document.chapters {
            self.ledger_group(chapter, shared);
        }
        self.out.raw("</table></div>");
        self.lattice();
        self.coverage();
    }

    /// The claims of a chapter; `shared` is given above all.
    fn ledger_group(&mut self, chapter: &'a Chapter, shared: Shared<'_>) {
        let claims = self.document.claims.iter().enumerate();
        let mut claims = claims.filter(|(_, claim)| claim.chapter == chapter.slug).peekable();
        if claims.peek().is_none() {
            return;
        }
        self.out.raw("<tbody><tr class=\"group\"><th colspan=\"4\" scope=\"rowgroup\">");
        self.out.text(&chapter.number).raw(" ");
        self.label(&chapter.title);
        self.out.raw(" <code>").text(&chapter.slug).raw("/</code></th></tr>\n");
        for (index, claim) in claims {
            self.ledger_row(index, claim, shared);
        }
        self.out.raw("</tbody>");
    }

    fn ledger_row(&mut self, index: usize, claim: &'a Judged, shared: Shared<'_>) {
        self.out.raw("<tr id=\"").text(&claim.anchor).raw("\" data-verdict=\"");
        self.out.raw(Look::of(claim).class()).raw("\" data-chapter=\"").text(&claim.chapter);
        self.out.raw("\"><td><span class=\"badge ").raw(standing(claim.standing())).raw("\">");
        self.verdict(claim);
        self.out.raw("</span></td><th scope=\"row\"><div class=\"scroll\"><a href=\"");
        self.out.text(&page_name(&claim.chapter)).raw("#").text(&claim.anchor).raw("\">");
        self.said(index);
        self.out.raw("</a></div><code class=\"quiet\" title=\"").text(&claim.id).raw("\">");
        self.out.text(look::local_id(claim)).raw("</code></th><td class=\"full\">");
        if let Some(value) = &claim.value {
            self.value(value, claim.unit.as_deref());
        }
        self.out.raw("<span class=\"quiet\">").text(&claim.relation).raw("</span>");
        for found in claim.elsewhere() {
            self.out.raw("<span class=\"quiet\">").text(&found.words()).raw("</span>");
        }
        if !claim.verdict.detail().is_empty() {
            self.out.raw("<span class=\"detail\">").text(claim.verdict.detail()).raw("</span>");
        }
        self.out.raw("</td><td class=\"basis\">");
        if let Some(from) = &claim.provenance {
            self.out.raw("<a href=\"");
            self.href(Some(&from.chapter), &from.anchor);
            let name = self.index.cell_name(claim, from);
            self.out.raw("\">").text(&name).raw("</a>");
            if shared.setting.is_none() {
                self.named(Word::Profile, &from.profile);
                self.named(Word::Device, &from.device);
            }
            if let Some(data) = &from.data {
                self.out.raw("<span>").raw(self.words.get(Word::Data)).raw(" ").text(&data.name);
                self.out.raw(" (").raw(look::kind(data.kind, self.words));
                self.out.raw(") <code title=\"").text(&data.digest).raw("\">");
                self.out.text(look::digest(&data.digest)).raw("</code></span>");
            }
            if let Some(seed) = from.seed.filter(|_| shared.seed.is_none()) {
                self.named(Word::Seed, &seed.to_string());
            }
            self.out.raw("<span>").raw(self.words.get(Word::Key)).raw(" <code title=\"");
            self.out.text(&from.key).raw("\">").text(data::shown(&from.key));
            self.out.raw("</code></span><span hidden=\"\">").raw(self.words.get(Word::CellTime));
            self.out.raw(" <span data-duration=\"").text(&claim.id).raw("\"></span></span>");
        }
        self.out.raw("</td></tr>\n");
    }

    fn named(&mut self, name: Word, value: &str) {
        self.out.raw("<span>").raw(self.words.get(name)).raw(" ").text(value).raw("</span>");
    }
}

/// Longest word that is tied to the badge after it: both must fit on a line of a phone.
const LONGEST_TIED: usize = 14;

/// Splits the last word off some content, if that is text and short: what stands before it, in
/// whole inlines and in words, and the word.
fn split_last_word(content: &[Inline]) -> ((&[Inline], &str), &str) {
    if let Some((Inline::Text(text), before)) = content.split_last() {
        let (start, word) = text.split_at(text.rfind(' ').map_or(0, |at| at + 1));
        if word.chars().count() <= LONGEST_TIED {
            return ((before, start), word);
        }
    }
    ((content, ""), "")
}
