//! Numbers and anchors of everything that has a place of its own.
//!
//! In: all chapters, and what their cells put out. Out: for each heading, equation, table,
//! figure and cell its anchor and number, and for each label what it stands for. Left out:
//! claims, footnotes and works, which are numbered as the text is walked.
//!
//! Sections are numbered always; equations that have a label or a `\tag`; tables and figures
//! that have a label or a caption. A float of a cell that did not run keeps its number.

use std::collections::{BTreeMap, HashMap};

use veracity_protocol::Artifact;

use super::anchor::{Anchors, slug};
use crate::diag::Diagnostic;
use crate::exec::{CellResult, CellStatus, Executed};
use crate::math::{Display, Macros, Math};
use crate::parse::{Block, Cell, Chapter, Inline, plain_text};
use crate::span::Span;
use crate::words::{Word, Words};

/// What has a number or anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// A block, by its chapter and where it begins.
    Block(usize, usize),
    /// An artifact, by chapter, cell and index.
    Artifact(usize, usize, usize),
}

/// A numbered place.
#[derive(Clone, Debug, Default)]
pub(super) struct Slot {
    /// Anchor.
    pub anchor: String,
    /// Number, if it has one.
    pub number: Option<String>,
    /// Level of a heading: 2 for a section.
    pub level: u8,
}

/// What a label stands for.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Index of the chapter.
    pub chapter: usize,
    /// Anchor.
    pub anchor: String,
    /// Words such as `Figure 1.2`, with a no-break space.
    pub words: String,
    /// Number such as `1.2`.
    pub number: Option<String>,
}

/// All numbers of a report.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Words of the report's language.
    pub words: Words,
    /// Labels of the report.
    pub targets: BTreeMap<String, Target>,
    /// Titles of the chapters.
    pub chapters: Vec<Slot>,
    /// Anchors of the cells of each chapter.
    pub cells: Vec<Vec<String>>,
    /// Anchors of the module blocks of each chapter.
    pub modules: Vec<Vec<String>>,
    /// All anchors.
    pub anchors: Anchors,
    slots: HashMap<Key, Slot>,
}

impl Numbers {
    /// The place of a block or artifact.
    pub fn slot(&self, key: Key) -> Slot {
        self.slots.get(&key).cloned().unwrap_or_default()
    }
}

/// The title of a chapter, and which block it was taken from.
pub(super) fn title(chapter: &Chapter) -> (Vec<Inline>, Option<usize>) {
    let heading = chapter.blocks.iter().enumerate().find_map(|(index, block)| match block {
        Block::Heading { level: 1, content, .. } => Some((index, content)),
        _ => None,
    });
    match (&chapter.front.title, heading) {
        (None, Some((index, content))) => (content.clone(), Some(index)),
        (None, None) => (vec![Inline::Text(chapter.slug.clone())], None),
        (Some(title), heading) => {
            // A title that is repeated as the first heading is meant once.
            let repeated =
                heading.filter(|(_, content)| plain_text(content).trim() == title.trim());
            match repeated {
                Some((index, content)) => (content.clone(), Some(index)),
                None => (vec![Inline::Text(title.clone())], None),
            }
        }
    }
}

/// The label, if any, of each artifact of a cell that ran; `None` for what is no float.
///
/// The cell's own label belongs to the first float of the kind that it names; further floats
/// without a label of their own are called after it, with `-2` and so on.
pub(super) fn float_labels(cell: &Cell, result: &CellResult) -> Vec<Option<FloatLabel>> {
    let mut floats: Vec<Option<FloatLabel>> = result
        .record
        .output
        .artifacts
        .iter()
        .map(|artifact| {
            let (kind, label, caption) = match artifact {
                Artifact::Table(table) => (Kind::Table, &table.label, &table.caption),
                Artifact::Figure(figure) => (Kind::Figure, &figure.label, &figure.caption),
                Artifact::Check(_) | Artifact::Text { .. } | Artifact::File { .. } => return None,
            };
            let label = label.clone();
            Some(FloatLabel { kind, label, captioned: caption.is_some(), owns_options: false })
        })
        .collect();
    let wanted = cell.options.label.as_deref().and_then(Kind::of_label);
    let owner = floats
        .iter()
        .position(|float| float.as_ref().is_some_and(|float| Some(float.kind) == wanted))
        .or_else(|| floats.iter().position(Option::is_some));
    if let Some(Some(owner)) = owner.map(|owner| &mut floats[owner]) {
        owner.owns_options = true;
        owner.label = cell.options.label.clone().or(owner.label.take());
        owner.captioned |= cell.options.caption.is_some();
    }
    if let Some(label) = &cell.options.label {
        let others = floats.iter_mut().flatten().filter(|float| !float.owns_options);
        for (count, float) in others.enumerate() {
            float.label.get_or_insert_with(|| format!("{label}-{}", count + 2));
        }
    }
    floats
}

/// A float of a cell.
#[derive(Clone, Debug)]
pub(super) struct FloatLabel {
    kind: Kind,
    label: Option<String>,
    captioned: bool,
    /// Whether the cell's label, caption and description are meant for it.
    pub owns_options: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Section,
    Equation,
    Figure,
    Table,
    Cell,
}

impl Kind {
    fn of_label(label: &str) -> Option<Self> {
        match label.split_once('-')?.0 {
            "fig" => Some(Self::Figure),
            "tbl" => Some(Self::Table),
            _ => None,
        }
    }

    fn words(self, number: &str, words: Words) -> String {
        let word = words.get(match self {
            Self::Section if number.contains('.') => Word::Section,
            Self::Section => Word::Chapter,
            Self::Equation => return format!("{}\u{a0}({number})", words.get(Word::Equation)),
            Self::Figure => Word::Figure,
            Self::Table => Word::Table,
            Self::Cell => Word::Cell,
        });
        format!("{word}\u{a0}{number}")
    }
}

/// Something that gets a number or anchor, in reading order.
struct Item {
    place: Place,
    kind: Kind,
    labels: Vec<String>,
    span: Span,
    numbered: bool,
    /// A number of the author's own.
    tag: Option<String>,
    /// Words for the anchor if there is no label.
    words: String,
    level: u8,
}

enum Place {
    Title,
    Slot(Key),
    /// Anchor of a cell, which has no number of its own.
    Cell,
    /// A float that its cell would have made, had it run.
    Absent(usize),
    Module,
}

/// Numbers a whole report.
///
/// `macros` are the TeX macros of each chapter, `words` those of the report's language.
pub(super) fn assign(
    chapters: &[Chapter],
    executed: &Executed,
    macros: &[Macros],
    words: Words,
) -> (Numbers, Vec<Diagnostic>) {
    let items: Vec<Vec<Item>> = chapters
        .iter()
        .zip(macros)
        .enumerate()
        .map(|(index, (chapter, macros))| {
            let results = executed.chapters.get(index).map_or(&[][..], |done| &done.cells);
            let mut collector = Collector { index, chapter, macros, results, items: Vec::new() };
            collector.chapter();
            collector.items
        })
        .collect();
    let mut numbers = Numbers { words, ..Numbers::default() };
    let mut diagnostics = Vec::new();
    let mut first: HashMap<&str, &Span> = HashMap::new();
    for item in items.iter().flatten() {
        for label in &item.labels {
            match first.get(label.as_str()) {
                Some(earlier) => diagnostics.push(
                    Diagnostic::error(
                        "duplicate-label",
                        format!("the label `{label}` is given twice"),
                        item.span.clone(),
                    )
                    .related((*earlier).clone(), "first given here")
                    .hint("labels are unique in the whole report"),
                ),
                None => {
                    first.insert(label, &item.span);
                    numbers.anchors.take(label);
                }
            }
        }
    }
    for (index, items) in items.iter().enumerate() {
        numbers.cells.push(Vec::new());
        numbers.modules.push(Vec::new());
        let mut counters = Counters::new(index + 1);
        for item in items {
            numbers.place(index, &chapters[index].slug, item, &mut counters);
        }
    }
    (numbers, diagnostics)
}

impl Numbers {
    fn place(&mut self, chapter: usize, slug: &str, item: &Item, counters: &mut Counters) {
        // A label that was given before keeps its first place.
        let mut own =
            item.labels.iter().filter(|label| !self.targets.contains_key(*label)).peekable();
        let anchor = match (&item.place, own.peek()) {
            (Place::Absent(cell), _) => self.cells[chapter].get(*cell).cloned().unwrap_or_default(),
            (_, Some(label)) => (*label).clone(),
            (Place::Title, None) => self.anchors.unique(slug),
            _ => self.anchors.unique(&format!("{slug}-{}", item.words)),
        };
        let number = match &item.tag {
            Some(tag) => Some(tag.clone()),
            None => item.numbered.then(|| counters.next(item)),
        };
        let words = match (&number, item.kind) {
            (Some(number), kind) => kind.words(number, self.words),
            (None, _) => item.words.clone(),
        };
        let own: Vec<String> = own.cloned().collect();
        for label in own {
            let target = Target {
                chapter,
                anchor: anchor.clone(),
                words: words.clone(),
                number: number.clone(),
            };
            self.targets.insert(label, target);
        }
        let slot = Slot { anchor, number, level: counters.depth(item) };
        match item.place {
            Place::Title => self.chapters.push(slot),
            Place::Slot(key) => drop(self.slots.insert(key, slot)),
            Place::Cell => self.cells[chapter].push(slot.anchor),
            Place::Module => self.modules[chapter].push(slot.anchor),
            Place::Absent(_) => {}
        }
    }
}

/// Counts within a chapter.
struct Counters {
    chapter: usize,
    /// Levels and numbers of the headings that are open.
    sections: Vec<(u8, usize)>,
    equations: usize,
    figures: usize,
    tables: usize,
}

impl Counters {
    fn new(chapter: usize) -> Self {
        Self { chapter, sections: vec![(0, 0)], equations: 0, figures: 0, tables: 0 }
    }

    fn next(&mut self, item: &Item) -> String {
        let chapter = self.chapter;
        let counter = match item.kind {
            Kind::Section if item.level == 0 => return chapter.to_string(),
            Kind::Section => return self.section(item.level),
            Kind::Equation => &mut self.equations,
            Kind::Figure => &mut self.figures,
            Kind::Table => &mut self.tables,
            Kind::Cell => return item.words.clone(),
        };
        *counter += 1;
        format!("{chapter}.{counter}")
    }

    /// Numbers a heading. A level that is left out leaves no hole in the numbers.
    fn section(&mut self, level: u8) -> String {
        let mut before = 0;
        while let Some(&(_, number)) = self.sections.last().filter(|(open, _)| *open >= level) {
            before = number;
            self.sections.pop();
        }
        self.sections.push((level, before + 1));
        let numbers: Vec<String> =
            self.sections[1..].iter().map(|(_, number)| number.to_string()).collect();
        format!("{}.{}", self.chapter, numbers.join("."))
    }

    /// Level at which a heading is shown: 2 for a section, 3 for one below it.
    fn depth(&self, item: &Item) -> u8 {
        match item.kind {
            Kind::Section => u8::try_from(self.sections.len()).unwrap_or(6).clamp(1, 6),
            _ => 0,
        }
    }
}

/// Walks a chapter.
struct Collector<'a> {
    index: usize,
    chapter: &'a Chapter,
    macros: &'a Macros,
    results: &'a [CellResult],
    items: Vec<Item>,
}

impl Collector<'_> {
    fn chapter(&mut self) {
        let (_, removed) = title(self.chapter);
        let heading = removed.and_then(|index| match &self.chapter.blocks[index] {
            Block::Heading { label, span, .. } => Some((label.clone(), span.clone())),
            _ => None,
        });
        let (label, span) = heading.unwrap_or_else(|| (None, self.chapter.source.span(0..0)));
        self.items.push(Item {
            labels: label.into_iter().collect(),
            numbered: true,
            ..Item::new(Place::Title, Kind::Section, span)
        });
        for (index, block) in self.chapter.blocks.iter().enumerate() {
            if Some(index) != removed {
                self.block(block);
            }
        }
    }

    fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            self.block(block);
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading { level, label, content, span } => {
                let words = slug(&plain_text(content));
                self.items.push(Item {
                    labels: label.iter().cloned().collect(),
                    numbered: true,
                    words: if words.is_empty() { "section".into() } else { words },
                    level: *level,
                    ..Item::new(self.at(span), Kind::Section, span.clone())
                });
            }
            Block::Equation(equation) => {
                let mut labels: Vec<String> = equation.label.iter().cloned().collect();
                let mut tag = None;
                if (equation.latex.contains("\\label") || equation.latex.contains("\\tag"))
                    && let Ok(math) = Math::parse(&equation.latex, Display::Block, self.macros)
                {
                    labels.extend(math.labels().iter().cloned());
                    tag = math.tag();
                }
                let tag = tag.map(|tag| {
                    let bare = tag.strip_prefix('(').and_then(|tag| tag.strip_suffix(')'));
                    bare.unwrap_or(&tag).to_owned()
                });
                self.items.push(Item {
                    numbered: !labels.is_empty(),
                    labels,
                    tag,
                    words: "equation".into(),
                    ..Item::new(self.at(&equation.span), Kind::Equation, equation.span.clone())
                });
            }
            Block::Table { caption, label, span, .. } => {
                self.float(Kind::Table, label, caption.is_some(), span);
            }
            Block::Figure { caption, label, span, .. } => {
                self.float(Kind::Figure, label, !caption.is_empty(), span);
            }
            Block::Cell(cell) => self.cell(*cell),
            Block::Module(module) => {
                let Some(block) = self.chapter.modules.get(*module) else { return };
                self.items.push(Item {
                    words: format!("module-{}", module + 1),
                    ..Item::new(Place::Module, Kind::Cell, block.span.clone())
                });
            }
            Block::List { items, .. } => {
                for item in items {
                    self.blocks(&item.blocks);
                }
            }
            Block::Quote(blocks)
            | Block::Callout { blocks, .. }
            | Block::Footnote { blocks, .. } => self.blocks(blocks),
            Block::Paragraph(_) | Block::Code { .. } | Block::Rule | Block::Html(_) => {}
        }
    }

    fn at(&self, span: &Span) -> Place {
        Place::Slot(Key::Block(self.index, span.range.start))
    }

    fn float(&mut self, kind: Kind, label: &Option<String>, captioned: bool, span: &Span) {
        self.items.push(Item {
            labels: label.iter().cloned().collect(),
            numbered: label.is_some() || captioned,
            words: if kind == Kind::Table { "table" } else { "figure" }.into(),
            ..Item::new(self.at(span), kind, span.clone())
        });
    }

    fn cell(&mut self, index: usize) {
        let Some(cell) = self.chapter.cells.get(index) else { return };
        let span = &cell.span;
        self.items.push(Item {
            words: cell.id.clone(),
            ..Item::new(Place::Cell, Kind::Cell, span.clone())
        });
        let result =
            self.results.get(index).filter(|result| matches!(result.status, CellStatus::Done));
        let floats = result.map(|result| float_labels(cell, result)).unwrap_or_default();
        if !floats.iter().flatten().any(|float| float.owns_options)
            && let Some(label) = &cell.options.label
        {
            let kind = Kind::of_label(label);
            self.items.push(Item {
                labels: vec![label.clone()],
                numbered: true,
                words: (index + 1).to_string(),
                ..Item::new(Place::Absent(index), kind.unwrap_or(Kind::Cell), span.clone())
            });
        }
        for (artifact, float) in floats.into_iter().enumerate() {
            let Some(float) = float else { continue };
            self.items.push(Item {
                numbered: float.label.is_some() || float.captioned,
                labels: float.label.into_iter().collect(),
                words: format!("{}-output-{}", cell.id, artifact + 1),
                ..Item::new(
                    Place::Slot(Key::Artifact(self.index, index, artifact)),
                    float.kind,
                    span.clone(),
                )
            });
        }
    }
}

impl Item {
    fn new(place: Place, kind: Kind, span: Span) -> Self {
        Self {
            place,
            kind,
            labels: Vec::new(),
            span,
            numbered: false,
            tag: None,
            words: String::new(),
            level: 0,
        }
    }
}
