//! From the LaTeX grammar's parse tree to our formula tree.
//!
//! Whatever cannot be shown alike in every output is an error here, so that the emitters behind
//! it have no failing cases.

use std::ops::Range;

use katex::KatexContext;
use katex::build_html::DomType;
use katex::parser::parse_node::{AnyParseNode, ParseNodeOp};
use katex::spacing_data::MeasurementOwned;
use katex::symbols::Atom;
use katex::types::{ErrorLocationProvider, Mode};

use super::MathError;
use super::symbols;
use super::tree::{
    Class, Font, Kind, Limits, NOWHERE, Node, Row, Side, Strokes, Style, Symbol, children, word,
};

mod array;
mod number;

use number::join_numbers;

/// Prefix that marks a link as a reference to an equation.
pub(super) const REFERENCE: &str = "veracity-equation:";

/// Nodes nested deeper than this are refused.
const MAX_DEPTH: usize = 100;

/// Turns grammar nodes of one formula into ours.
pub(super) struct Lowering<'a> {
    pub context: &'a KatexContext,
    pub latex: &'a str,
    pub style: Style,
    /// Text for the label of an equation.
    pub resolve: &'a dyn Fn(&str) -> Option<String>,
    pub depth: usize,
    /// Range of the innermost node that has one.
    pub range: Range<usize>,
    /// Whether the node at hand has a range of its own.
    pub located: bool,
}

impl Lowering<'_> {
    /// Converts neighbouring nodes.
    pub fn row(&mut self, nodes: &[AnyParseNode]) -> Result<Row, MathError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error("the formula is nested too deeply"));
        }
        let mut row = Row::new();
        for node in nodes {
            self.node(node, &mut row)?;
        }
        self.depth -= 1;
        self.locate(&mut row);
        self.negate_relations(join_numbers(row))
    }

    /// Gives each node out of a macro's body the place between its neighbours.
    fn locate(&self, row: &mut Row) {
        if row.iter().all(|node| node.range == NOWHERE) {
            return;
        }
        let mut before = self.range.start;
        for at in 0..row.len() {
            if row[at].range == NOWHERE {
                let next = row[at..].iter().find(|node| node.range != NOWHERE);
                let after = next.map_or(self.range.end, |node| node.range.start);
                if let Some(between) = self.latex.get(before..after) {
                    let start = before + between.len() - between.trim_start().len();
                    row[at].range = start..(before + between.trim_end().len()).max(start);
                }
            } else {
                before = row[at].range.end;
            }
        }
    }

    /// Takes in the closing braces of what a range opens.
    fn closed(&self, range: Range<usize>) -> Range<usize> {
        let Some(text) = self.latex.get(range.clone()) else { return range };
        let count = |brace: char| text.matches(brace).count();
        let mut open = count('{').saturating_sub(count('}'));
        let mut end = range.end;
        for char in self.latex[end..].chars() {
            if open == 0 || !(char == '}' || char.is_whitespace()) {
                break;
            }
            open -= usize::from(char == '}');
            end += char.len_utf8();
        }
        range.start..if open == 0 { end } else { range.end }
    }

    /// Replaces `\not` and the relation behind it by the negated relation.
    fn negate_relations(&self, row: Row) -> Result<Row, MathError> {
        let mut negated = Row::with_capacity(row.len());
        let mut nodes = row.into_iter();
        while let Some(mut node) = nodes.next() {
            if !matches!(&node.kind, Kind::Symbol(symbol) if symbol.char == '\u{338}') {
                negated.push(node);
                continue;
            }
            let next = nodes.next();
            let relation = match next.as_ref().map(|next| &next.kind) {
                Some(Kind::Symbol(symbol)) => symbols::negation(symbol.char).map(|char| Symbol {
                    char,
                    class: Class::Relation,
                    latex: format!("\\not{}", symbol.latex),
                }),
                _ => None,
            };
            let Some(relation) = relation else {
                return Err(self.error("\\not needs a relation that has a negated form"));
            };
            node.kind = Kind::Symbol(relation);
            negated.push(node);
        }
        Ok(negated)
    }

    fn one(&mut self, node: &AnyParseNode) -> Result<Row, MathError> {
        match node {
            AnyParseNode::OrdGroup(group) => self.row(&group.body),
            other => self.row(std::slice::from_ref(other)),
        }
    }

    fn styled(&mut self, style: Style, node: &AnyParseNode) -> Result<Row, MathError> {
        let outer = std::mem::replace(&mut self.style, style);
        let row = self.one(node);
        self.style = outer;
        row
    }

    fn optional(
        &mut self,
        style: Style,
        node: Option<&AnyParseNode>,
    ) -> Result<Option<Row>, MathError> {
        node.map(|node| self.styled(style, node)).transpose()
    }

    fn error(&self, message: impl Into<String>) -> MathError {
        MathError { message: message.into(), range: self.range.clone(), hint: None }
    }

    fn unsupported(&self, command: &str) -> MathError {
        self.error(format!("{command} cannot be shown in a report"))
    }

    /// Bytes of the LaTeX that a node says it comes from; nodes out of a macro's body have none.
    fn own_range(&self, node: &AnyParseNode) -> Option<Range<usize>> {
        let location = node.loc().filter(|location| location.input() == self.latex)?;
        let text = self.latex.get(location.start()..location.end())?;
        Some(location.start()..location.start() + text.trim_end().len())
    }

    fn node(&mut self, node: &AnyParseNode, row: &mut Row) -> Result<(), MathError> {
        let own = self.own_range(node);
        let outer = self.range.clone();
        if let Some(own) = &own {
            self.range = own.clone();
        }
        let start = row.len();
        self.located = own.is_some();
        self.kind(node, row)?;
        self.range = outer;
        if let (Some(own), [new]) = (own, &mut row[start..]) {
            new.range = self.closed(cover(own, &new.kind));
        }
        Ok(())
    }

    fn push(&self, row: &mut Row, kind: Kind) {
        let mut inner: Option<Range<usize>> = None;
        children(&kind, &mut |child| {
            for node in child {
                inner = Some(union(inner.take(), &node.range));
            }
        });
        let leaf = if self.located { self.range.clone() } else { NOWHERE };
        let range = inner.map_or(leaf, |inner| self.closed(inner));
        row.push(Node { kind, range });
    }

    fn kind(&mut self, node: &AnyParseNode, row: &mut Row) -> Result<(), MathError> {
        let style = self.style;
        let kind = match node {
            AnyParseNode::Atom(atom) => {
                let class = match atom.family {
                    Atom::Bin => Class::Binary,
                    Atom::Close => Class::Closing,
                    Atom::Inner => Class::Normal,
                    Atom::Open => Class::Opening,
                    Atom::Punct => Class::Punctuation,
                    Atom::Rel => Class::Relation,
                };
                self.symbol(&atom.text, atom.mode, class)
            }
            AnyParseNode::MathOrd(ord) => self.symbol(&ord.text, ord.mode, Class::Normal),
            AnyParseNode::TextOrd(ord) => self.symbol(&ord.text, ord.mode, Class::Normal),
            AnyParseNode::Spacing(space) => match (&*space.text, space.mode) {
                ("\\nobreak" | "\\allowbreak", _) => return Ok(()),
                (_, Mode::Text) => Kind::Text("\u{a0}".to_owned()),
                (_, Mode::Math) => Kind::Space(1.0 / 3.0),
            },
            AnyParseNode::Kern(kern) => Kind::Space(self.em(&kern.dimension)?),
            AnyParseNode::OrdGroup(group) if group.mode == Mode::Text => {
                row.extend(self.text(&group.body)?);
                return Ok(());
            }
            AnyParseNode::OrdGroup(group) if group.semisimple == Some(true) => {
                row.extend(self.row(&group.body)?);
                return Ok(());
            }
            AnyParseNode::OrdGroup(group) => Kind::Group(self.row(&group.body)?),
            AnyParseNode::Text(text) => {
                let body = self.text(&text.body)?;
                match text.font.as_deref() {
                    Some("\\textbf") => font(Font::BoldUpright, body),
                    Some("\\textit" | "\\emph") => font(Font::Italic, body),
                    Some("\\texttt") => font(Font::Mono, body),
                    Some("\\textsf") => font(Font::Sans, body),
                    _ => {
                        row.extend(body);
                        return Ok(());
                    }
                }
            }
            AnyParseNode::Hbox(node) => {
                row.extend(self.text(&node.body)?);
                return Ok(());
            }
            AnyParseNode::SupSub(scripts) => {
                let script = style.script();
                let sub = self.optional(script, scripts.sub.as_deref())?;
                let sup = self.optional(script, scripts.sup.as_deref())?;
                if let Some(AnyParseNode::HorizBrace(brace)) = scripts.base.as_deref() {
                    let (label, other) = if brace.is_over { (sup, sub) } else { (sub, sup) };
                    if other.is_some() {
                        return Err(self.error("a brace has its label on one side only"));
                    }
                    self.brace(&brace.label, &brace.base, label)?
                } else {
                    let base = match scripts.base.as_deref() {
                        Some(group @ AnyParseNode::OrdGroup(_)) => {
                            let mut base = Row::new();
                            self.node(group, &mut base)?;
                            base
                        }
                        Some(base) => self.one(base)?,
                        None => Row::new(),
                    };
                    Kind::Scripts { base, sub, sup }
                }
            }
            AnyParseNode::HorizBrace(brace) => self.brace(&brace.label, &brace.base, None)?,
            AnyParseNode::Genfrac(fraction) => {
                if fraction.bar_size.as_ref().is_some_and(|size| size.number != 0.0) {
                    return Err(self.unsupported("a fraction bar of its own thickness"));
                }
                Kind::Fraction {
                    numerator: self.styled(style.fraction(), &fraction.numer)?,
                    denominator: self.styled(style.fraction(), &fraction.denom)?,
                    bar: fraction.has_bar_line,
                    left: self.optional_delimiter(fraction.left_delim.as_deref())?,
                    right: self.optional_delimiter(fraction.right_delim.as_deref())?,
                }
            }
            AnyParseNode::LeftRight(fenced) => Kind::Fenced {
                left: self.delimiter(&fenced.left)?,
                right: self.delimiter(&fenced.right)?,
                body: self.row(&fenced.body)?,
            },
            AnyParseNode::Middle(middle) => match self.delimiter(&middle.delim)? {
                Some(delimiter) => Kind::Middle(delimiter),
                None => return Ok(()),
            },
            AnyParseNode::Delimsizing(sized) => match self.delimiter(&sized.delim)? {
                Some(symbol) => Kind::Delimiter {
                    symbol,
                    size: 0.6 + 0.6 * f64::from(sized.size),
                    class: Self::class(sized.mclass),
                },
                None => return Ok(()),
            },
            AnyParseNode::Sqrt(root) => Kind::Root {
                degree: self.optional(Style::ScriptScript, root.index.as_ref())?,
                body: self.one(&root.body)?,
            },
            AnyParseNode::Op(op) => self.operator(op)?,
            AnyParseNode::OperatorName(operator) => Kind::Operator {
                body: self.row(&operator.body).map(as_text)?,
                limits: match (operator.always_handle_sup_sub, operator.limits) {
                    (true, true) => Limits::Always,
                    (true, false) => Limits::Display,
                    _ => Limits::Never,
                },
            },
            AnyParseNode::Styling(styling) => {
                let inner = match styling.style.size {
                    0 => Style::Display,
                    1 => Style::Text,
                    2 => Style::Script,
                    _ => Style::ScriptScript,
                };
                let inner = if styling.style.id < 2 { Style::Display } else { inner };
                self.style = inner;
                let body = if styling.mode == Mode::Text {
                    self.text(&styling.body)
                } else {
                    self.row(&styling.body)
                };
                self.style = style;
                if inner == style {
                    row.extend(body?);
                    return Ok(());
                }
                Kind::Style { style: inner, body: body? }
            }
            AnyParseNode::Font(node) => {
                let body = self.one(&node.body)?;
                font(self.font(&node.font)?, body)
            }
            AnyParseNode::Pmb(node) => font(Font::Bold, self.row(&node.body)?),
            AnyParseNode::Color(node) => {
                let body = self.row(&node.body)?;
                let Some(color) = symbols::color(&node.color) else {
                    let mut error = self.error(format!("unknown colour {:?}", node.color));
                    error.hint = super::did_you_mean(&node.color, symbols::color_names());
                    return Err(error);
                };
                Kind::Color { color, body }
            }
            AnyParseNode::Accent(accent) => Kind::Accent {
                mark: symbols::accent(&accent.label)
                    .ok_or_else(|| self.unsupported(&accent.label))?,
                wide: accent.label.starts_with("\\wide") || accent.label.starts_with("\\over"),
                body: self.one(&accent.base)?,
            },
            AnyParseNode::Overline(line) => {
                Kind::Line { side: Side::Over, body: self.one(&line.body)? }
            }
            AnyParseNode::Underline(line) => {
                Kind::Line { side: Side::Under, body: self.one(&line.body)? }
            }
            AnyParseNode::Phantom(phantom) => Kind::Phantom(self.row(&phantom.body)?),
            AnyParseNode::Enclose(enclosed) => {
                let body = self.one(&enclosed.body)?;
                match &*enclosed.label {
                    "\\fbox" => Kind::Boxed(body),
                    "\\cancel" => Kind::Cancel { strokes: Strokes::Rising, body },
                    "\\bcancel" => Kind::Cancel { strokes: Strokes::Falling, body },
                    "\\xcancel" => Kind::Cancel { strokes: Strokes::Both, body },
                    other => return Err(self.unsupported(other)),
                }
            }
            AnyParseNode::Mclass(node) => {
                let body = self.row(&node.body)?;
                if body.is_empty() {
                    return Ok(());
                }
                Kind::Class { class: Self::class(node.mclass), body }
            }
            AnyParseNode::XArrow(arrow) => Kind::Arrow {
                symbol: symbols::arrow(&arrow.label)
                    .ok_or_else(|| self.unsupported(&arrow.label))?,
                above: self.optional(style.script(), arrow.body.as_deref())?,
                below: self.optional(style.script(), arrow.below.as_deref())?,
            },
            AnyParseNode::Array(array) => Kind::Array(self.array(array)?),
            AnyParseNode::HtmlMathMl(node) => {
                for node in &node.mathml {
                    self.node(node, row)?;
                }
                return Ok(());
            }
            AnyParseNode::MathChoice(choice) => {
                let chosen = match style {
                    Style::Display => &choice.display,
                    Style::Text => &choice.text,
                    Style::Script => &choice.script,
                    Style::ScriptScript => &choice.scriptscript,
                };
                row.extend(self.row(chosen)?);
                return Ok(());
            }
            AnyParseNode::Href(link) => match link.href.strip_prefix(REFERENCE) {
                Some(label) => self.reference(label)?,
                None => return Err(self.unsupported("\\href")),
            },
            AnyParseNode::Internal(_) => return Ok(()),
            AnyParseNode::Cr(_) => {
                let mut error = self.error("a line break needs an environment around it");
                error.hint = Some("\\begin{gathered} … \\end{gathered}".to_owned());
                return Err(error);
            }
            AnyParseNode::Tag(tag) => {
                row.extend(self.row(&tag.body)?);
                return Ok(());
            }
            AnyParseNode::AccentUnder(accent) => return Err(self.unsupported(&accent.label)),
            AnyParseNode::Verb(_) => return Err(self.unsupported("\\verb")),
            AnyParseNode::Url(_) => return Err(self.unsupported("\\url")),
            AnyParseNode::Includegraphics(_) => {
                return Err(self.unsupported("\\includegraphics"));
            }
            AnyParseNode::Html(_) => return Err(self.unsupported("HTML in a formula")),
            AnyParseNode::Sizing(_) => return Err(self.unsupported("a change of font size")),
            AnyParseNode::Rule(rule) if rule.width.number == 0.0 => return Ok(()),
            AnyParseNode::Rule(_) => return Err(self.unsupported("\\rule")),
            AnyParseNode::Lap(lap) => {
                return Err(self.unsupported(&format!("\\math{}", lap.alignment.as_str())));
            }
            AnyParseNode::Smash(_) => return Err(self.unsupported("\\smash")),
            AnyParseNode::Raisebox(_) => return Err(self.unsupported("\\raisebox")),
            AnyParseNode::Hphantom(_) => return Err(self.unsupported("\\hphantom")),
            AnyParseNode::Vphantom(_) => return Err(self.unsupported("\\vphantom")),
            AnyParseNode::Vcenter(_) => return Err(self.unsupported("\\vcenter")),
            AnyParseNode::LeftRightRight(_)
            | AnyParseNode::CdLabel(_)
            | AnyParseNode::CdLabelParent(_)
            | AnyParseNode::ColorToken(_)
            | AnyParseNode::Raw(_)
            | AnyParseNode::Size(_)
            | AnyParseNode::AccentToken(_)
            | AnyParseNode::OpToken(_)
            | AnyParseNode::Environment(_)
            | AnyParseNode::Infix(_) => {
                return Err(self.unsupported("this construct"));
            }
        };
        self.push(row, kind);
        Ok(())
    }

    fn symbol(&self, text: &str, mode: Mode, class: Class) -> Kind {
        let replaced = self.context.symbols.get(mode, text).and_then(|info| info.replace);
        let mut chars = text.chars();
        let char = match (replaced, chars.next(), chars.next()) {
            (Some(char), ..) | (None, Some(char), None) => char,
            _ => return Kind::Text(text.to_owned()),
        };
        if mode == Mode::Text {
            return Kind::Text(char.to_string());
        }
        if text.len() == 1 && char.is_ascii_digit() {
            return Kind::Number(char.to_string());
        }
        let char = match text {
            "|" | "\\vert" | "\\lvert" | "\\rvert" => '|',
            "\\|" | "\\Vert" | "\\lVert" | "\\rVert" => '‖',
            _ => char,
        };
        Kind::Symbol(Symbol { char, class, latex: text.to_owned() })
    }

    /// Converts text-mode nodes, joining characters into words.
    fn text(&mut self, nodes: &[AnyParseNode]) -> Result<Row, MathError> {
        let mut joined = Row::new();
        for node in self.row(nodes)? {
            if let Kind::Text(text) = &node.kind
                && let Some(Node { kind: Kind::Text(before), range }) = joined.last_mut()
            {
                before.push_str(text);
                range.end = range.end.max(node.range.end);
            } else {
                joined.push(node);
            }
        }
        Ok(joined)
    }

    fn operator(&mut self, op: &ParseNodeOp) -> Result<Kind, MathError> {
        let limits = match (op.always_handle_sup_sub(), op.limits()) {
            (true, true) => Limits::Always,
            (false, true) => Limits::Display,
            (_, false) => Limits::Never,
        };
        Ok(match op {
            ParseNodeOp::Symbol { name, symbol, .. } if *symbol => {
                let known = self.context.symbols.get_math(name);
                let mut chars = name.chars();
                let char = match (known.and_then(|info| info.replace), chars.next()) {
                    (Some(char), _) => char,
                    (None, Some(char)) if chars.next().is_none() => char,
                    _ => return Err(self.unsupported(name)),
                };
                Kind::Large {
                    symbol: Symbol { char, class: Class::Large, latex: name.clone() },
                    limits,
                }
            }
            ParseNodeOp::Symbol { name, .. } => {
                let text = name.trim_start_matches('\\').to_owned();
                Kind::Operator {
                    body: vec![Node { kind: Kind::Text(text), range: self.range.clone() }],
                    limits,
                }
            }
            ParseNodeOp::Body { body, .. } => Kind::Operator { body: self.row(body)?, limits },
        })
    }

    fn brace(
        &mut self,
        command: &str,
        base: &AnyParseNode,
        label: Option<Row>,
    ) -> Result<Kind, MathError> {
        let side = match command {
            "\\overbrace" => Side::Over,
            "\\underbrace" => Side::Under,
            other => return Err(self.unsupported(other)),
        };
        Ok(Kind::Brace { side, body: self.one(base)?, label })
    }

    fn reference(&self, label: &str) -> Result<Kind, MathError> {
        match (self.resolve)(label) {
            Some(text) => Ok(Kind::Reference { label: label.to_owned(), text }),
            None => Err(MathError {
                message: format!("no equation is labelled {label:?}"),
                range: self
                    .latex
                    .find(label)
                    .map_or_else(|| self.range.clone(), |start| start..start + label.len()),
                hint: None,
            }),
        }
    }

    fn delimiter(&self, latex: &str) -> Result<Option<char>, MathError> {
        symbols::delimiter(latex).ok_or_else(|| self.unsupported(&format!("the delimiter {latex}")))
    }

    fn optional_delimiter(&self, latex: Option<&str>) -> Result<Option<char>, MathError> {
        match latex {
            None | Some("") => Ok(None),
            Some(latex) => self.delimiter(latex),
        }
    }

    fn class(class: DomType) -> Class {
        match class {
            DomType::Mord | DomType::Minner => Class::Normal,
            DomType::Mop => Class::Large,
            DomType::Mbin => Class::Binary,
            DomType::Mrel => Class::Relation,
            DomType::Mopen => Class::Opening,
            DomType::Mclose => Class::Closing,
            DomType::Mpunct => Class::Punctuation,
        }
    }

    fn font(&self, name: &str) -> Result<Font, MathError> {
        Ok(match name {
            "mathrm" | "textrm" => Font::Upright,
            "mathit" | "mathnormal" | "textit" => Font::Italic,
            "mathbf" | "textbf" => Font::BoldUpright,
            "boldsymbol" => Font::Bold,
            "mathbb" => Font::Blackboard,
            "mathcal" => Font::Calligraphic,
            "mathscr" => Font::Script,
            "mathfrak" => Font::Fraktur,
            "mathsf" => Font::Sans,
            "mathtt" => Font::Mono,
            other => return Err(self.unsupported(&format!("\\{other}"))),
        })
    }

    /// Length in em of the surrounding font, at 10 pt for absolute units.
    fn em(&self, size: &MeasurementOwned) -> Result<f64, MathError> {
        let unit = match &*size.unit {
            "mu" => 1.0 / 18.0,
            "em" => 1.0,
            "ex" => 0.431,
            "pt" => 0.1,
            "pc" => 1.2,
            "bp" => 0.1004,
            "in" => 7.227,
            "cm" => 2.8453,
            "mm" => 0.284_53,
            other => return Err(self.error(format!("unknown unit {other}"))),
        };
        Ok(size.number * unit)
    }
}

/// Makes one text of a row that is nothing but letters, digits and thin spaces.
fn as_text(row: Row) -> Row {
    let (Some(text), Some(first), Some(last)) = (word(&row), row.first(), row.last()) else {
        return row;
    };
    let range = first.range.start..last.range.end.max(first.range.start);
    vec![Node { kind: Kind::Text(text), range }]
}

fn font(font: Font, body: Row) -> Kind {
    Kind::Font { font, body }
}

fn union(a: Option<Range<usize>>, b: &Range<usize>) -> Range<usize> {
    match a {
        Some(a) if *b == NOWHERE => a,
        Some(a) if a != NOWHERE => a.start.min(b.start)..a.end.max(b.end),
        _ => b.clone(),
    }
}

/// Returns the smallest range around `own` and what is inside the node.
fn cover(own: Range<usize>, kind: &Kind) -> Range<usize> {
    let mut range = own;
    children(kind, &mut |row| {
        for node in row {
            range = union(Some(range.clone()), &node.range);
        }
    });
    range
}
