//! From the formula tree to native Typst math.
//!
//! Alignment is written with `&` and `\`, delimiters with `lr`, scripts with `attach`. The few
//! things that Typst's MathML export leaves out go through the functions of [`PRELUDE`], of which
//! the export has its own definitions.

use typst::utils::default_math_class;

use super::Display;
use super::tree::{
    Align, Array, Class, Font, Kind, Layout, Limits, Node, Row, Side, Strokes, Style, Symbol,
    is_flat, word,
};

/// Definitions that a Typst document needs before it shows [`typst`](super::Math::typst) markup.
pub const PRELUDE: &str = include_str!("paged.typ");

/// Writes a whole formula.
pub(super) fn emit(body: &Row, display: Display) -> String {
    let emitter = Emitter {
        style: match display {
            Display::Inline => Style::Text,
            Display::Block => Style::Display,
        },
    };
    let mut shown = body.iter().filter(|node| !matches!(node.kind, Kind::Space(_)));
    if let (Display::Block, Some(node), None) = (display, shown.next(), shown.next())
        && let Kind::Array(array) = &node.kind
        && array.layout != Layout::Table
    {
        return emitter.lines(array);
    }
    emitter.row(body)
}

struct Emitter {
    style: Style,
}

impl Emitter {
    /// Writes equations under each other with native alignment.
    fn lines(&self, array: &Array) -> String {
        let lines = array.rows.iter().map(|row| {
            let cells = row.iter().enumerate().map(|(column, cell)| {
                let cell = self.row(cell);
                match column {
                    0 => cell,
                    odd if odd % 2 == 1 => format!("&{cell}"),
                    _ => format!("&#h(2em){cell}"),
                }
            });
            cells.collect::<String>()
        });
        lines.collect::<Vec<_>>().join("\\\n")
    }

    fn with(&self, style: Style, row: &Row) -> String {
        Self { style }.argument(row)
    }

    /// Writes a row as the argument of a function, where nothing at all would be an error.
    fn argument(&self, row: &Row) -> String {
        let written = self.row(row);
        if written.is_empty() { "#[]".to_owned() } else { written }
    }

    fn row(&self, row: &[Node]) -> String {
        let mut out = String::new();
        let mut before: Option<Class> = None;
        let mut nodes = row.iter().peekable();
        while let Some(node) = nodes.next() {
            if let Kind::Space(width) = node.kind {
                let mut width = width;
                while let Some(Kind::Space(more)) = nodes.peek().map(|node| &node.kind) {
                    width += more;
                    nodes.next();
                }
                let after = nodes.peek().map(|node| node.class());
                width += self.gap(before, after);
                append(&mut out, &format!("#vmSpace({})", decimal(width)));
                continue;
            }
            let class = node.class();
            let unary =
                class == Class::Binary && !matches!(before, Some(Class::Normal | Class::Closing));
            before = Some(if unary { Class::Normal } else { class });
            append(&mut out, &self.node(node));
        }
        out
    }

    /// Returns the space that Typst would put between two classes, which it leaves out where
    /// a space is written there, while LaTeX adds the two.
    fn gap(&self, left: Option<Class>, right: Option<Class>) -> f64 {
        use Class::{Binary, Closing, Large, Opening, Punctuation, Relation};
        let (Some(left), Some(right)) = (left, right) else {
            return 0.0;
        };
        let script = matches!(self.style, Style::Script | Style::ScriptScript);
        match (left, right) {
            (_, Punctuation) | (Opening, _) | (_, Closing) | (Relation, Relation) => 0.0,
            (Large, Opening) => 0.0,
            (Large, _) | (_, Large) => 3.0 / 18.0,
            _ if script => 0.0,
            (Punctuation, _) => 3.0 / 18.0,
            (Relation, _) | (_, Relation) => 5.0 / 18.0,
            (Binary, _) | (_, Binary) => 4.0 / 18.0,
            _ => 0.0,
        }
    }

    fn node(&self, node: &Node) -> String {
        match &node.kind {
            Kind::Number(digits) => digits.clone(),
            Kind::Symbol(symbol) => classified(symbol),
            Kind::Space(width) => format!("#vmSpace({})", decimal(*width)),
            Kind::Group(body) => {
                let plain =
                    |node: Option<&Node>| node.is_none_or(|node| node.class() == Class::Normal);
                if plain(body.first()) && plain(body.last()) {
                    self.row(body)
                } else {
                    format!("class(\"normal\", {})", self.argument(body))
                }
            }
            Kind::Text(text) | Kind::Reference { text, .. } => quoted(text),
            Kind::Operator { body, limits } => self.operator(body, *limits),
            Kind::Large { symbol, limits } => {
                let written = classified(symbol);
                match limits {
                    Limits::Display => written,
                    Limits::Always => format!("limits({written})"),
                    Limits::Never => format!("scripts({written})"),
                }
            }
            Kind::Scripts { base, sub, sup } => self.scripts(base, sub.as_ref(), sup.as_ref()),
            Kind::Fraction { numerator, denominator, bar, left, right } => {
                self.fraction(numerator, denominator, *bar, *left, *right)
            }
            Kind::Root { degree, body } => {
                let radicand = self.argument(body);
                let root = match degree {
                    Some(degree) => {
                        format!("root({}, {radicand})", self.with(Style::ScriptScript, degree))
                    }
                    None => format!("sqrt({radicand})"),
                };
                if is_flat(body) && !body.iter().any(has_scripts) {
                    format!("vmFlat({root})")
                } else {
                    root
                }
            }
            Kind::Fenced { left, right, body } if is_flat(body) => {
                let mut out = left.map_or_else(String::new, escaped);
                append(&mut out, &self.row(body));
                append(&mut out, &right.map_or_else(String::new, escaped));
                out
            }
            Kind::Fenced { left, right, body } => fenced(*left, *right, &self.row(body)),
            Kind::Middle(delimiter) => format!("mid({})", escaped(*delimiter)),
            Kind::Delimiter { symbol, size, class } => format!(
                "#vmDelimiter(\"{}\", {}, {})",
                match class {
                    Class::Normal => "fence",
                    class => class_name(*class),
                },
                decimal(*size),
                quoted(&symbol.to_string()),
            ),
            Kind::Accent { mark, wide, body } => {
                let width = if *wide { body.len() } else { 0 };
                format!(
                    "vmAccent(#\"\\u{{{:x}}}\", #{width}, {})",
                    u32::from(*mark),
                    self.argument(body),
                )
            }
            Kind::Line { side, body } => match side {
                Side::Over => format!("vmOverline({})", self.argument(body)),
                Side::Under => format!("vmUnderline({})", self.argument(body)),
            },
            Kind::Brace { side, body, label } => {
                let name = match side {
                    Side::Over => "overbrace",
                    Side::Under => "underbrace",
                };
                match label {
                    Some(label) => format!(
                        "{name}({}, {})",
                        self.argument(body),
                        self.with(self.style.script(), label)
                    ),
                    None => format!("{name}({})", self.argument(body)),
                }
            }
            Kind::Arrow { symbol, above, below } => {
                let mut arguments = escaped(*symbol);
                for (name, label) in [("above", above), ("below", below)] {
                    if let Some(label) = label.as_ref().filter(|label| !label.is_empty()) {
                        let label = self.with(self.style.script(), label);
                        arguments.push_str(&format!(", {name}: {label}"));
                    }
                }
                format!("class(\"relation\", vmArrow({arguments}))")
            }
            Kind::Array(array) => self.array(array),
            Kind::Font { font, body } => self.font(*font, body),
            Kind::Style { style, body } => {
                format!("{}({})", style_name(*style), self.with(*style, body))
            }
            Kind::Class { class, body } => {
                format!("class(\"{}\", {})", class_name(*class), self.argument(body))
            }
            Kind::Color { color, body } => {
                let [r, g, b] = color;
                let colored = |class: Class, body: String| {
                    let colored = format!("vmColor(#\"#{r:02x}{g:02x}{b:02x}\", {body})");
                    match class {
                        Class::Normal => colored,
                        class => format!("class(\"{}\", {colored})", class_name(class)),
                    }
                };
                let edges = [body.first(), body.last()];
                if edges.iter().flatten().all(|node| node.class() == Class::Normal) {
                    return colored(Class::Normal, self.argument(body));
                }
                // Coloured one by one, so that operators at the edges keep their space.
                body.iter().map(|node| colored(node.class(), self.node(node))).collect()
            }
            Kind::Boxed(body) => format!("vmBoxed({})", self.argument(body)),
            Kind::Phantom(body) => format!("vmPhantom({})", self.argument(body)),
            Kind::Cancel { strokes, body } => {
                let strokes = match strokes {
                    Strokes::Rising => "rising",
                    Strokes::Falling => "falling",
                    Strokes::Both => "both",
                };
                format!("vmCancel(#\"{strokes}\", {})", self.argument(body))
            }
        }
    }

    fn operator(&self, body: &Row, limits: Limits) -> String {
        let body = self.argument(body);
        match limits {
            Limits::Never => format!("op({body})"),
            Limits::Display => format!("op({body}, limits: #true)"),
            Limits::Always => format!("limits(op({body}))"),
        }
    }

    fn scripts(&self, base: &Row, sub: Option<&Row>, sup: Option<&Row>) -> String {
        let primes = |script: &Row| {
            script
                .iter()
                .all(|node| matches!(&node.kind, Kind::Symbol(symbol) if symbol.char == '′'))
        };
        let [below, above] = if takes_limits(base) { ["b", "t"] } else { ["br", "tr"] };
        let mut arguments = self.argument(base);
        for (name, script) in [(below, sub), (above, sup)] {
            if let Some(script) = script.filter(|script| !script.is_empty()) {
                let script = if primes(script) {
                    format!("primes(#{})", script.len())
                } else {
                    self.with(self.style.script(), script)
                };
                arguments.push_str(&format!(", {name}: {script}"));
            }
        }
        format!("attach({arguments})")
    }

    fn fraction(
        &self,
        numerator: &Row,
        denominator: &Row,
        bar: bool,
        left: Option<char>,
        right: Option<char>,
    ) -> String {
        let style = self.style.fraction();
        let above = self.with(style, numerator);
        let below = self.with(style, denominator);
        match (bar, left, right) {
            (true, None, None) => format!("frac({above}, {below})"),
            (true, ..) => fenced(left, right, &format!("frac({above}, {below})")),
            (false, Some('('), Some(')')) => format!("binom({above}, {below})"),
            (false, ..) => {
                let name = style_name(style);
                let stack = format!(
                    "vmArray(align: #\"c\", tight: #true, {name}({above}); {name}({below}))"
                );
                fenced(left, right, &stack)
            }
        }
    }

    fn array(&self, array: &Array) -> String {
        let name = style_name(array.style);
        let inner = Self { style: array.style };
        let rows = array.rows.iter().map(|row| {
            let cells = row.iter().map(|cell| match inner.row(cell) {
                empty if empty.is_empty() => "#[]".to_owned(),
                cell => format!("{name}({cell})"),
            });
            cells.collect::<Vec<_>>().join(", ") + ";"
        });
        let rows = rows.collect::<Vec<_>>().join(" ");
        if array.layout == Layout::Aligned {
            return format!("vmAligned({rows})");
        }
        let align: String = array
            .columns
            .iter()
            .map(|align| match align {
                Align::Left => 'l',
                Align::Center => 'c',
                Align::Right => 'r',
            })
            .collect();
        let mut arguments = format!("align: #\"{align}\"");
        for (name, rules) in [("columns", &array.vertical_rules), ("rows", &array.horizontal_rules)]
        {
            if !rules.is_empty() {
                let rules: String = rules.iter().map(|rule| format!("{rule},")).collect();
                arguments.push_str(&format!(", {name}: #({rules})"));
            }
        }
        if array.style == Style::Script {
            arguments.push_str(", tight: #true");
        }
        format!("vmArray({arguments}, {rows})")
    }

    fn font(&self, font: Font, body: &Row) -> String {
        let whole = match font {
            Font::Upright | Font::BoldUpright | Font::Italic | Font::Sans | Font::Mono => {
                word(body).filter(|word| word.chars().count() > 1)
            }
            _ => None,
        };
        let body = whole.map_or_else(|| self.argument(body), |word| quoted(&word));
        match font {
            Font::Upright => format!("upright({body})"),
            Font::Italic => format!("italic({body})"),
            Font::Bold => format!("bold({body})"),
            Font::BoldUpright => format!("bold(upright({body}))"),
            Font::Blackboard => format!("bb({body})"),
            Font::Calligraphic => format!("cal({body})"),
            Font::Script => format!("scr({body})"),
            Font::Fraktur => format!("frak({body})"),
            Font::Sans => format!("sans(upright({body}))"),
            Font::Mono => format!("mono(upright({body}))"),
        }
    }
}

/// Appends markup, keeping apart what would join into one name or number. A space would show next
/// to text, a comment never does.
fn append(out: &mut String, markup: &str) {
    let joins = |char: char| char.is_alphanumeric() || char == '_';
    if out.ends_with(joins) && markup.starts_with(joins) {
        out.push_str(if markup.contains('"') { "/**/" } else { " " });
    }
    out.push_str(markup);
}

fn takes_limits(base: &Row) -> bool {
    let [node] = &base[..] else { return false };
    match &node.kind {
        Kind::Operator { .. } | Kind::Large { .. } => true,
        Kind::Style { body, .. } | Kind::Color { body, .. } => takes_limits(body),
        _ => false,
    }
}

fn fenced(left: Option<char>, right: Option<char>, body: &str) -> String {
    // A space stands for a missing delimiter, so that `lr` does not take one out of the body.
    let side = |delimiter: Option<char>| delimiter.map_or_else(|| "#h(0em)".to_owned(), escaped);
    if left.is_none() && right.is_none() {
        return body.to_owned();
    }
    let mut inside = side(left);
    append(&mut inside, body);
    append(&mut inside, &side(right));
    format!("lr({inside})")
}

fn has_scripts(node: &Node) -> bool {
    matches!(node.kind, Kind::Scripts { sup: Some(_), .. })
}

/// Writes a symbol, in LaTeX's class where Typst's own differs.
fn classified(symbol: &Symbol) -> String {
    let written = escaped(symbol.char);
    let default = default_math_class(symbol.char).map(|class| format!("{class:?}"));
    let same = match (symbol.class, default.as_deref()) {
        (_, None) => symbol.class == Class::Normal,
        (Class::Normal, Some(default)) => !matches!(
            default,
            "Binary" | "Vary" | "Relation" | "Opening" | "Closing" | "Punctuation" | "Large"
        ),
        (Class::Binary, Some(default)) => matches!(default, "Binary" | "Vary"),
        (class, Some(default)) => default.eq_ignore_ascii_case(class_name(class)),
    };
    if same { written } else { format!("class(\"{}\", {written})", class_name(symbol.class)) }
}

/// Writes one character so that Typst takes it as nothing else.
fn escaped(char: char) -> String {
    if char.is_alphanumeric() {
        char.to_string()
    } else if char.is_whitespace() || char.is_control() {
        quoted(&char.to_string())
    } else {
        format!("\\{char}")
    }
}

/// Writes text as a Typst string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => {
                out.push('\\');
                out.push(char);
            }
            char if char.is_control() => out.push(' '),
            char => out.push(char),
        }
    }
    out.push('"');
    out
}

/// Writes a length factor with at most four decimals.
fn decimal(value: f64) -> String {
    let rounded = format!("{value:.4}");
    let trimmed = rounded.trim_end_matches('0').trim_end_matches('.');
    if trimmed == "-0" { "0" } else { trimmed }.to_owned()
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Normal => "normal",
        Class::Large => "large",
        Class::Binary => "binary",
        Class::Relation => "relation",
        Class::Opening => "opening",
        Class::Closing => "closing",
        Class::Punctuation => "punctuation",
    }
}

fn style_name(style: Style) -> &'static str {
    match style {
        Style::Display => "display",
        Style::Text => "inline",
        Style::Script => "script",
        Style::ScriptScript => "sscript",
    }
}
