//! `report.yaml`, front matter and cell options: YAML to typed settings.
//!
//! In: YAML text with its place. Out: settings and diagnostics that point into the YAML.
//! The only user of serde_yaml. Left out: reading files, which is [`crate::world`]'s.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::parse::Echo;
use crate::span::Span;

/// Settings of a report.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportConfig {
    /// Title.
    pub title: String,
    /// Authors, in order.
    pub authors: Vec<Author>,
    /// Language of the prose, BCP 47; `en` by default.
    pub language: String,
    /// Chapter files in order, relative to the report's root, each where it is named.
    pub chapters: Vec<(String, Span)>,
    /// BibTeX file, relative to the report's root.
    pub bibliography: Option<(String, Span)>,
    /// Crates that cells may use, in Cargo's syntax: name to version or table. A `path` is
    /// relative to the report's root.
    pub dependencies: BTreeMap<String, serde_json::Value>,
    /// Profiles by name; `quick` and `full` exist always.
    pub profiles: BTreeMap<String, Profile>,
    /// Seed of every random number; 42 by default.
    pub seed: u64,
    /// Longest time that a cell may run; 10 minutes by default.
    pub timeout: Duration,
    /// How code is shown unless a cell says otherwise; folded by default.
    pub echo: Echo,
    /// TeX macros for all chapters, by name with backslash.
    pub macros: BTreeMap<String, String>,
}

/// An author of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Institution.
    pub affiliation: Option<String>,
}

/// Settings of a profile.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Longest time that a cell may run under this profile.
    pub timeout: Option<Duration>,
}
