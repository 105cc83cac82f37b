//! Passes a verdict on each claim.
//!
//! In: the places where claims stand, and the results of all cells. Out: the ledger, and a
//! diagnostic for each claim that is itself at fault. A claim that is sound but refuted or
//! vacuous has its verdict, and no diagnostic.

mod devices;

pub(crate) use self::devices::missing as missing_on;

use std::collections::BTreeMap;

use num_rational::BigRational;
use veracity_protocol::{Check, CheckStatus, DataKind, DataUse, Published, Value};

use super::lattice;
use super::measure::Measure;
use super::published::{Hit, Miss, Names, Outcome};
use super::relation::Relation;
use super::rule::Rule;
use super::strength::outcome;
use super::wording::{denied_by, opposed_by, says_false};
use super::{Expected, Judged, Provenance, Reason, Verdict, exact, number};
use crate::data::kind_word;
use crate::diag::{Diagnostic, closest};
use crate::exec::Executed;
use crate::parse::{Chapter, ClaimSite, Inline};
use crate::span::Span;

/// A claim in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Index of the chapter.
    pub chapter: usize,
    /// Anchor in the page.
    pub anchor: String,
    /// What the author wrote, with the text as a reader sees it.
    pub claim: ClaimSite,
    /// What makes the claim.
    pub subject: Subject,
}

/// What makes a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Words.
    Prose(Stated),
    /// A displayed equation, by its label.
    Equation(Option<String>),
    /// What a table says of its own numbers: of which, and as found.
    Table(String, Verdict),
}

/// What the author states in words, without what the build puts among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stated {
    /// The words; no inline values, references, citations and footnotes.
    pub text: String,
    /// Whether an inline value stands among them.
    pub has_value: bool,
}

impl Stated {
    /// What the text of a claim states.
    pub fn of(content: &[Inline]) -> Self {
        let mut stated = Self::default();
        stated.add(content);
        stated
    }

    fn add(&mut self, content: &[Inline]) {
        for inline in content {
            match inline {
                Inline::Text(text) | Inline::Code(text) | Inline::Html(text) => {
                    self.text.push_str(text);
                }
                Inline::Math { latex, .. } => self.text.push_str(latex),
                Inline::Emphasis(content)
                | Inline::Strong(content)
                | Inline::Strikethrough(content)
                | Inline::Link { content, .. }
                | Inline::Claim { content, .. } => self.add(content),
                Inline::Image { alt, .. } => self.text.push_str(alt),
                Inline::Value { .. } => self.has_value = true,
                Inline::Reference { .. } | Inline::Citation { .. } | Inline::Footnote { .. } => {}
                Inline::SoftBreak | Inline::HardBreak => self.text.push(' '),
            }
        }
    }
}

/// Judges all claims, in the order in which a reader meets them.
///
/// `cells` gives the anchor of a cell by the indices of its chapter and of itself.
pub fn judge(
    sites: Vec<Site>,
    chapters: &[Chapter],
    executed: &Executed,
    cells: impl Fn(usize, usize) -> String,
) -> (Vec<Judged>, Vec<Diagnostic>) {
    let names = Names::new(chapters, executed);
    let elsewhere: BTreeMap<&str, Names> = (executed.elsewhere.iter())
        .map(|(device, executed)| (device.as_str(), Names::new(chapters, executed)))
        .collect();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut diagnostics = names.duplicates();
    let mut because = Vec::new();
    let mut judged: Vec<Judged> = sites
        .into_iter()
        .map(|site| {
            let slug = &chapters[site.chapter].slug;
            let plain = site.claim.name.rsplit('/').next().unwrap_or_default();
            let mut id = format!("{slug}/{plain}");
            let count = seen.entry(id.clone()).and_modify(|count| *count += 1).or_insert(1);
            if *count > 1 {
                id = format!("{id}#{count}");
            }
            let mut finding = Finding::of(&site, &names);
            let devices = devices::compare(&mut finding, &site, &names, &elsewhere);
            because.push(finding.because);
            let provenance = finding.cell.and_then(|(chapter, cell)| {
                let result = names.cell(chapter, cell)?;
                Some(Provenance {
                    cell: chapters[chapter].cells[cell].id.clone(),
                    chapter: chapters[chapter].slug.clone(),
                    anchor: cells(chapter, cell),
                    key: result.key.clone(),
                    device: result.device.clone(),
                    profile: result.profile.clone(),
                    data: finding.published.and_then(|value| value.data.clone()),
                    seed: finding.published.and_then(|value| value.seed).or(Some(result.seed)),
                    duration_ms: result.duration_ms,
                })
            });
            let judged = Judged {
                id,
                anchor: site.anchor,
                chapter: slug.clone(),
                span: site.claim.span,
                text: site.claim.text,
                name: site.claim.name,
                others: finding.named,
                relation: finding.relation,
                compares_number: finding.compares_number,
                expected: finding.expected,
                verdict: finding.verdict,
                value: finding.value,
                unit: finding.published.and_then(|value| value.unit.clone()),
                provenance,
                because: Vec::new(),
                devices,
            };
            diagnostics.extend(complaint(&judged, finding.code, finding.hint.as_deref()));
            diagnostics.extend(finding.loose.map(|words| loose(words, judged.span.clone())));
            judged
        })
        .collect();
    diagnostics.extend(lattice::settle(&mut judged, &because));
    (judged, diagnostics)
}

/// What is wrong with a claim that is at fault, for its author.
fn complaint(judged: &Judged, code: &'static str, hint: Option<&str>) -> Option<Diagnostic> {
    let Verdict::Error(message) = &judged.verdict else { return None };
    if judged.name.is_empty() {
        // Said where the claim was parsed.
        return None;
    }
    let complaint = Diagnostic::error(code, message.clone(), judged.span.clone());
    Some(match hint {
        Some(hint) => complaint.hint(hint),
        None => complaint,
    })
}

/// That a tolerance leaves printed digits unchecked.
fn loose(words: String, place: Span) -> Diagnostic {
    Diagnostic::warning("loose-tolerance", words, place)
        .hint("print fewer digits, narrow it, or name the published figure by `quotes NAME`")
}

/// A verdict with what led to it.
struct Finding<'a> {
    expected: Expected,
    relation: String,
    verdict: Verdict,
    value: Option<String>,
    published: Option<&'a Published>,
    /// Further values that the claim speaks of.
    others: Vec<&'a Published>,
    /// Their names, and that of what it quotes.
    named: Vec<String>,
    compares_number: bool,
    because: Vec<String>,
    /// Devices on each of which it must hold.
    devices: Vec<String>,
    /// The value as a number, if it is one.
    number: Option<BigRational>,
    cell: Option<(usize, usize)>,
    code: &'static str,
    hint: Option<String>,
    /// How a tolerance leaves printed digits unchecked.
    loose: Option<String>,
}

impl<'a> Finding<'a> {
    fn of(site: &Site, names: &Names<'a>) -> Self {
        let mut finding = Self {
            expected: Expected::Verified,
            relation: site.claim.relation.trim().to_owned(),
            verdict: Verdict::Error("not judged".into()),
            value: None,
            published: None,
            others: Vec::new(),
            named: Vec::new(),
            compares_number: true,
            because: Vec::new(),
            devices: Vec::new(),
            number: None,
            cell: None,
            code: "claim-error",
            hint: None,
            loose: None,
        };
        let relation = match Relation::parse(&site.claim.relation) {
            Ok(relation) => relation,
            Err(message) => {
                finding.verdict = Verdict::Error(message);
                return finding;
            }
        };
        finding.expected = relation.expected;
        finding.because = relation.because.clone();
        finding.devices = relation.devices.clone();
        finding.named = relation.measure.others().iter().chain(&relation.quotes).cloned().collect();
        if let Subject::Table(words, verdict) = &site.subject {
            finding.relation = words.clone();
            finding.verdict = verdict.clone();
            finding.compares_number = false;
            return finding;
        }
        let printed = match &site.subject {
            Subject::Prose(stated) => number::find(&stated.text).ok().flatten(),
            Subject::Equation(_) | Subject::Table(..) => None,
        };
        finding.relation = relation.rule.words(printed.as_ref());
        // Digits that are quoted are compared with what they quote.
        if relation.quotes.is_none() {
            finding.loose = printed.as_ref().and_then(|printed| relation.rule.leaves_open(printed));
        }
        match names.find(&site.claim.name, site.chapter) {
            Ok(hit) => finding.judge(site, &relation, hit, names),
            Err(miss) => finding.miss(site, &site.claim.name, miss, names),
        }
        finding.relation = relation.words(&finding.relation);
        if let Subject::Prose(stated) = &site.subject
            && let Some(words) = opposed_by(&relation.rule, &stated.text)
        {
            let message =
                format!("the text says “{words}”, the opposite of `{}`", finding.relation);
            finding.verdict = Verdict::Error(message);
        }
        if let Subject::Prose(stated) = &site.subject
            && !finding.compares_number
            && finding.published.is_none_or(|value| {
                !says_false(&stated.text) && matches!(value.value, Value::Bool { .. })
            })
            && let Some(words) = denied_by(&stated.text)
                .or_else(|| says_false(&stated.text).then_some(stated.text.trim()))
        {
            finding.hint =
                Some("say what is true, or publish a value that says the opposite".into());
            finding.verdict = Verdict::Error(format!(
                "the text says “{words}”, but a claim on {} says that it holds",
                if finding.published.is_some() { "a value of true or false" } else { "a check" }
            ));
        }
        if let Some(name) = &relation.quotes {
            finding.quote(site, name, names);
        }
        if let Some(name) = &relation.on {
            finding.confine(name);
        }
        finding
    }

    /// Compares the text with the published figure that it quotes, whatever came of the value itself.
    fn quote(&mut self, site: &Site, name: &str, names: &Names<'a>) {
        let Subject::Prose(stated) = &site.subject else {
            self.verdict = Verdict::Error("only words quote a figure".into());
            return;
        };
        let value = match names.find(name, site.chapter) {
            Ok(Hit { result: Outcome::Value(value), .. }) => value,
            Ok(_) => {
                self.verdict = Verdict::Error(format!("`{name}` is a check and no figure"));
                return;
            }
            // What the value itself lacks is told first.
            Err(Miss::Open { .. }) if matches!(self.verdict, Verdict::Unverified(..)) => return,
            Err(miss) => {
                let cell = self.cell;
                self.miss(site, name, miss, names);
                self.cell = cell;
                return;
            }
        };
        if self.published.is_some_and(|own| std::ptr::eq(own, value)) {
            self.verdict =
                Verdict::Vacuous(format!("it quotes `{name}`, the value that it is about"));
            return;
        }
        let figure = match exact::number(&value.value) {
            Ok(figure) => figure,
            Err(message) => {
                self.verdict = Verdict::Error(format!("`{name}`: {message}"));
                return;
            }
        };
        let unit = value.unit.as_deref();
        match Rule::Printed.compare(number::find(&stated.text), &figure, unit) {
            Verdict::Verified => {}
            Verdict::Refuted(_) => {
                self.verdict = Verdict::Error(format!(
                    "the text prints `{}`, but `{name}`, which it quotes, is {}",
                    stated.text.trim(),
                    exact::shown(&figure)
                ));
            }
            other => self.verdict = other,
        }
    }

    /// Withdraws a verdict that does not come of the real data of this name.
    fn confine(&mut self, name: &str) {
        if !matches!(self.verdict, Verdict::Verified | Verdict::Refuted(_)) {
            return;
        }
        let Some(published) = self.published else {
            self.hint = Some(
                "publish what it found as a value of true or false, with `.data(…)`, and claim that"
                    .into(),
            );
            self.verdict = Verdict::Error("a check does not say on which data it ran".into());
            return;
        };
        let is_real = |data: &DataUse| data.name == name && data.kind == DataKind::Real;
        let all = std::iter::once(published).chain(self.others.iter().copied());
        let Some(published) =
            all.clone().find(|published| !published.data.as_ref().is_some_and(is_real))
        else {
            return;
        };
        let instead = match &published.data {
            Some(data) if data.name == name && data.kind == DataKind::Synthetic => {
                format!("was computed on synthetic data in the place of `{name}`")
            }
            Some(data) if data.name == name => {
                format!("was computed on a {} of `{name}`", kind_word(data.kind))
            }
            Some(data) => {
                format!(
                    "was computed on `{}` ({}) and not on `{name}`",
                    data.name,
                    kind_word(data.kind)
                )
            }
            None => format!("names no data, and this is claimed on `{name}`"),
        };
        self.verdict =
            Verdict::Unverified(Reason::NeedsData, format!("`{}` {instead}", published.name));
    }

    fn judge(&mut self, site: &Site, relation: &Relation, hit: Hit<'a>, names: &Names<'a>) {
        self.cell = Some((hit.chapter, hit.cell));
        let device = names.cell(hit.chapter, hit.cell).map_or("", |cell| cell.device.as_str());
        let Some(rule) = relation.rule.on(device) else {
            self.verdict = Verdict::Unverified(
                Reason::NeedsDevice,
                format!("no tolerance is given for the device `{device}`"),
            );
            return;
        };
        let relation = &Relation { rule, ..relation.clone() };
        for name in relation.measure.others() {
            match names.find(name, site.chapter) {
                Ok(Hit { result: Outcome::Value(value), .. }) => self.others.push(value),
                Ok(_) => {
                    self.verdict = Verdict::Error(format!("`{name}` is a check and no number"));
                    return;
                }
                Err(miss) => return self.miss(site, name, miss, names),
            }
        }
        let rule = &relation.rule;
        match hit.result {
            Outcome::Value(value) => {
                self.published = Some(value);
                self.value = Some(exact::full(&value.value));
                self.number = exact::number(&value.value).ok();
                self.verdict = match &site.subject {
                    Subject::Prose(stated) if relation.measure != Measure::default() => {
                        self.measured(stated, relation, value)
                    }
                    Subject::Prose(stated) => self.value(stated, rule, value),
                    Subject::Table(_, verdict) => verdict.clone(),
                    Subject::Equation(_) => Verdict::Error(format!(
                        "`{}` is a value; an equation is claimed by a check that evaluates it",
                        value.name
                    )),
                };
            }
            Outcome::Check(check) => {
                self.value = Some(outcome(check));
                self.relation = "holds".into();
                self.compares_number = false;
                self.verdict = if relation.measure == Measure::default() {
                    self.check(&site.subject, rule, check)
                } else {
                    needs_no_relation(&check.name, "a check")
                };
            }
        }
    }

    /// Judges what is said of a sample or of several values.
    fn measured(&mut self, stated: &Stated, relation: &Relation, first: &Published) -> Verdict {
        let measure = &relation.measure;
        let estimate = match measure.of(first, &self.others) {
            Ok(estimate) => estimate,
            Err(verdict) => return verdict,
        };
        self.value = Some(estimate.shown.clone());
        self.number = Some(estimate.value.clone());
        if stated.has_value && !matches!(relation.rule, Rule::Bound(..)) {
            return Verdict::Vacuous(PRINTS_VALUE.into());
        }
        let unit = if measure.points.is_some() { Some("%") } else { measure.unit(first) };
        relation.compare(&stated.text, &estimate, unit)
    }

    fn value(&mut self, stated: &Stated, rule: &Rule, published: &Published) -> Verdict {
        let text = &stated.text;
        let needs_no_relation = |kind: &str| needs_no_relation(&published.name, kind);
        match &published.value {
            Value::Bool { value } => {
                self.relation = "holds".into();
                self.compares_number = false;
                match rule {
                    Rule::Printed if *value != says_false(text) => Verdict::Verified,
                    Rule::Printed => Verdict::Refuted(format!("the value is {value}")),
                    _ => needs_no_relation("true or false"),
                }
            }
            Value::Text { value } => {
                self.relation = "= (same text)".into();
                match rule {
                    Rule::Printed if text.trim() == value.trim() => Verdict::Verified,
                    Rule::Printed => Verdict::Refuted(format!("the value is `{}`", value.trim())),
                    _ => needs_no_relation("text"),
                }
            }
            Value::Sample { .. } => {
                self.hint = Some("say which one in the title: `mean` or `median`".into());
                Verdict::Error(format!("`{}` is a sample and not one number", published.name))
            }
            Value::Series { .. } => {
                self.hint = Some(
                    "publish what the sentence speaks of, such as the mean or the last number, \
                     as a value of its own"
                        .into(),
                );
                Verdict::Error(format!("`{}` is many numbers and not one", published.name))
            }
            value => match (exact::number(value), number::find(text)) {
                (Ok(_), Ok(None)) if stated.has_value && !matches!(rule, Rule::Bound(..)) => {
                    Verdict::Vacuous(PRINTS_VALUE.into())
                }
                (Ok(value), printed) => match rule {
                    Rule::At(point) => point.compare(text, &value),
                    rule => rule.compare(printed, &value, published.unit.as_deref()),
                },
                (Err(message), _) => {
                    self.hint = Some(
                        "look in its cell for a division by zero, a logarithm of nothing, or a \
                         training that has diverged"
                            .into(),
                    );
                    Verdict::Error(message)
                }
            },
        }
    }

    fn check(&mut self, subject: &Subject, rule: &Rule, check: &Check) -> Verdict {
        if *rule != Rule::Printed {
            return needs_no_relation(&check.name, "a check");
        }
        if check.cases == 0 {
            return Verdict::Vacuous(format!("the check `{}` compared nothing", check.name));
        }
        match subject {
            Subject::Equation(None) => {
                self.hint = Some(
                    "give it a label such as `#eq-m`, and write `equation!(\"eq-m\")` in the check"
                        .into(),
                );
                return Verdict::Error("an equation that makes a claim needs a label".into());
            }
            Subject::Equation(Some(label)) if !check.equations.contains(label) => {
                return Verdict::Vacuous(format!(
                    "the check `{}` did not evaluate this formula, `equation!(\"{label}\")`",
                    check.name
                ));
            }
            _ => {}
        }
        match check.status {
            CheckStatus::Passed => Verdict::Verified,
            CheckStatus::Failed => Verdict::Refuted(match &check.counterexample {
                Some(counterexample) => format!("counterexample: {counterexample}"),
                None => "the check failed".into(),
            }),
        }
    }

    fn miss(&mut self, site: &Site, name: &str, miss: Miss, names: &Names) {
        self.verdict = match miss {
            Miss::Unknown => {
                self.code = "unknown-claim";
                let candidates = names.candidates(site.chapter);
                self.hint = closest(name, candidates.iter().map(String::as_str))
                    .map(|best| format!("did you mean `{best}`?"));
                Verdict::Error(format!("no cell publishes `{name}`"))
            }
            Miss::Ambiguous(all) => {
                Verdict::Error(format!("`{name}` is published more than once: {}", all.join(", ")))
            }
            Miss::Open { chapter, cell, reason, words } => {
                self.cell = cell.map(|cell| (chapter, cell));
                Verdict::Unverified(reason, words)
            }
        };
    }
}

const PRINTS_VALUE: &str = "the text prints a computed value, which cannot disagree with itself";

fn needs_no_relation(name: &str, kind: &str) -> Verdict {
    Verdict::Error(format!("`{name}` is {kind} and takes no relation but `refuted`"))
}
