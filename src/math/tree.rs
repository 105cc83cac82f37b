//! Formula tree between the LaTeX grammar and the outputs.
//!
//! Holds what a formula shows, with macros expanded, fonts and styles explicit and a byte range
//! of the author's LaTeX on every node. It knows nothing of Typst, MathML or evaluation.

use std::ops::Range;

/// Nodes side by side.
pub(super) type Row = Vec<Node>;

/// Range of what comes out of a macro and of nothing else in the author's LaTeX.
pub(super) const NOWHERE: Range<usize> = usize::MAX..usize::MAX;

/// Part of a formula.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub kind: Kind,
    /// Bytes of the author's LaTeX that it comes from, or [`NOWHERE`].
    pub range: Range<usize>,
}

/// What a [`Node`] shows.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Digits with at most one decimal point between them.
    Number(String),
    /// One character.
    Symbol(Symbol),
    /// Horizontal space in em.
    Space(f64),
    /// Braced group.
    Group(Row),
    /// Words in the text font.
    Text(String),
    /// Named operator such as `log`, or whatever else stands as an operator.
    Operator {
        body: Row,
        limits: Limits,
    },
    /// Sum, product, integral and the like.
    Large {
        symbol: Symbol,
        limits: Limits,
    },
    Scripts {
        base: Row,
        sub: Option<Row>,
        sup: Option<Row>,
    },
    Fraction {
        numerator: Row,
        denominator: Row,
        /// Whether a bar separates them.
        bar: bool,
        left: Option<char>,
        right: Option<char>,
    },
    Root {
        degree: Option<Row>,
        body: Row,
    },
    /// Delimiters that grow with their body.
    Fenced {
        left: Option<char>,
        right: Option<char>,
        body: Row,
    },
    /// Delimiter inside [`Kind::Fenced`] that grows with it.
    Middle(char),
    /// Delimiter of a fixed size in em.
    Delimiter {
        symbol: char,
        size: f64,
        class: Class,
    },
    /// Mark above its body, as a combining character.
    Accent {
        mark: char,
        /// Whether it is as wide as its body.
        wide: bool,
        body: Row,
    },
    Line {
        side: Side,
        body: Row,
    },
    Brace {
        side: Side,
        body: Row,
        label: Option<Row>,
    },
    /// Arrow that grows with its labels.
    Arrow {
        symbol: char,
        above: Option<Row>,
        below: Option<Row>,
    },
    Array(Array),
    Font {
        font: Font,
        body: Row,
    },
    Style {
        style: Style,
        body: Row,
    },
    Class {
        class: Class,
        body: Row,
    },
    /// Red, green and blue.
    Color {
        color: [u8; 3],
        body: Row,
    },
    Boxed(Row),
    Phantom(Row),
    Cancel {
        strokes: Strokes,
        body: Row,
    },
    /// Reference to a labelled equation and what to show for it.
    Reference {
        label: String,
        text: String,
    },
}

/// One character and the LaTeX that asked for it.
#[derive(Clone, Debug)]
pub(super) struct Symbol {
    pub char: char,
    pub class: Class,
    /// Such as `x` or `\alpha`.
    pub latex: String,
}

/// Rows and columns.
#[derive(Clone, Debug)]
pub(super) struct Array {
    pub layout: Layout,
    pub rows: Vec<Vec<Row>>,
    pub columns: Vec<Align>,
    /// Columns that have a rule on their left; the number of columns stands for the right edge.
    pub vertical_rules: Vec<usize>,
    /// Rows that have a rule above them; the number of rows stands for the bottom edge.
    pub horizontal_rules: Vec<usize>,
    pub style: Style,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// Matrix, `array`, `cases`.
    Table,
    /// Equations aligned at `&`.
    Aligned,
    /// Centred equations.
    Gathered,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Over,
    Under,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strokes {
    Rising,
    Falling,
    Both,
}

/// Where scripts of an operator go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limits {
    /// Above and below in display style, else at the side.
    Display,
    Always,
    Never,
}

/// Spacing class in the sense of TeX.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Normal,
    Large,
    Binary,
    Relation,
    Opening,
    Closing,
    Punctuation,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    Upright,
    Italic,
    Bold,
    BoldUpright,
    Blackboard,
    Calligraphic,
    Script,
    Fraktur,
    Sans,
    Mono,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Display,
    Text,
    Script,
    ScriptScript,
}

impl Style {
    /// Returns the style of scripts on something in this style.
    pub fn script(self) -> Self {
        match self {
            Self::Display | Self::Text => Self::Script,
            Self::Script | Self::ScriptScript => Self::ScriptScript,
        }
    }

    /// Returns the style inside a fraction of this style.
    pub fn fraction(self) -> Self {
        match self {
            Self::Display => Self::Text,
            other => other.script(),
        }
    }
}

impl Node {
    /// Returns the spacing class that its neighbours see.
    pub fn class(&self) -> Class {
        match &self.kind {
            Kind::Symbol(symbol) => symbol.class,
            Kind::Operator { .. } | Kind::Large { .. } => Class::Large,
            Kind::Delimiter { class, .. } | Kind::Class { class, .. } => *class,
            Kind::Arrow { .. } => Class::Relation,
            Kind::Scripts { base, .. } if base.len() == 1 => base[0].class(),
            Kind::Font { body, .. } | Kind::Style { body, .. } | Kind::Color { body, .. }
                if body.len() == 1 =>
            {
                body[0].class()
            }
            _ => Class::Normal,
        }
    }
}

/// Returns the letters of a row that is nothing but letters, digits, text and thin spaces.
pub(super) fn word(row: &Row) -> Option<String> {
    let mut word = String::new();
    for node in row {
        match &node.kind {
            Kind::Number(digits) => word.push_str(digits),
            Kind::Text(text) => word.push_str(text),
            Kind::Symbol(symbol) if symbol.char.is_ascii_alphabetic() => word.push(symbol.char),
            Kind::Symbol(symbol) if symbol.char == '−' => word.push('-'),
            Kind::Space(width) if *width > 0.0 => word.push('\u{2009}'),
            _ => return None,
        }
    }
    (!word.is_empty()).then_some(word)
}

/// Whether a row is no taller than a line of text.
pub(super) fn is_flat(row: &Row) -> bool {
    row.iter().all(|node| match &node.kind {
        Kind::Number(_)
        | Kind::Symbol(_)
        | Kind::Space(_)
        | Kind::Text(_)
        | Kind::Middle(_)
        | Kind::Reference { .. } => true,
        Kind::Group(body)
        | Kind::Operator { body, .. }
        | Kind::Fenced { body, .. }
        | Kind::Font { body, .. }
        | Kind::Class { body, .. }
        | Kind::Color { body, .. } => is_flat(body),
        Kind::Scripts { base, sub, sup } => is_flat(base) && sub.iter().chain(sup).all(is_flat),
        _ => false,
    })
}

/// Calls `visit` on every row directly inside a node.
pub(super) fn children<'a>(kind: &'a Kind, visit: &mut dyn FnMut(&'a Row)) {
    match kind {
        Kind::Number(_)
        | Kind::Symbol(_)
        | Kind::Space(_)
        | Kind::Text(_)
        | Kind::Large { .. }
        | Kind::Middle(_)
        | Kind::Delimiter { .. }
        | Kind::Reference { .. } => {}
        Kind::Group(body)
        | Kind::Operator { body, .. }
        | Kind::Fenced { body, .. }
        | Kind::Accent { body, .. }
        | Kind::Line { body, .. }
        | Kind::Font { body, .. }
        | Kind::Style { body, .. }
        | Kind::Class { body, .. }
        | Kind::Color { body, .. }
        | Kind::Boxed(body)
        | Kind::Phantom(body)
        | Kind::Cancel { body, .. } => visit(body),
        Kind::Scripts { base, sub, sup } => {
            visit(base);
            sub.iter().chain(sup).for_each(visit);
        }
        Kind::Fraction { numerator, denominator, .. } => {
            visit(numerator);
            visit(denominator);
        }
        Kind::Root { degree, body } => {
            degree.iter().for_each(&mut *visit);
            visit(body);
        }
        Kind::Brace { body, label, .. } => {
            visit(body);
            label.iter().for_each(visit);
        }
        Kind::Arrow { above, below, .. } => above.iter().chain(below).for_each(visit),
        Kind::Array(array) => array.rows.iter().flatten().for_each(visit),
    }
}
