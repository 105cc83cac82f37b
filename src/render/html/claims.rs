//! Claims as HTML: badge, details, summary and ledger.
//!
//! In: judged claims. Out: for each a badge of shape and word beside the author's words, a
//! popover with what the verdict rests on, and a row of the ledger.

use veracity_protocol::DataKind;

use super::blocks::{EXPECTED, REFUTED, UNVERIFIED, VACUOUS, VERIFIED, WARNING};
use super::{Writer, page_name, plain};
use crate::claims::{Expected, Judged, Standing, Verdict};
use crate::document::{Chapter, Inline};

/// How a verdict looks. The order is that of summaries.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Look {
    Verified,
    AsExpected,
    Unverified,
    Refuted,
    Unexpected,
    Vacuous,
    Error,
}

impl Look {
    fn of(claim: &Judged) -> Self {
        match (&claim.verdict, claim.expected) {
            (Verdict::Verified, Expected::Verified) => Self::Verified,
            (Verdict::Verified, Expected::Refuted) => Self::Unexpected,
            (Verdict::Refuted(_), Expected::Refuted) => Self::AsExpected,
            (Verdict::Refuted(_), Expected::Verified) => Self::Refuted,
            (Verdict::Unverified(..), _) => Self::Unverified,
            (Verdict::Vacuous(_), _) => Self::Vacuous,
            (Verdict::Error(_), _) => Self::Error,
        }
    }

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

    fn word(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::AsExpected => "refuted, as expected",
            Self::Unverified => "unverified",
            Self::Refuted => "refuted",
            Self::Unexpected => "holds, against expectation",
            Self::Vacuous => "vacuous",
            Self::Error => "error",
        }
    }

    /// Name in classes and filters.
    fn class(self) -> &'static str {
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

fn standing(claim: &Judged) -> &'static str {
    match claim.standing() {
        Standing::Good => "good",
        Standing::Open => "open",
        Standing::Bad => "bad",
    }
}

impl<'a> Writer<'a> {
    /// The author's words with the badge of the claim that they make.
    pub(super) fn claim(&mut self, index: usize, content: &'a [Inline]) {
        let Some(claim) = self.document.claims.get(index) else {
            return self.inlines(content);
        };
        let first = !self.mentioned.contains(&index);
        self.out.raw("<span class=\"claim ").raw(standing(claim));
        if first {
            self.mentioned.push(index);
            self.out.raw("\" id=\"").text(&claim.anchor);
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
        self.out.raw(look.icon()).raw(" ").raw(look.word());
        if let Verdict::Unverified(reason, _) = &claim.verdict {
            self.out.raw(" <span class=\"reason\">(").raw(reason.word()).raw(")</span>");
        }
    }

    /// What a claim asserts: its formula or its words.
    fn said(&mut self, index: usize) {
        match self.claimed.get(&index) {
            Some(math) => self.formula(math),
            None => {
                self.out.text(&self.document.claims[index].text);
            }
        }
    }

    /// A link to where a claim is made.
    pub(super) fn claim_link(&mut self, index: usize) {
        let Some(claim) = self.document.claims.get(index) else { return };
        self.out.raw(" <a class=\"to-claim ").raw(standing(claim)).raw("\" href=\"");
        self.href(Some(&claim.chapter), &claim.anchor);
        self.out.raw("\">").raw(Look::of(claim).icon()).raw(" <span>");
        self.said(index);
        self.out
            .raw("</span><span class=\"hidden\"> (")
            .raw(Look::of(claim).word())
            .raw(")</span></a>");
    }

    /// The details of every claim of the page, each behind its badge.
    pub(super) fn claim_details(&mut self) {
        for index in std::mem::take(&mut self.mentioned) {
            let claim = &self.document.claims[index];
            self.out
                .raw("<div class=\"about ")
                .raw(standing(claim))
                .raw("\" popover=\"auto\" id=\"about-");
            self.out.text(&claim.anchor).raw("\" role=\"dialog\" aria-label=\"Claim ");
            self.out.text(&claim.text).raw("\"><p class=\"verdict\">");
            self.verdict(claim);
            self.out.raw("</p>");
            if !claim.verdict.detail().is_empty() {
                self.out.raw("<p class=\"detail\">").text(claim.verdict.detail()).raw("</p>");
            }
            self.out.raw("<dl>");
            self.out.raw("<div><dt>Claim</dt><dd>");
            self.said(index);
            self.out.raw("</dd></div>");
            self.row("Relation", &claim.relation);
            if let Some(value) = &claim.value {
                self.out.raw("<div><dt>Value</dt><dd class=\"full\">");
                self.value(value, claim.unit.as_deref());
                self.out.raw("</dd></div>");
            }
            if claim.expected == Expected::Refuted {
                self.row("Expected", "refuted: quoted because it is wrong");
            }
            self.provenance(claim);
            self.out.raw("</dl><p class=\"links\"><a href=\"ledger.html#");
            self.out.text(&claim.anchor).raw("\">In the ledger</a> <code>veracity explain ");
            self.out.text(&claim.id).raw("</code></p></div>\n");
        }
    }

    fn row(&mut self, name: &'static str, value: &str) {
        if !value.is_empty() {
            self.out.raw("<div><dt>").raw(name).raw("</dt><dd>").text(value).raw("</dd></div>");
        }
    }

    fn value(&mut self, value: &str, unit: Option<&str>) {
        self.out.raw("<code>").text(value).raw("</code>");
        if let Some(unit) = unit {
            self.out.raw(" ").text(unit);
        }
    }

    fn provenance(&mut self, claim: &Judged) {
        let Some(provenance) = &claim.provenance else { return };
        self.out.raw("<div><dt>Cell</dt><dd><a href=\"");
        self.href(Some(&provenance.chapter), &provenance.anchor);
        self.out.raw("\">").text(&provenance.cell).raw("</a></dd></div>");
        self.row("Device", &provenance.device);
        self.row("Profile", &provenance.profile);
        if let Some(data) = &provenance.data {
            self.out.raw("<div><dt>Data</dt><dd>").text(&data.name);
            self.out.raw(" (").raw(kind(data.kind)).raw(") <code title=\"").text(&data.digest);
            self.out.raw("\">").text(abbreviated(&data.digest)).raw("</code></dd></div>");
        }
        if let Some(seed) = provenance.seed {
            self.row("Seed", &seed.to_string());
        }
        self.out.raw("<div><dt>Key</dt><dd><code title=\"").text(&provenance.key).raw("\">");
        self.out.text(abbreviated(&provenance.key)).raw("</code></dd></div>");
        self.out.raw("<div hidden=\"\"><dt>Cell time</dt><dd data-duration=\"");
        self.out.text(&claim.id).raw("\"></dd></div>");
    }

    /// How many claims have which verdict.
    pub(super) fn summary(&mut self, claims: &[&Judged]) {
        let mut counts = std::collections::BTreeMap::<Look, (usize, &'static str)>::new();
        for claim in claims {
            counts.entry(Look::of(claim)).or_insert((0, standing(claim))).0 += 1;
        }
        if claims.is_empty() {
            return;
        }
        self.out.raw("<p class=\"tally\"><a href=\"ledger.html\">");
        self.out.text(&claims.len().to_string());
        self.out.raw(if claims.len() == 1 { " claim</a>" } else { " claims</a>" });
        for (look, (count, standing)) in counts {
            self.out.raw(" <span class=\"count ").raw(standing).raw("\">").raw(look.icon());
            self.out.raw(" <b>").text(&count.to_string()).raw("</b> ").raw(look.word());
            self.out.raw("</span>");
        }
        self.out.raw("</p>");
    }

    /// Whether all claims are as expected, in a sentence.
    pub(super) fn outcome(&mut self) {
        let count =
            |wanted| self.document.claims.iter().filter(|claim| claim.standing() == wanted).count();
        let (total, open, bad) =
            (self.document.claims.len(), count(Standing::Open), count(Standing::Bad));
        let (class, icon) = match (open, bad) {
            (0, 0) => ("<p class=\"outcome good\">", VERIFIED),
            (_, 0) => ("<p class=\"outcome open\">", UNVERIFIED),
            _ => ("<p class=\"outcome bad\">", REFUTED),
        };
        if total == 0 {
            self.out.raw("<p class=\"outcome\">This report makes no claims.</p>");
            return;
        }
        self.out.raw(class).raw(icon).raw(" <span>");
        match (open, bad) {
            (0, 0) => self.out.raw("Every claim is as expected."),
            (open, 0) => self
                .out
                .text(&format!("No claim failed; {open} of {total} could not be checked here.")),
            (_, bad) => self.out.text(&format!("{bad} of {total} claims failed.")),
        };
        self.out.raw("</span></p>");
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
            self.out.raw("<span class=\"hidden\">has failures</span></span>");
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
        self.out.raw("<form class=\"filters\" hidden=\"\"><fieldset><legend>Verdict</legend>");
        for look in looks {
            self.out.raw("<label><input type=\"checkbox\" name=\"verdict\" value=\"");
            self.out.raw(look.class()).raw("\" checked=\"\"/> ").raw(look.word()).raw("</label>");
        }
        self.out.raw(
            "</fieldset><label class=\"choose\">Chapter <select name=\"chapter\">\
             <option value=\"\">all</option>",
        );
        for chapter in &self.document.chapters {
            self.out.raw("<option value=\"").text(&chapter.slug).raw("\">").text(&chapter.number);
            self.out.raw(" ").text(&plain(&chapter.title)).raw("</option>");
        }
        self.out.raw(
            "</select></label><p class=\"shown\" role=\"status\"></p></form>\
             <div class=\"scroll\"><table class=\"ledger\">\
             <caption class=\"hidden\">Every claim of the report with its verdict</caption>\
             <thead><tr><th scope=\"col\">Verdict</th><th scope=\"col\">Claim</th>\
             <th scope=\"col\">Value</th><th scope=\"col\">Rests on</th></tr></thead><tbody>",
        );
        for (index, claim) in self.document.claims.iter().enumerate() {
            self.ledger_row(index, claim);
        }
        self.out.raw("</tbody></table></div>");
    }

    fn ledger_row(&mut self, index: usize, claim: &'a Judged) {
        self.out.raw("<tr id=\"").text(&claim.anchor).raw("\" data-verdict=\"");
        self.out.raw(Look::of(claim).class()).raw("\" data-chapter=\"").text(&claim.chapter);
        self.out.raw("\"><td><span class=\"badge ").raw(standing(claim)).raw("\">");
        self.verdict(claim);
        self.out.raw("</span></td><th scope=\"row\"><a href=\"").text(&page_name(&claim.chapter));
        self.out.raw("#").text(&claim.anchor).raw("\">");
        self.said(index);
        self.out.raw("</a><span class=\"quiet\">").text(&claim.relation).raw("</span>");
        self.out.raw("<span class=\"quiet\"><code>").text(&claim.id).raw("</code></span>");
        if !claim.verdict.detail().is_empty() {
            self.out.raw("<span class=\"detail\">").text(claim.verdict.detail()).raw("</span>");
        }
        self.out.raw("</th><td class=\"full\">");
        if let Some(value) = &claim.value {
            self.value(value, claim.unit.as_deref());
        }
        self.out.raw("</td><td>");
        if claim.provenance.is_some() {
            self.out.raw("<dl>");
            self.provenance(claim);
            self.out.raw("</dl>");
        }
        self.out.raw("</td></tr>\n");
    }
}

fn kind(kind: DataKind) -> &'static str {
    match kind {
        DataKind::Real => "real",
        DataKind::Subset => "subset",
        DataKind::Synthetic => "synthetic",
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

/// The first digits of a digest.
fn abbreviated(digest: &str) -> &str {
    digest.char_indices().nth(12).map_or(digest, |(at, _)| &digest[..at])
}
