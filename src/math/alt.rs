//! From the formula tree to words, for screen readers and the PDF's alternative text.
//!
//! Reads left to right, names what is not a letter, and says where longer parts end.

use super::tree::{Kind, Node, Row, Side, children};

/// Reads a formula out.
pub(super) fn words(row: &Row) -> String {
    let mut words = Words(Vec::new());
    words.row(row);
    words.0.join(" ")
}

/// Returns the characters of a row without any words about them.
pub(super) fn plain(row: &Row) -> String {
    let mut out = String::new();
    for node in row {
        match &node.kind {
            Kind::Number(text) | Kind::Text(text) | Kind::Reference { text, .. } => {
                out.push_str(text);
            }
            Kind::Symbol(symbol) => out.push(symbol.char),
            Kind::Space(_) => out.push(' '),
            kind => children(kind, &mut |child| out.push_str(&plain(child))),
        }
    }
    out.replace('\u{a0}', " ")
}

struct Words(Vec<String>);

impl Words {
    fn say(&mut self, words: &str) {
        if !words.is_empty() {
            self.0.push(words.to_owned());
        }
    }

    fn row(&mut self, row: &[Node]) {
        for node in row {
            self.node(node);
        }
    }

    /// Reads a part, closed off by `end` if it is more than one word.
    fn part(&mut self, row: &Row, end: &str) {
        let before = self.0.len();
        self.row(row);
        if self.0.len() > before + 1 {
            self.say(end);
        }
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            Kind::Number(digits) => self.say(digits),
            Kind::Symbol(symbol) => self.say(&name(symbol.char, &symbol.latex)),
            Kind::Space(_) | Kind::Phantom(_) => {}
            Kind::Text(text) | Kind::Reference { text, .. } => {
                self.say(text.replace('\u{a0}', " ").trim());
            }
            Kind::Large { symbol, .. } => self.say(&name(symbol.char, &symbol.latex)),
            Kind::Operator { body, .. }
                if body.iter().all(|node| {
                    matches!(node.kind, Kind::Symbol(_) | Kind::Text(_) | Kind::Space(_))
                }) =>
            {
                let operator = plain(body);
                self.say(&operator);
            }
            Kind::Group(body)
            | Kind::Operator { body, .. }
            | Kind::Style { body, .. }
            | Kind::Class { body, .. }
            | Kind::Color { body, .. } => self.row(body),
            Kind::Font { body, .. } => {
                let letters = |node: &Node| matches!(&node.kind, Kind::Symbol(symbol) if symbol.char.is_ascii_alphabetic());
                if body.iter().all(letters) {
                    let word = plain(body);
                    self.say(&word);
                } else {
                    self.row(body);
                }
            }
            Kind::Scripts { base, sub, sup } => self.scripts(base, sub.as_ref(), sup.as_ref()),
            Kind::Fraction { numerator, denominator, bar, .. } => {
                let (start, middle, end) = if *bar {
                    ("fraction", "over", "end fraction")
                } else {
                    ("binomial", "choose", "end binomial")
                };
                self.say(start);
                self.row(numerator);
                self.say(middle);
                self.row(denominator);
                self.say(end);
            }
            Kind::Root { degree, body } => {
                if let Some(degree) = degree {
                    self.say("root of degree");
                    self.row(degree);
                    self.say("of");
                } else {
                    self.say("square root of");
                }
                self.part(body, "end root");
            }
            Kind::Fenced { left, right, body } => {
                if let Some(left) = left {
                    self.say(&name(*left, ""));
                }
                self.row(body);
                if let Some(right) = right {
                    self.say(&name(*right, ""));
                }
            }
            Kind::Middle(symbol) | Kind::Delimiter { symbol, .. } => self.say(&name(*symbol, "")),
            Kind::Accent { mark, body, .. } => {
                self.part(body, "all");
                self.say(match mark {
                    '\u{302}' => "hat",
                    '\u{303}' => "tilde",
                    '\u{304}' => "bar",
                    '\u{306}' => "breve",
                    '\u{307}' => "dot",
                    '\u{308}' => "double dot",
                    '\u{20db}' => "triple dot",
                    '\u{20dc}' => "four dots",
                    '\u{30a}' => "ring",
                    '\u{30c}' => "check",
                    '\u{301}' => "acute",
                    '\u{300}' => "grave",
                    _ => "arrow",
                });
            }
            Kind::Line { side, body } => {
                self.part(body, "all");
                self.say(match side {
                    Side::Over => "overlined",
                    Side::Under => "underlined",
                });
            }
            Kind::Brace { body, label, .. } => {
                self.part(body, "all");
                if let Some(label) = label {
                    self.say("with brace");
                    self.part(label, "end brace");
                }
            }
            Kind::Arrow { symbol, above, below } => {
                self.say(&name(*symbol, ""));
                for label in above.iter().chain(below) {
                    self.say("labelled");
                    self.part(label, "end label");
                }
            }
            Kind::Array(array) => {
                self.say("rows:");
                for (at, row) in array.rows.iter().enumerate() {
                    if at > 0 {
                        self.say(";");
                    }
                    for (column, cell) in row.iter().enumerate() {
                        if column > 0 && array.layout == super::tree::Layout::Table {
                            self.say(",");
                        }
                        self.row(cell);
                    }
                }
                self.say("end rows");
            }
            Kind::Boxed(body) => {
                self.say("boxed");
                self.part(body, "end box");
            }
            Kind::Cancel { body, .. } => {
                self.say("cancelled");
                self.part(body, "end cancelled");
            }
        }
    }

    fn scripts(&mut self, base: &Row, sub: Option<&Row>, sup: Option<&Row>) {
        self.row(base);
        let large = matches!(
            base.first().map(|node| &node.kind),
            Some(Kind::Large { .. } | Kind::Operator { .. })
        );
        if let Some(sub) = sub {
            self.say(if large { "from" } else { "sub" });
            self.part(sub, if large { "" } else { "end sub" });
        }
        let Some(sup) = sup else { return };
        let only = match &sup[..] {
            [Node { kind: Kind::Number(digits), .. }] => digits.as_str(),
            [Node { kind: Kind::Symbol(symbol), .. }] => symbol.latex.as_str(),
            _ => "",
        };
        let primes =
            sup.iter().all(|node| matches!(&node.kind, Kind::Symbol(symbol) if symbol.char == '′'));
        match only {
            _ if large => {
                self.say("to");
                self.part(sup, "of");
            }
            "2" => self.say("squared"),
            "3" => self.say("cubed"),
            "T" | "\\top" | "\\intercal" => self.say("transposed"),
            _ if primes => self.row(sup),
            _ => {
                self.say("to the power");
                self.part(sup, "end power");
            }
        }
    }
}

/// Returns how a character is read.
fn name(char: char, latex: &str) -> String {
    let known = match char {
        '=' => "equals",
        '+' => "plus",
        '−' => "minus",
        '±' => "plus or minus",
        '∓' => "minus or plus",
        '⋅' | '×' => "times",
        '∗' => "star",
        '/' => "divided by",
        '≈' => "is approximately",
        '≠' => "is not equal to",
        '<' => "is less than",
        '>' => "is greater than",
        '≤' => "is at most",
        '≥' => "is at least",
        '≡' => "is equivalent to",
        '∼' => "is distributed as",
        '∝' => "is proportional to",
        '∈' => "in",
        '∉' => "not in",
        '→' => "to",
        '∑' => "sum",
        '∏' => "product",
        '∫' => "integral",
        '∞' => "infinity",
        '∂' => "partial",
        '∇' => "nabla",
        '∀' => "for all",
        '∃' => "there exists",
        '…' | '⋯' | '⋮' | '⋱' => "and so on",
        '′' => "prime",
        '!' => "factorial",
        '(' => "open parenthesis",
        ')' => "close parenthesis",
        '[' => "open bracket",
        ']' => "close bracket",
        '{' => "open brace",
        '}' => "close brace",
        '|' | '∣' => "bar",
        '‖' | '∥' => "double bar",
        '⟨' => "open angle",
        '⟩' => "close angle",
        '⌊' => "floor of",
        '⌋' => "end floor",
        '⌈' => "ceiling of",
        '⌉' => "end ceiling",
        _ => match latex.strip_prefix('\\') {
            Some(name) if name.chars().all(|char| char.is_ascii_alphabetic()) => name,
            _ => return char.to_string(),
        },
    };
    known.to_owned()
}
