//! One side of a comparison: a record, or a ledger for machines.
//!
//! In: the text of `report.lock` or `claims.json`. Out: what of it is compared.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::diag::Diagnostic;
use crate::passages;
use crate::record::{self, Cell, Data, Entry, Exemption, Lock, Passage};

/// One side of a comparison.
#[derive(Clone, Debug, Default)]
pub struct Side {
    /// What stood behind the results.
    pub environment: Vec<(String, String)>,
    /// Data sets by name.
    pub data: BTreeMap<String, Data>,
    /// Cells by `chapter/cell`, those of other devices, which a ledger lacks, by `chapter/cell on DEVICE`.
    pub cells: BTreeMap<String, Cell>,
    /// Claims in reading order.
    pub claims: Vec<Entry>,
    /// Numbers of the prose that need no claim and code that no claim need notice, by the author's
    /// word.
    pub exemptions: Vec<Exemption>,
    /// What the report says, in reading order within a file; absent if nothing is known of it, or it was written by a
    /// version that made other passages.
    pub passages: Option<Vec<Passage>>,
    /// Language of the report, if it is known.
    pub language: Option<String>,
    /// Digests of the files that were read for the report, by path; none for a record.
    pub sources: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Ledger {
    #[serde(default)]
    version: u64,
    #[serde(default)]
    environment: BTreeMap<String, String>,
    claims: Vec<Entry>,
    #[serde(default)]
    coverage: Vec<Coverage>,
    #[serde(default)]
    cells: BTreeMap<String, Cell>,
    #[serde(default)]
    passages_version: u32,
    passages: Option<Vec<Passage>>,
    #[serde(default)]
    report: Report,
    #[serde(default)]
    sources: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
struct Report {
    language: Option<String>,
}

#[derive(Default, Deserialize)]
struct Coverage {
    #[serde(default)]
    exempt: Vec<Exempt>,
    /// Formulas that nothing evaluates.
    #[serde(default)]
    formulas: Vec<Exempt>,
    /// Code of which changes may go unnoticed.
    #[serde(default)]
    unnoticed: Vec<Exempt>,
}

#[derive(Deserialize)]
struct Exempt {
    #[serde(flatten)]
    number: Exemption,
    /// `author`, or `form` for what needs no claim by its form, such as a year.
    #[serde(default)]
    by: Option<String>,
}

/// How files come that are not whole.
const ANEW: &str = "`veracity check` writes claims.json anew, and `veracity record` report.lock";

/// Version of `claims.json` that is understood.
const LEDGER_VERSION: u64 = 1;

/// The data behind values.
pub(super) fn used(claims: &[Entry]) -> impl Iterator<Item = (String, Data)> {
    claims.iter().filter_map(|claim| claim.dataset.as_ref()).map(|used| {
        (used.name.clone(), Data { kind: used.kind.clone(), digest: used.digest.clone() })
    })
}

/// Claims and exemptions of which the words are on one line, however their author broke them.
fn on_one_line(
    mut claims: Vec<Entry>,
    mut exemptions: Vec<Exemption>,
) -> (Vec<Entry>, Vec<Exemption>) {
    let texts = claims.iter_mut().map(|it| &mut it.text);
    let exempt = exemptions.iter_mut().flat_map(|it| [&mut it.text, &mut it.reason]);
    for text in texts.chain(exempt).filter(|it| it.contains('\n') || it.contains("  ")) {
        *text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    (claims, exemptions)
}

impl From<Lock> for Side {
    fn from(lock: Lock) -> Self {
        let Lock { environment, language, data, cells, elsewhere, claims, exemptions, .. } = lock;
        let passages = lock.passages.filter(|_| lock.passages_version == passages::VERSION);
        let passages = passages.map(|passages| {
            let all = passages.into_iter().flat_map(|(path, texts)| {
                texts.into_iter().map(move |text| Passage {
                    path: path.clone(),
                    text,
                    ..Passage::default()
                })
            });
            all.collect()
        });
        let (claims, exemptions) = on_one_line(claims, exemptions);
        let side = Self { environment, claims, exemptions, passages, language, ..Self::default() };
        side.with(data, cells, elsewhere)
    }
}

impl Side {
    /// Adds the data that were at hand and what cells put out, those of other devices by device.
    pub(crate) fn with(
        mut self,
        data: BTreeMap<String, Data>,
        cells: BTreeMap<String, Cell>,
        elsewhere: BTreeMap<String, BTreeMap<String, Cell>>,
    ) -> Self {
        // Data that cells make themselves are none at hand.
        self.data = used(&self.claims).chain(data).collect();
        self.cells = cells;
        for (device, there) in elsewhere {
            let named = |(name, cell): (String, _)| (record::on(&name, &device), cell);
            self.cells.extend(there.into_iter().map(named));
        }
        self
    }

    /// Reads a record or a ledger; `name` is what it is called in messages.
    ///
    /// # Errors
    /// If it is neither, of another version, or damaged.
    pub fn parse(name: &str, text: &str) -> Result<Self, Diagnostic> {
        if text.trim().is_empty() {
            return Err(Diagnostic::global("no-record", format!("`{name}` is empty")).hint(ANEW));
        }
        if !text.trim_start().starts_with('{') && !name.ends_with(".json") {
            return record::parse(name, text).map(Self::from);
        }
        let ledger: Ledger = serde_json::from_str(text).map_err(|error| match error.is_eof() {
            true => Diagnostic::global("no-ledger", format!("`{name}` is cut short: {error}"))
                .hint(ANEW),
            false => {
                Diagnostic::global("no-ledger", format!("`{name}` is no ledger of claims: {error}"))
                    .hint("a ledger is the `claims.json` that a build writes")
            }
        })?;
        if ledger.version != LEDGER_VERSION {
            return Err(Diagnostic::global(
                "record-version",
                format!("`{name}` is a ledger of version {}, and this is Veracity {} for version {LEDGER_VERSION}", ledger.version, env!("CARGO_PKG_VERSION")),
            )
            .hint("make it anew with `veracity check`"));
        }
        let exempt = ledger.coverage.into_iter().flat_map(|chapter| {
            chapter.exempt.into_iter().chain(chapter.formulas).chain(chapter.unnoticed)
        });
        let by_author = |exempt: &Exempt| exempt.by.as_deref() != Some("form");
        let exemptions = exempt.filter(by_author).map(|exempt| exempt.number).collect();
        let (claims, exemptions) = on_one_line(ledger.claims, exemptions);
        Ok(Self {
            environment: ledger.environment.into_iter().collect(),
            data: used(&claims).collect(),
            cells: ledger.cells,
            claims,
            exemptions,
            passages: ledger.passages.filter(|_| ledger.passages_version == passages::VERSION),
            language: ledger.report.language,
            sources: ledger.sources,
        })
    }

    /// Key of the code behind a claim.
    pub(super) fn key<'a>(&'a self, claim: &'a Entry) -> Option<&'a str> {
        let of_cell = || Some(&self.cells.get(claim.cell.as_ref()?)?.key);
        claim.key.as_ref().or_else(of_cell).map(String::as_str)
    }

    /// Whether the value of a claim depends on the clock.
    pub(super) fn is_measured(&self, claim: &Entry) -> bool {
        let cell = claim.cell.as_ref().and_then(|cell| self.cells.get(cell));
        claim.measured || cell.is_some_and(|cell| cell.measured)
    }

    /// Cells of which is known whether what they give depends on the clock, with whether it does.
    pub(super) fn clocks(&self) -> BTreeMap<&str, bool> {
        let cells = self.cells.iter().map(|(name, cell)| (name.as_str(), cell.measured));
        let claims = self.claims.iter();
        let claims = claims.filter_map(|it| Some((it.cell.as_deref()?, self.is_measured(it))));
        claims.chain(cells).collect()
    }

    /// Whether it knows all that cells put out, and not only what claims read.
    pub(super) fn has_outputs(&self) -> bool {
        !self.cells.is_empty()
    }

    /// Whether it knows all data that were at hand, and not only those that claims rest on.
    pub(super) fn is_record(&self) -> bool {
        self.has_outputs() && self.sources.is_empty()
    }
}
