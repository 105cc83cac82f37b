//! `report.lock`: what a report claimed and what its code gave, beside `report.yaml`.
//!
//! In: an evaluated report. Out: a [`Lock`], its text, and the outputs of its cells in a folder
//! beside it, from which [`frozen`] renders the report without running anything. Left out: what a
//! difference between two records means, which is [`crate::diff`]'s.
//!
//! The lock is what a person reviews: claims, values and digests, in the order in which they are
//! read. What cells put out (tables, series of figures, printed lines) would drown that, so it
//! stands in files that are named by their own digest: an output that has not changed keeps its
//! file, and the lock vouches for every byte. Files for download that are large are only named, with
//! their digests, unless a person wants them kept. Places in the text and durations are left out, since they
//! change without the report saying anything else.

mod elsewhere;
pub mod files;
mod folder;
pub mod frozen;
mod printed;
mod shown;
mod text;

pub(crate) use folder::of_output;
pub use folder::{FolderFiles, check, drop_large, output, outputs, write};
pub use text::{parse, text};

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::cache::CellRecord;
use crate::claims::Standing;
use crate::data::kind_word;
use crate::diag::Diagnostic;
use crate::diff::Side;
use crate::exec::{CellResult, CellStatus};
use crate::ledger;
use crate::memo::{Input, Memo};
use crate::passages;
use crate::pipeline::Evaluated;
use crate::plan::{CellPlan, Foundation};
use crate::world::World;

/// The record, below the root of a report.
pub const FILE: &str = "report.lock";

/// Folder with what cells put out, below the root of a report.
pub const FOLDER: &str = "report.lock.d";

/// A record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// What stood behind the results, for readers: pairs of name and words.
    pub environment: Vec<(String, String)>,
    /// What every cell stands on.
    pub foundation: Ground,
    /// Data sets that were at hand, by name.
    #[serde(default)]
    pub data: BTreeMap<String, Data>,
    /// Cells by `chapter/cell`.
    #[serde(default)]
    pub cells: BTreeMap<String, Cell>,
    /// Cells of other devices on which claims must hold, by device and `chapter/cell`.
    #[serde(default)]
    pub elsewhere: BTreeMap<String, BTreeMap<String, Cell>>,
    /// Claims in reading order.
    #[serde(default, rename = "claim")]
    pub claims: Vec<Entry>,
    /// Numbers of the prose that need no claim, by the author's word.
    #[serde(default, rename = "exemption")]
    pub exemptions: Vec<Exemption>,
    /// Language of the report; absent in a record of a version that did not know it.
    #[serde(default)]
    pub language: Option<String>,
    /// Version of how the passages are made.
    #[serde(default)]
    pub passages_version: u32,
    /// What the report says, by file, in reading order; absent in a record of a version that did not know it.
    #[serde(default)]
    pub passages: Option<BTreeMap<String, Vec<String>>>,
}

/// What every cell of a record stands on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// Profile under which cells ran.
    pub profile: String,
    /// Device on which they ran.
    pub device: String,
    /// Seed of every random number, in digits, since TOML has no numbers of 64 bits without a sign.
    pub seed: String,
    /// Digest of lab, dependencies, lock file and toolchain.
    pub code: String,
    /// Digest of that part of it which the report brings itself and which can be computed without
    /// a toolchain.
    pub sources: String,
}

/// A data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Data {
    /// `real`, `subset` or `synthetic`.
    pub kind: String,
    /// Digest of its content, hexadecimal.
    pub digest: String,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    /// Cache key, hexadecimal.
    pub key: String,
    /// Digest of what it put out, hexadecimal; absent if it did not run.
    #[serde(default)]
    pub output: Option<String>,
    /// Digest of what a reader sees of it apart from what claims compare, hexadecimal.
    #[serde(default)]
    pub shown: Option<String>,
    /// Files that it put out.
    #[serde(default)]
    pub files: Vec<files::File>,
    /// Whether it depends on the clock, so that it gives something else each time.
    #[serde(default)]
    pub measured: bool,
}

/// A claim with its verdict, as in `claims.json`; what a later version adds is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `chapter/name`, with `#2` and so on for further claims on it.
    pub id: String,
    /// File of the chapter.
    #[serde(default)]
    pub path: String,
    /// Line from 1; not in a lock.
    #[serde(default)]
    pub line: Option<usize>,
    /// Column from 1; not in a lock.
    #[serde(default)]
    pub column: Option<usize>,
    /// What the author asserts, as printed.
    pub text: String,
    /// How text and value must be related, in words.
    pub relation: String,
    /// Names of the claims from which it follows.
    #[serde(default)]
    pub because: Vec<String>,
    /// `verified` or `refuted`.
    #[serde(default = "verified", deserialize_with = "verdict")]
    pub expected: String,
    /// The verdict in one word.
    #[serde(deserialize_with = "verdict")]
    pub verdict: String,
    /// Why it could not be checked, in one word.
    #[serde(default)]
    pub reason: Option<String>,
    /// The value at full precision.
    #[serde(default)]
    pub value: Option<String>,
    /// Its unit.
    #[serde(default)]
    pub unit: Option<String>,
    /// `chapter/cell` that published it.
    #[serde(default)]
    pub cell: Option<String>,
    /// Data behind the value.
    #[serde(default)]
    pub dataset: Option<DataUse>,
    /// Cache key of the cell; a lock has it with the cell.
    #[serde(default)]
    pub key: Option<String>,
    /// Whether the value depends on the clock; a lock has it with the cell.
    #[serde(default)]
    pub measured: bool,
}

/// A number of the prose that needs no claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exemption {
    /// File of the chapter.
    #[serde(default)]
    pub path: String,
    /// Line from 1; not in a lock.
    #[serde(default)]
    pub line: Option<usize>,
    /// Column from 1; not in a lock.
    #[serde(default)]
    pub column: Option<usize>,
    /// The number as printed.
    #[serde(default)]
    pub text: String,
    /// Why it needs none.
    #[serde(default)]
    pub reason: String,
}

/// Something that the report says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Passage {
    /// The file.
    #[serde(default)]
    pub path: String,
    /// Line from 1; not in a lock.
    #[serde(default)]
    pub line: Option<usize>,
    /// Column from 1; not in a lock.
    #[serde(default)]
    pub column: Option<usize>,
    /// What it says, on one line: a claim as `[words](name)`, an inline value as `{{ expression }}`.
    pub text: String,
}

/// Data behind a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataUse {
    /// Name of the data set.
    pub name: String,
    /// `real`, `subset` or `synthetic`.
    pub kind: String,
    /// Digest of its content, hexadecimal.
    pub digest: String,
}

/// A verdict in one word. One that is not known would be told as if it were none.
fn verdict<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    const KNOWN: [&str; 5] = ["verified", "refuted", "unverified", "vacuous", "error"];
    let word = String::deserialize(from)?;
    match KNOWN.contains(&word.as_str()) {
        true => Ok(word),
        false => {
            Err(D::Error::custom(format!("`{word}` is no verdict; known are {}", KNOWN.join(", "))))
        }
    }
}

fn verified() -> String {
    "verified".to_owned()
}

impl Lock {
    /// All cells, those of other devices under names that say so.
    fn all_cells(&self) -> impl Iterator<Item = (String, &Cell)> {
        let elsewhere = self.elsewhere.iter().flat_map(|(device, cells)| {
            cells.iter().map(move |(name, cell)| (on(name, device), cell))
        });
        self.cells.iter().map(|(name, cell)| (name.clone(), cell)).chain(elsewhere)
    }
}

impl Entry {
    /// What the verdict means, given what was expected.
    pub fn standing(&self) -> Standing {
        match (self.verdict.as_str(), self.expected.as_str()) {
            ("verified", "verified") | ("refuted", "refuted") => Standing::Good,
            ("verified" | "refuted" | "vacuous" | "error", _) => Standing::Bad,
            _ => Standing::Open,
        }
    }
}

/// Records an evaluated report; `sources` is the digest of the code that it brings.
///
/// Gives the record, and the files of its folder, which hold what its cells put out.
pub fn of(evaluated: &Evaluated, sources: String) -> (Lock, FolderFiles) {
    let Side { claims, exemptions, passages, language, .. } = written(evaluated);
    let Results { data, cells, elsewhere, folder } = results(evaluated);
    let foundation = foundation(evaluated);
    // Without places.
    let claim = |it| Entry { line: None, column: None, key: None, measured: false, ..it };
    let exemption = |it| Exemption { line: None, column: None, ..it };
    let passages = passages.map(|all| {
        let mut by_path: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Passage { path, text, .. } in all {
            by_path.entry(path).or_default().push(text);
        }
        by_path
    });
    let lock = Lock {
        environment: evaluated.document.environment.clone(),
        foundation: Ground {
            profile: foundation.profile.clone(),
            device: foundation.device.clone(),
            seed: foundation.seed.to_string(),
            code: foundation.digest.clone(),
            sources,
        },
        data,
        cells,
        elsewhere,
        claims: claims.into_iter().map(claim).collect(),
        exemptions: exemptions.into_iter().map(exemption).collect(),
        language,
        passages_version: passages::VERSION,
        passages,
    };
    (lock, folder)
}

/// An evaluated report for a comparison with its record: what would be recorded, with places, and the files of its
/// folder.
pub fn side(evaluated: &Evaluated) -> (Side, FolderFiles) {
    let Results { data, cells, elsewhere, folder } = results(evaluated);
    (written(evaluated).with(data, cells, elsewhere), folder)
}

/// What every cell of a report stands on.
fn foundation(evaluated: &Evaluated) -> Cow<'_, Foundation> {
    let chapter = evaluated.plan.chapters.first();
    chapter.map_or_else(Cow::default, |chapter| Cow::Borrowed(&chapter.foundation))
}

/// What the cells of a report gave, with the files of the record's folder.
struct Results {
    data: BTreeMap<String, Data>,
    cells: BTreeMap<String, Cell>,
    elsewhere: BTreeMap<String, BTreeMap<String, Cell>>,
    folder: FolderFiles,
}

fn results(evaluated: &Evaluated) -> Results {
    let mut folder = FolderFiles::new();
    let cells = named_cells(evaluated, |name, plan, result, claimed, printed| {
        cell(name, plan, result, claimed, printed, &mut folder)
    });
    let elsewhere = elsewhere::of(evaluated, &mut folder);
    let foundation = foundation(evaluated);
    let data = foundation.datasets.iter().map(|(name, set)| {
        let kind = kind_word(set.kind).to_owned();
        (name.clone(), Data { kind, digest: set.digest.clone() })
    });
    Results { data: data.collect(), cells, elsewhere, folder }
}

/// What the cells of a report gave, by their names. What was found for the same cell is remembered.
pub fn cells(evaluated: &Evaluated) -> BTreeMap<String, Cell> {
    static KNOWN: Memo<Cell> = Memo::new(1 << 20);
    named_cells(evaluated, |name, plan, result, claimed, printed| {
        let record = result.record.digest();
        let state = (name, &result.key, plan.measured, &result.status, claimed, printed, record);
        KNOWN.get(Input::of_debug(&state), || {
            let found = cell(name, plan, result, claimed, printed, &mut FolderFiles::new());
            (found, size_of::<Cell>())
        })
    })
}

/// What `record` makes of each cell, of which claims read the values with the names that it is given and of which
/// inline values print the words that it is given.
fn named_cells(
    evaluated: &Evaluated,
    mut record: impl FnMut(&str, &CellPlan, &CellResult, &BTreeSet<&str>, &[String]) -> Cell,
) -> BTreeMap<String, Cell> {
    let claimed = claimed(evaluated);
    let printed = printed::of(evaluated).words;
    let mut cells = BTreeMap::new();
    let chapters = evaluated.plan.chapters.iter().zip(&evaluated.executed.chapters);
    for (chapter, (plan, done)) in chapters.enumerate() {
        for (index, (cell, result)) in plan.cells.iter().zip(&done.cells).enumerate() {
            let own = claimed.get(&(plan.slug.as_str(), cell.id.as_str()));
            let own = own.unwrap_or(const { &BTreeSet::new() });
            let printed = printed.get(&(chapter, index)).map_or(&[][..], Vec::as_slice);
            let name = format!("{}/{}", plan.slug, cell.id);
            let recorded = record(&name, cell, result, own, printed);
            cells.insert(name, recorded);
        }
    }
    cells
}

/// What the ledger of a report says.
fn written(evaluated: &Evaluated) -> Side {
    let ledger = Side::parse("claims.json", &ledger::json(&evaluated.document, &BTreeMap::new()));
    ledger.expect("we have written it")
}

/// Records a cell, of which claims read the values with these names and of which inline values print
/// these words; what it put out goes into `folder`, under its name in the record.
fn cell(
    name: &str,
    plan: &CellPlan,
    result: &CellResult,
    claimed: &BTreeSet<&str>,
    printed: &[String],
    folder: &mut FolderFiles,
) -> Cell {
    let mut recorded = Cell { key: result.key.clone(), measured: plan.measured, ..Cell::default() };
    if matches!(result.status, CellStatus::Done) {
        let mut record = timeless(result);
        for (file, bytes) in files::take(&mut record) {
            folder.extend(bytes.map(|bytes| (folder::of_file(&file.digest), bytes)));
            recorded.files.push(file);
        }
        recorded.shown = Some(shown::digest(&record, claimed, printed));
        let (digest, text) = folder::named(name, &record);
        folder.insert(folder::of_output(&digest), text.into_bytes());
        recorded.output = Some(digest);
    }
    recorded
}

/// What a cell of another device is called.
pub(crate) fn on(name: &str, device: &str) -> String {
    format!("{name} on {device}")
}

/// The names of the values that claims read, by chapter and cell.
fn claimed(evaluated: &Evaluated) -> BTreeMap<(&str, &str), BTreeSet<&str>> {
    let mut claimed: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for claim in &evaluated.document.claims {
        if let Some(from) = &claim.provenance {
            let name = claim.name.rsplit('/').next().unwrap_or_default();
            claimed.entry((&from.chapter, &from.cell)).or_default().insert(name);
        }
    }
    claimed
}

/// What a cell put out, without how long it took.
fn timeless(result: &CellResult) -> CellRecord {
    CellRecord { duration_ms: 0, ..CellRecord::clone(&result.record) }
}

/// Reads the record of a report.
///
/// # Errors
/// If there is none, or it is of another version or damaged.
pub fn read(world: &dyn World) -> Result<Lock, Diagnostic> {
    let bytes = world.read(FILE).map_err(|error| {
        Diagnostic::global("no-record", format!("cannot read `{FILE}`: {error}"))
            .hint("`veracity record` writes it, beside report.yaml")
    })?;
    parse(FILE, &String::from_utf8_lossy(&bytes))
}
