//! What a relation asks for besides its rule: the figure that is quoted, and the data behind it.
//!
//! In: what was found about a claim, and names of a figure or a data set. Out: the finding, its verdict
//! withdrawn if the demand is not met.

use veracity_protocol::{DataKind, DataUse};

use super::finding::Finding;
use super::{Names, Site, Subject, Verdict};
use crate::claims::published::{Hit, Miss, Outcome};
use crate::claims::rule::Rule;
use crate::claims::{Reason, exact, number};
use crate::data::kind_word;

impl<'a> Finding<'a> {
    /// Compares the text with the published figure that it quotes, whatever came of the value itself.
    pub(super) fn quote(&mut self, site: &Site, name: &str, names: &Names<'a>) {
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
        match Rule::Printed.compare(number::stated(&stated.text, site.language), &figure, unit) {
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
    pub(super) fn confine(&mut self, name: &str) {
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
            None => format!(
                "names no data, and this is claimed on `{name}`; `lab::value(…).data(…)` names them"
            ),
        };
        self.verdict =
            Verdict::Unverified(Reason::NeedsData, format!("`{}` {instead}", published.name));
    }
}
