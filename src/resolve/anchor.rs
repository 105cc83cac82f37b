//! Anchors: names of places, unique in the whole report.
//!
//! In: words. Out: names fit for `id` attributes and file names. Left out: which place has
//! which name, which is [`super::number`]'s.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// All anchors given so far, each with the last number that was put behind it.
#[derive(Debug, Default)]
pub(super) struct Anchors(HashMap<String, usize>);

impl Anchors {
    /// Takes a name as it is; false if it is taken.
    pub fn take(&mut self, name: &str) -> bool {
        match self.0.entry(name.to_owned()) {
            Entry::Occupied(_) => false,
            Entry::Vacant(place) => {
                place.insert(1);
                true
            }
        }
    }

    /// Gives a name, followed by `-2` and so on if it is taken.
    pub fn unique(&mut self, name: &str) -> String {
        let mut unique = name.to_owned();
        let mut count = self.0.get(name).copied().unwrap_or(1);
        while !self.take(&unique) {
            count += 1;
            unique = format!("{name}-{count}");
        }
        self.0.insert(name.to_owned(), count);
        unique
    }
}

/// Words in lower case with `-` for everything but letters and digits.
pub(super) fn slug(words: &str) -> String {
    let mut slug = String::with_capacity(words.len());
    for c in words.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

/// A name for a file: as [`slug`], in ASCII.
pub(super) fn file_name(words: &str) -> String {
    let name = slug(&words.replace(|c: char| !c.is_ascii(), "-"));
    if name.is_empty() { "picture".into() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_unique() {
        assert_eq!(slug("What *is* φ(q)ᵀ?"), "what-is-φ-q-ᵀ");
        assert_eq!(file_name("Übersicht 1"), "bersicht-1");
        assert_eq!(file_name("数"), "picture");
        let mut anchors = Anchors::default();
        assert!(anchors.take("a"));
        assert_eq!(anchors.unique("a"), "a-2");
        assert_eq!(anchors.unique("a"), "a-3");
        assert!(!anchors.take("a-3"));
    }
}
