//! YAML as a tree whose every node knows where it stands.
//!
//! In: YAML text and the origin of its lines. Out: a [`Node`], and spans of nodes. Left out:
//! what keys mean. serde_yaml tells a place only in an error. A plain or quoted word is
//! borrowed from the text, which gives its place at once; any other node is found by reading
//! the text again and failing on purpose when that node is reached.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, Visitor};

use crate::diag::Diagnostic;
use crate::parse::Code;
use crate::span::{Source, Span};

/// Most nodes that are read, counting each use of an alias: no settings come near it.
const MOST_NODES: usize = 50_000;

/// Deepest nesting of brackets in flow style; libyaml takes quadratic time in it.
const DEEPEST_FLOW: usize = 64;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub value: Value,
    /// Number of the node in reading order.
    ordinal: usize,
    /// Bytes of the YAML text, for a scalar that stands there verbatim.
    pub verbatim: Option<Range<usize>>,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

impl Value {
    /// Words for a message.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Most times that the text is read again to find a place.
const MOST_SEARCHES: usize = 100;

/// YAML text with its origin.
pub(super) struct Yaml<'a> {
    source: &'a Source,
    code: &'a Code,
    searches: Cell<usize>,
}

impl<'a> Yaml<'a> {
    /// The text of `code`, which stands in `source`.
    pub fn new(source: &'a Source, code: &'a Code) -> Self {
        Self { source, code, searches: Cell::new(0) }
    }

    /// Reads the text; a problem with the syntax is a diagnostic.
    pub fn read(&self) -> Result<Node, Box<Diagnostic>> {
        if let Some((at, c)) = forbidden(&self.code.text) {
            let message = format!("the character U+{:04X} is not allowed in YAML", u32::from(c));
            return Err(self.problem(message, at..at + c.len_utf8()));
        }
        if let Some(at) = too_deep(&self.code.text) {
            return Err(self.problem("brackets are nested too deeply".to_owned(), at..at + 1));
        }
        let (node, refusal) = self.search(usize::MAX);
        node.map_err(|error| {
            let message = refusal.map_or_else(|| message(&error), str::to_owned);
            self.problem(message, self.rest_of_line(self.index(&error)))
        })
    }

    /// Where a node stands. After many searches the place is the beginning of the text.
    pub fn span(&self, node: &Node) -> Span {
        if let Some(range) = &node.verbatim {
            return self.part(range.clone());
        }
        self.searches.set(self.searches.get() + 1);
        if self.searches.get() > MOST_SEARCHES {
            return self.part(0..0);
        }
        let at = self.search(node.ordinal).0.err().map_or(0, |error| self.index(&error));
        let line = self.rest_of_line(at);
        let length = value_length(&self.code.text[line.clone()], &node.value);
        self.part(at..at + length)
    }

    /// Reads up to the node numbered `stop`; tells why the text was refused, if it was.
    fn search(&self, stop: usize) -> (serde_yaml::Result<Node>, Option<&'static str>) {
        let (nodes, refusal) = (Cell::new(0), Cell::new(None));
        let text = self.code.text.as_str();
        let reader = NodeReader { text, nodes: &nodes, refusal: &refusal, stop };
        let node = reader.deserialize(serde_yaml::Deserializer::from_str(text));
        (node, refusal.get())
    }

    /// Offset of an error in the YAML text.
    fn index(&self, error: &serde_yaml::Error) -> usize {
        let at = error.location().map_or(0, |place| place.index());
        if self.code.text.is_char_boundary(at) { at } else { self.code.text.len() }
    }

    /// Span of a range of the YAML text.
    pub fn part(&self, range: Range<usize>) -> Span {
        let start = self.code.offset(range.start);
        let end = self.code.offset(range.end).max(start);
        self.source.span(start..end)
    }

    /// From a place to the end of its line.
    fn rest_of_line(&self, at: usize) -> Range<usize> {
        let rest = self.code.text.get(at..).unwrap_or_default();
        let line = rest.split(['\n', '\r']).next().unwrap_or_default();
        at..at + line.trim_end().len()
    }

    fn problem(&self, message: String, range: Range<usize>) -> Box<Diagnostic> {
        let tab = self.code.text.get(range.start..).is_some_and(|rest| rest.starts_with('\t'));
        let found = Diagnostic::error("yaml-syntax", message, self.part(range));
        Box::new(if tab {
            found.hint("YAML is indented with spaces, not with tabs")
        } else {
            found.hint("look for a quotation mark, a bracket or an indentation that does not fit")
        })
    }
}

/// The message of an error without the places in it, which would count from the wrong line.
fn message(error: &serde_yaml::Error) -> String {
    let text = error.to_string();
    let mut words = text.split(" at line ");
    let mut message = words.next().unwrap_or_default().to_owned();
    for part in words {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit());
        let rest = rest.strip_prefix(" column ").unwrap_or(rest);
        message.push_str(rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    }
    message
}

/// Length of a value in the line that it begins.
fn value_length(line: &str, value: &Value) -> usize {
    let mut depth = 0_usize;
    let end = line.char_indices().find_map(|(at, c)| match c {
        '[' | '{' => {
            depth += 1;
            None
        }
        ']' | '}' if depth <= 1 => Some(at + depth),
        ']' | '}' => {
            depth -= 1;
            None
        }
        ',' | ' ' if depth == 0 && matches!(value, Value::Number(_) | Value::Bool(_)) => Some(at),
        _ => None,
    });
    if matches!(value, Value::Text(_)) { line.len() } else { end.unwrap_or(line.len()) }
}

fn forbidden(text: &str) -> Option<(usize, char)> {
    text.char_indices().find(|(_, c)| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{85}'))
}

fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    text.bytes().enumerate().find_map(|(at, byte)| {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        (depth > DEEPEST_FLOW).then_some(at)
    })
}

/// Reads one node; fails at the node numbered `stop`.
#[derive(Clone, Copy)]
struct NodeReader<'a> {
    text: &'a str,
    nodes: &'a Cell<usize>,
    refusal: &'a Cell<Option<&'static str>>,
    stop: usize,
}

impl NodeReader<'_> {
    /// Counts a node, before its children are.
    fn begin<E: serde::de::Error>(self) -> Result<usize, E> {
        let ordinal = self.nodes.get();
        self.nodes.set(ordinal + 1);
        if ordinal == self.stop {
            Err(E::custom("here"))
        } else if ordinal >= MOST_NODES {
            Err(self.refuse("too many values, perhaps through aliases that repeat aliases"))
        } else {
            Ok(ordinal)
        }
    }

    /// Fails, and keeps the words, which the error would mix with others.
    fn refuse<E: serde::de::Error>(self, words: &'static str) -> E {
        self.refusal.set(Some(words));
        E::custom(words)
    }

    fn leaf<E: serde::de::Error>(self, value: Value) -> Result<Node, E> {
        Ok(Node { value, ordinal: self.begin()?, verbatim: None })
    }
}

impl<'de> DeserializeSeed<'de> for NodeReader<'_> {
    type Value = Node;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeReader<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Node, E> {
        self.leaf(Value::Null)
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<Node, E> {
        self.leaf(Value::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, value: bool) -> Result<Node, E> {
        self.leaf(Value::Bool(value))
    }

    fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Node, E> {
        self.leaf(Value::Number(value.into()))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Node, E> {
        self.leaf(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node, E> {
        let number = serde_json::Number::from_f64(value);
        self.leaf(number.map_or_else(|| Value::Text(value.to_string()), Value::Number))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Node, E> {
        self.leaf(Value::Text(value.to_owned()))
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, value: &'de str) -> Result<Node, E> {
        let start = (value.as_ptr() as usize).checked_sub(self.text.as_ptr() as usize);
        let verbatim = start
            .map(|start| start..start + value.len())
            .filter(|range| self.text.get(range.clone()) == Some(value));
        Ok(Node { verbatim, ..self.visit_str(value)? })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let ordinal = self.begin()?;
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Node { value: Value::List(items), ordinal, verbatim: None })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let ordinal = self.begin()?;
        let mut entries = Vec::new();
        while let Some(key) = map.next_key_seed(self)? {
            entries.push((key, map.next_value_seed(self)?));
        }
        Ok(Node { value: Value::Map(entries), ordinal, verbatim: None })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Node, A::Error> {
        Err(self.refuse("tags that begin with `!` are not understood"))
    }
}
