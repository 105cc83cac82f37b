//! What is found about one claim.
//!
//! In: a claim in its place, and the names that cells published. Out: a [`Finding`]: its verdict with
//! what led to it.

use num_rational::BigRational;
use veracity_protocol::{Check, CheckStatus, Published, Value};

use super::{Names, Site, Stated, Subject, Verdict};
use crate::claims::measure::Measure;
use crate::claims::number::{Around, Printed, Trouble};
use crate::claims::published::{Hit, Miss, Outcome};
use crate::claims::relation::Relation;
use crate::claims::rule::{Rule, Tolerance};
use crate::claims::strength::outcome;
use crate::claims::wording::{
    Said, denied_before, denied_by, one_sided_by, opposed_by, says_false, unequal_by,
};
use crate::claims::{Compared, Expected, Reason, exact, number};
use crate::diag::closest;

/// A verdict with what led to it.
pub(super) struct Finding<'a> {
    pub(super) expected: Expected,
    pub(super) relation: String,
    pub(super) verdict: Verdict,
    pub(super) value: Option<String>,
    pub(super) published: Option<&'a Published>,
    /// Further values that the claim speaks of.
    pub(super) others: Vec<&'a Published>,
    /// Their names, and that of what it quotes.
    pub(super) named: Vec<String>,
    pub(super) compared: Compared,
    pub(super) because: Vec<String>,
    /// Devices on each of which it must hold.
    pub(super) devices: Vec<String>,
    /// The value as a number, if it is one.
    pub(super) number: Option<BigRational>,
    pub(super) cell: Option<(usize, usize)>,
    pub(super) code: &'static str,
    pub(super) hint: Option<String>,
    /// How a tolerance leaves printed digits unchecked.
    pub(super) loose: Option<String>,
    /// The number in the text, or why it cannot be read.
    printed: Result<Option<Printed>, String>,
    /// The unit in which it is compared.
    unit: Option<String>,
}

impl<'a> Finding<'a> {
    pub(super) fn of(site: &Site, names: &Names<'a>) -> Self {
        let mut finding = Self {
            expected: Expected::Verified,
            relation: site.claim.relation.trim().to_owned(),
            verdict: Verdict::Error("not judged".into()),
            value: None,
            published: None,
            others: Vec::new(),
            named: Vec::new(),
            compared: Compared::Number,
            because: Vec::new(),
            devices: Vec::new(),
            number: None,
            cell: None,
            code: "claim-error",
            hint: None,
            loose: None,
            printed: Ok(None),
            unit: None,
        };
        let relation = match Relation::parse(&site.claim.relation) {
            Ok(relation) => relation,
            Err(message) => {
                finding.verdict = Verdict::Error(message);
                return finding;
            }
        };
        if matches!(relation.rule, Rule::At(_)) {
            finding.compared = Compared::Formula;
        }
        finding.expected = relation.expected;
        finding.because = relation.because.clone();
        finding.devices = relation.devices.clone();
        finding.named = relation.measure.others().iter().chain(&relation.quotes).cloned().collect();
        if let Subject::Table(words, verdict) = &site.subject {
            finding.relation = words.clone();
            finding.verdict = verdict.clone();
            finding.compared = Compared::Nothing;
            return finding;
        }
        if let Subject::Prose(stated) = &site.subject {
            finding.printed = number::stated(&stated.text, site.language);
            if let (Err(_), Rule::Within(Tolerance::Absolute(size))) =
                (&finding.printed, &relation.rule)
                && let Some(printed) = number::with_tolerance(&stated.text, site.language, size)
            {
                finding.printed = Ok(Some(printed));
            }
        }
        let printed = finding.printed.clone().ok().flatten();
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
        let around =
            printed.as_ref().map(|printed| site.beside.around(Some(printed), site.language));
        if let Subject::Prose(stated) = &site.subject {
            let text = &stated.text;
            let said = match &around {
                Some(around) => said(around),
                None => Said { before: site.beside.before.clone(), ..Said::default() },
            };
            if let Some(words) = opposed_by(&relation.rule, &said, text, site.language) {
                let message =
                    format!("the text says “{words}”, the opposite of `{}`", finding.relation);
                finding.verdict = Verdict::Error(message);
            }
        }
        if finding.number.is_some()
            && let Subject::Prose(stated) = &site.subject
        {
            match &around {
                _ if matches!(relation.rule, Rule::At(_)) => {
                    finding.tell(site.beside.trouble_of_formula(site.language));
                }
                Some(around) => finding.read_around(site, &relation.rule, around),
                // The ends of an interval.
                None => {
                    let ends = number::all(&stated.text, site.language).unwrap_or_default();
                    let mut ends =
                        ends.iter().filter(|_| !matches!(finding.verdict, Verdict::Error(_)));
                    let unit = finding.unit.as_deref();
                    let around = |end| site.beside.around(Some(end), site.language);
                    let trouble = ends.find_map(|end| around(end).trouble(unit));
                    finding.tell(trouble);
                }
            }
        }
        if let Subject::Prose(stated) = &site.subject
            && finding.compared == Compared::Nothing
            && finding.published.is_none_or(|value| {
                !says_false(&stated.text, site.language)
                    && matches!(value.value, Value::Bool { .. })
            })
            && let Some(words) = denied_by(&stated.text, site.language)
                .or_else(|| says_false(&stated.text, site.language).then_some(stated.text.trim()))
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

    /// Looks for words around a number that say another.
    fn read_around(&mut self, site: &Site, rule: &Rule, around: &Around) {
        let Some(printed) = around.printed() else { return };
        let around_it = said(around);
        let is_exact = *rule == Rule::Printed && printed.in_digits().is_some();
        let is_close = matches!(rule, Rule::Within(_) | Rule::WithinOn(_));
        let is_equal = is_close || matches!(rule, Rule::Printed);
        let says = |words: &str| {
            let own = &printed.text;
            Verdict::Error(format!(
                "the text says “{words}” of `{own}`, with which the value is compared as equal"
            ))
        };
        if let Some(words) = unequal_by(&around_it, site.language).filter(|_| is_exact) {
            self.hint = Some("say it as a relation, in the title of the link".into());
            self.verdict = says(words);
        }
        if let Some(words) = one_sided_by(&around_it, site.language).filter(|_| is_close) {
            let own = &printed.text;
            self.hint = Some("state the bound as the relation, such as `>= 0.8`".into());
            self.verdict = Verdict::Error(format!(
                "the text says “{words}” of `{own}`, but a tolerance reaches to both sides of it"
            ));
        }
        if self.expected == Expected::Verified
            && is_equal
            && let Some(words) = denied_before(&around_it, site.language)
        {
            self.hint = Some("give it `refuted` if it is to be denied".into());
            self.verdict = says(&words);
        }
        self.tell(around.trouble(self.unit.as_deref()));
    }

    /// Refuses the claim if a reader sees another number than the claimed one.
    fn tell(&mut self, trouble: Option<Trouble>) {
        if let Some(Trouble { message, hint }) = trouble {
            self.hint = Some(hint.into());
            self.verdict = Verdict::Error(message);
        }
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
                        self.measured(site, stated, relation, value)
                    }
                    Subject::Prose(stated) => self.value(site, stated, rule, value),
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
                self.compared = Compared::Nothing;
                self.verdict = if relation.measure == Measure::default() {
                    self.check(&site.subject, rule, check)
                } else {
                    needs_no_relation(&check.name, "a check")
                };
            }
        }
    }

    /// Judges what is said of a sample or of several values.
    fn measured(
        &mut self,
        site: &Site,
        stated: &Stated,
        relation: &Relation,
        first: &Published,
    ) -> Verdict {
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
        self.unit = unit.map(str::to_owned);
        let compare = |text: &str| relation.compare(text, site.language, &estimate, unit);
        with_other_marks(compare(&stated.text), site, &stated.text, compare)
    }

    fn value(
        &mut self,
        site: &Site,
        stated: &Stated,
        rule: &Rule,
        published: &Published,
    ) -> Verdict {
        let text = &stated.text;
        let needs_no_relation = |kind: &str| needs_no_relation(&published.name, kind);
        match &published.value {
            Value::Bool { value } => {
                self.relation = "holds".into();
                self.compared = Compared::Nothing;
                match rule {
                    Rule::Printed if *value != says_false(text, site.language) => Verdict::Verified,
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
            value => match (exact::number(value), self.printed.clone()) {
                (Ok(_), Ok(None)) if stated.has_value && !matches!(rule, Rule::Bound(..)) => {
                    Verdict::Vacuous(PRINTS_VALUE.into())
                }
                (Ok(value), printed) => match rule {
                    Rule::At(point) => match &stated.formula {
                        Some(latex) => {
                            self.loose = point.leaves_open(latex, &site.macros);
                            point.compare(latex, &site.macros, &value)
                        }
                        None => Verdict::Error(
                            "`at` compares one formula, and nothing may stand beside it in the text"
                                .into(),
                        ),
                    },
                    rule => {
                        self.unit.clone_from(&published.unit);
                        let compare =
                            |printed| rule.compare(printed, &value, published.unit.as_deref());
                        with_other_marks(compare(printed), site, text, |text| {
                            compare(number::stated(text, site.language))
                        })
                    }
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

    pub(super) fn miss(&mut self, site: &Site, name: &str, miss: Miss, names: &Names) {
        self.verdict = match miss {
            Miss::Unknown => {
                self.code = "unknown-claim";
                let candidates = names.candidates(site.chapter);
                let best = closest(name, candidates.iter().map(String::as_str));
                self.hint = Some(match best {
                    Some(best) => format!("did you mean `{best}`?"),
                    None => published(candidates.iter()),
                });
                Verdict::Error(format!("no cell publishes `{name}`"))
            }
            Miss::Ambiguous(all) => {
                self.hint = Some("publish a name once, or write its chapter before it".into());
                Verdict::Error(format!("`{name}` is published more than once: {}", all.join(", ")))
            }
            Miss::Open { chapter, cell, reason, words } => {
                self.cell = cell.map(|cell| (chapter, cell));
                Verdict::Unverified(reason, words)
            }
        };
    }
}

/// A verdict that says so if a text would hold with comma and point exchanged.
fn with_other_marks(
    verdict: Verdict,
    site: &Site,
    text: &str,
    compare: impl Fn(&str) -> Verdict,
) -> Verdict {
    let holds = |text: &String| compare(text) == Verdict::Verified;
    let (Verdict::Refuted(words) | Verdict::Error(words)) = &verdict else { return verdict };
    let Some(other) = number::exchanged(text, site.language).filter(holds) else { return verdict };
    let words = format!(
        "{words}; `{}` would hold, as decimals stand behind a comma in the language of the report",
        other.trim()
    );
    match verdict {
        Verdict::Refuted(_) => Verdict::Refuted(words),
        _ => Verdict::Error(words),
    }
}

fn said(around: &Around) -> Said {
    let (before, front) = around.fronts();
    Said { before, front, behind: around.behind() }
}

/// Most names that are told for want of a similar one.
const MOST_NAMES: usize = 8;

fn published<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(MOST_NAMES);
    let names: Vec<String> = names.take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
    match (names.as_slice(), more) {
        ([], _) => "no cell publishes anything; `lab::value(\"name\", …)` does".to_owned(),
        (names, 0) => format!("what cells publish: {}", names.join(", ")),
        (names, more) => format!("what cells publish: {} and {more} more", names.join(", ")),
    }
}

const PRINTS_VALUE: &str = "the text prints a computed value, which cannot disagree with itself";

fn needs_no_relation(name: &str, kind: &str) -> Verdict {
    Verdict::Error(format!("`{name}` is {kind} and takes no relation but `refuted`"))
}
