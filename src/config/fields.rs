//! Typed reading of YAML: each reader takes a node and notes what is wrong with it.
//!
//! In: nodes of [`super::yaml`]. Out: Rust values and diagnostics. Left out: which keys exist.

use std::collections::BTreeMap;
use std::time::Duration;

use super::yaml::{Node, Value, Yaml};
use crate::diag::Diagnostic;
use crate::parse::{Code, Echo};
use crate::span::{Source, Span};

/// Reads nodes and collects what is wrong with them.
pub(super) struct Reader<'a> {
    pub yaml: Yaml<'a>,
    pub diagnostics: Vec<Diagnostic>,
}

/// An entry of a mapping.
#[derive(Clone, Copy)]
pub(super) struct Field<'n> {
    pub name: &'n str,
    pub key: &'n Node,
    pub value: &'n Node,
}

/// The entries of a mapping whose keys are all known.
pub(super) struct Fields<'n>(Vec<Field<'n>>);

impl<'n> Fields<'n> {
    /// The entry with this key, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<Field<'n>> {
        let found = self.0.iter().find(|field| field.name == name)?;
        (!matches!(found.value.value, Value::Null)).then_some(*found)
    }
}

impl<'a> Reader<'a> {
    /// A reader of the text of `code`, which stands in `source`.
    pub fn new(source: &'a Source, code: &'a Code) -> Self {
        Self { yaml: Yaml::new(source, code), diagnostics: Vec::new() }
    }

    /// Reads the whole text.
    pub fn root(&mut self) -> Option<Node> {
        self.yaml.read().map_err(|problem| self.diagnostics.push(*problem)).ok()
    }

    /// Entries of a mapping, in order, each key once; `None` if it is not a mapping.
    pub fn entries<'n>(&mut self, node: &'n Node, what: &str) -> Option<Vec<Field<'n>>> {
        let entries = match &node.value {
            Value::Null => return Some(Vec::new()),
            Value::Map(entries) => entries,
            _ => {
                self.wrong_type(node, what, "a mapping of keys to values");
                return None;
            }
        };
        let mut seen: BTreeMap<&str, &Node> = BTreeMap::new();
        let mut fields = Vec::new();
        for (key, value) in entries {
            let Value::Text(name) = &key.value else {
                self.wrong_type(key, "a key", "text");
                continue;
            };
            if let Some(first) = seen.get(name.as_str()) {
                let first = self.yaml.span(first);
                let found = Diagnostic::error(
                    "duplicate-key",
                    format!("`{name}` is given twice"),
                    self.yaml.span(key),
                );
                let found = found.related(first, "first given here");
                self.diagnostics.push(found.hint("the first one counts; remove the other"));
                continue;
            }
            seen.insert(name, key);
            fields.push(Field { name, key, value });
        }
        Some(fields)
    }

    /// Entries of a mapping that may only have known keys.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&str]) -> Fields<'n> {
        let entries = self.entries(node, what).unwrap_or_default();
        self.known(entries, what, known)
    }

    /// Keeps the entries whose keys are known.
    pub fn known<'n>(
        &mut self,
        mut fields: Vec<Field<'n>>,
        what: &str,
        known: &[&str],
    ) -> Fields<'n> {
        fields.retain(|field| {
            let is_known = known.contains(&field.name);
            if !is_known {
                let found = Diagnostic::error(
                    "unknown-key",
                    format!("{what} has no key `{}`", field.name),
                    self.yaml.span(field.key),
                );
                let found = found.note(format!("known keys: {}", known.join(", ")));
                self.diagnostics.push(found.did_you_mean(field.name, known.iter().copied()));
            }
            is_known
        });
        Fields(fields)
    }

    /// Text.
    pub fn text(&mut self, node: &Node, what: &str) -> Option<String> {
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Number(_) | Value::Bool(_) => {
                let found = self.wrong_type(node, what, "text");
                found.hint = Some("put it in quotes".to_owned());
                None
            }
            _ => {
                self.wrong_type(node, what, "text");
                None
            }
        }
    }

    /// Text with its place.
    pub fn located(&mut self, node: &Node, what: &str) -> Option<(String, Span)> {
        let text = self.text(node, what)?;
        Some((text, self.yaml.span(node)))
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        self.wrong_type(node, what, "true or false");
        None
    }

    /// A number without sign or fraction.
    pub fn unsigned(&mut self, node: &Node, what: &str) -> Option<u64> {
        if let Value::Number(number) = &node.value
            && let Some(number) = number.as_u64()
        {
            return Some(number);
        }
        self.wrong_type(node, what, "a whole number that is not negative");
        None
    }

    /// A whole number above zero.
    pub fn positive(&mut self, node: &Node, what: &str) -> Option<u64> {
        let number = self.unsigned(node, what)?;
        if number == 0 {
            self.wrong_type(node, what, "a whole number above zero");
        }
        (number > 0).then_some(number)
    }

    /// `true`, `false` or `fold`.
    pub fn echo(&mut self, node: &Node) -> Option<Echo> {
        match &node.value {
            Value::Bool(true) => Some(Echo::Show),
            Value::Bool(false) => Some(Echo::Hide),
            Value::Text(text) if text == "fold" => Some(Echo::Fold),
            Value::Text(text) => {
                let found = Diagnostic::error(
                    "invalid-value",
                    format!("`echo` cannot be `{text}`"),
                    self.yaml.span(node),
                );
                self.diagnostics.push(
                    match crate::diag::closest(text, ["true", "false", "fold"]) {
                        Some(best) => found.hint(format!("did you mean `{best}`?")),
                        None => found.hint("write true, false or fold"),
                    },
                );
                None
            }
            _ => {
                self.wrong_type(node, "echo", "true, false or fold");
                None
            }
        }
    }

    /// A span of time.
    pub fn duration(&mut self, node: &Node, what: &str) -> Option<Duration> {
        let parsed = match &node.value {
            Value::Number(number) => number.as_f64().and_then(positive_seconds),
            Value::Text(text) => duration(text),
            _ => {
                self.wrong_type(node, what, "a duration such as 90s or 1h30m");
                return None;
            }
        };
        if parsed.is_none() {
            let found = Diagnostic::error(
                "invalid-duration",
                format!("{what} is not a duration"),
                self.yaml.span(node),
            );
            self.diagnostics.push(found.hint("write it as 90s, 2m, 1h30m, or a number of seconds"));
        }
        parsed
    }

    /// TeX macros: names that begin with a backslash, to what they stand for.
    pub fn macros(&mut self, node: &Node) -> BTreeMap<String, String> {
        let mut macros = BTreeMap::new();
        for field in self.entries(node, "macros").unwrap_or_default() {
            if field.name.strip_prefix('\\').is_none_or(|name| name.is_empty()) {
                let found = Diagnostic::error(
                    "invalid-value",
                    "the name of a macro begins with a backslash",
                    self.yaml.span(field.key),
                );
                self.diagnostics.push(found.hint(format!("write `\\{}`", field.name)));
            } else if let Some(body) = self.text(field.value, field.name) {
                macros.insert(field.name.to_owned(), body);
            }
        }
        macros
    }

    /// Notes that a node is not what it should be.
    pub fn wrong_type(&mut self, node: &Node, what: &str, expected: &str) -> &mut Diagnostic {
        let found = node.value.describe();
        self.diagnostics.push(Diagnostic::error(
            "wrong-type",
            format!("{what} must be {expected}, but is {found}"),
            self.yaml.span(node),
        ));
        self.diagnostics.last_mut().expect("one was pushed")
    }
}

/// `90s`, `2m`, `1h30m`, `250ms`, or a number of seconds.
pub fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    if let Ok(seconds) = rest.parse::<f64>() {
        return positive_seconds(seconds);
    }
    let mut total = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let seconds = match unit {
            "ms" => 0.001,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * seconds;
        rest = tail.trim_start();
    }
    positive_seconds(total)
}

fn positive_seconds(seconds: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (!duration.is_zero()).then_some(duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("90s", 90.0),
            ("2m", 120.0),
            ("1h30m", 5400.0),
            ("1h 30m", 5400.0),
            ("250ms", 0.25),
            ("1.5h", 5400.0),
            ("45", 45.0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "m", "10 x", "-5s", "0", "1e400", "nan", "1..2s", "5 s s"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
