//! The words that a report gets from us, in the language of its readers.
//!
//! In: the language of `report.yaml`. Out: what captions, references, generated pages, callouts,
//! verdicts and the ledger are called. Left out: how a claim was found to hold or not and how it is
//! compared, which are told as in `claims.json`; what is said of cells, their outputs and their problems; of
//! what cannot be shown; of records; what a report was built with; and the reviewer's panel, which are English. Works cited bring words of their own.

pub(crate) mod scaled;
pub(crate) mod spelled;
mod table;
pub(crate) mod wording;

pub use table::{LANGUAGES, Word};

/// The words of one language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words(usize);

impl Words {
    /// Those of a language by its BCP 47 tag; nothing if the table lacks it.
    pub fn known(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next()?;
        LANGUAGES.iter().position(|language| primary.eq_ignore_ascii_case(language)).map(Self)
    }

    /// Those of a language, or the English ones.
    pub fn of(tag: &str) -> Self {
        Self::known(tag).unwrap_or_default()
    }

    /// A word.
    pub const fn get(self, word: Word) -> &'static str {
        word.row()[self.0]
    }

    /// What stands behind a number for a per cent sign, besides what does so everywhere.
    pub(crate) const fn percent(self) -> &'static [&'static str] {
        const PERCENT: [&[&str]; LANGUAGES.len()] =
            [&[], &["Prozent"], &["pour cent"], &["por ciento", "por cien"]];
        PERCENT[self.0]
    }

    /// Whether decimals stand behind a comma, so that a point may part thousands.
    pub(crate) const fn has_decimal_comma(self) -> bool {
        const COMMA: [bool; LANGUAGES.len()] = [false, true, true, true];
        COMMA[self.0]
    }

    /// A word as a head, with a capital.
    pub fn head(self, word: Word) -> String {
        let mut letters = self.get(word).chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    }

    /// A sentence with what stands in it, in its order.
    pub fn with<const PARTS: usize>(self, word: Word, parts: [&str; PARTS]) -> String {
        let mut rest = self.get(word);
        debug_assert_eq!(rest.matches("{}").count(), PARTS, "{word:?}");
        let mut sentence = String::new();
        for part in parts {
            let (before, after) = rest.split_once("{}").unwrap_or((rest, ""));
            sentence.extend([before, part]);
            rest = after;
        }
        sentence + rest
    }

    /// `1 claim`, `2 claims`.
    pub fn claims(self, count: usize) -> String {
        match count {
            1 => self.get(Word::OneClaim).to_owned(),
            _ => self.with(Word::ManyClaims, [&count.to_string()]),
        }
    }

    /// `1 formula that nothing evaluates`.
    pub fn bare_formulas(self, count: usize) -> String {
        match count {
            1 => self.get(Word::OneBareFormula).to_owned(),
            _ => self.with(Word::BareFormulas, [&count.to_string()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_does_not_matter_and_an_unknown_language_is_read_in_english() {
        let table = |tag| Words::of(tag).get(Word::Table);
        assert_eq!(
            ["en", "de-CH", "fr", "ES-mx"].map(table),
            ["Table", "Tabelle", "Tableau", "Tabla"]
        );
        assert_eq!((Words::known("tlh"), table("tlh")), (None, "Table"));
    }

    #[test]
    fn every_language_has_every_word_with_the_same_gaps() {
        for word in Word::ALL {
            let gaps = |words: &str| words.matches("{}").count();
            let row = word.row();
            let same = |it: &&str| !it.trim().is_empty() && gaps(it) == gaps(row[0]);
            assert!(row.iter().all(same), "{word:?}");
            // They are written into pages as they are.
            assert!(!row.concat().contains(['<', '>', '&', '"']), "{word:?}");
        }
    }

    #[test]
    fn what_stands_in_a_sentence_is_put_in_in_order() {
        let german = Words::of("de");
        assert_eq!(german.with(Word::SomeFailed, ["1", "{}"]), "Gescheiterte Aussagen: 1 von {}.");
        assert_eq!(Words::of("fr").head(Word::Elsewhere), "Ailleurs");
        assert_eq!(german.claims(1), "1 Aussage");
    }
}
