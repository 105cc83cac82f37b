//! The words that a report gets from us, in the language of its readers.
//!
//! In: the language of `report.yaml`. Out: what captions, references, generated pages, callouts and
//! verdicts are called. Left out: what stands within the ledger, labels of controls and sentences that
//! explain, which are English, and works cited, whose style brings words of its own.

/// A word of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Caption of a figure, and a reference to one.
    Figure,
    /// Caption of a table, and a reference to one.
    Table,
    /// Reference to a formula.
    Equation,
    /// Reference to a chapter.
    Chapter,
    /// Reference to a section.
    Section,
    /// Name of a cell, before its number.
    Cell,
    /// Heading of the table of contents.
    Contents,
    /// Name of the first page.
    Overview,
    /// Heading of the works cited.
    References,
    /// Heading of the list of all claims.
    Ledger,
    /// Heading of the code behind the report.
    Code,
    /// Heading of the graph of claims.
    Lattice,
    /// Leads to the chapter before.
    Previous,
    /// Leads to the chapter after.
    Next,
    /// A callout.
    Note,
    /// A callout.
    Tip,
    /// A callout.
    Important,
    /// A callout.
    Warning,
    /// A callout.
    Caution,
    /// Verdict.
    Verified,
    /// Verdict on what is quoted because it is wrong.
    AsExpected,
    /// Verdict on what was not checked.
    Unverified,
    /// Verdict.
    Refuted,
    /// Verdict on what is quoted as wrong and is not.
    Unexpected,
    /// Verdict on what could not fail.
    Vacuous,
    /// Verdict on a claim that is at fault itself.
    Error,
    /// Outcome of a check.
    Passed,
    /// Outcome of a check.
    Failed,
    /// Outcome of a check that must fail.
    FailedAsExpected,
}

/// Languages in the order of the table's columns.
pub const LANGUAGES: [&str; 4] = ["en", "de", "fr", "es"];

impl Word {
    const fn row(self) -> [&'static str; LANGUAGES.len()] {
        match self {
            Self::Figure => ["Figure", "Abbildung", "Figure", "Figura"],
            Self::Table => ["Table", "Tabelle", "Tableau", "Tabla"],
            Self::Equation => ["Equation", "Gleichung", "Équation", "Ecuación"],
            Self::Chapter => ["Chapter", "Kapitel", "Chapitre", "Capítulo"],
            Self::Section => ["Section", "Abschnitt", "Section", "Sección"],
            Self::Cell => ["Cell", "Zelle", "Cellule", "Celda"],
            Self::Contents => ["Contents", "Inhalt", "Table des matières", "Índice"],
            Self::Overview => ["Overview", "Überblick", "Vue d’ensemble", "Resumen"],
            Self::References => ["References", "Literatur", "Références", "Referencias"],
            Self::Ledger => [
                "Ledger of claims",
                "Verzeichnis der Aussagen",
                "Registre des affirmations",
                "Registro de afirmaciones",
            ],
            Self::Code => ["Code", "Code", "Code", "Código"],
            Self::Lattice => [
                "What follows from what",
                "Was woraus folgt",
                "Ce qui découle de quoi",
                "Qué se sigue de qué",
            ],
            Self::Previous => ["Previous", "Zurück", "Précédent", "Anterior"],
            Self::Next => ["Next", "Weiter", "Suivant", "Siguiente"],
            Self::Note => ["Note", "Hinweis", "Remarque", "Nota"],
            Self::Tip => ["Tip", "Tipp", "Conseil", "Consejo"],
            Self::Important => ["Important", "Wichtig", "Important", "Importante"],
            Self::Warning => ["Warning", "Warnung", "Avertissement", "Advertencia"],
            Self::Caution => ["Caution", "Vorsicht", "Attention", "Precaución"],
            Self::Verified => ["verified", "bestätigt", "vérifié", "verificado"],
            Self::AsExpected => [
                "refuted, as expected",
                "widerlegt, wie erwartet",
                "réfuté, comme prévu",
                "refutado, como se esperaba",
            ],
            Self::Unverified => ["unverified", "ungeprüft", "non vérifié", "sin verificar"],
            Self::Refuted => ["refuted", "widerlegt", "réfuté", "refutado"],
            Self::Unexpected => [
                "holds, against expectation",
                "gilt, wider Erwarten",
                "vrai, contre toute attente",
                "se cumple, contra lo esperado",
            ],
            Self::Vacuous => ["vacuous", "gehaltlos", "sans objet", "vacío"],
            Self::Error => ["error", "fehlerhaft", "erreur", "error"],
            Self::Passed => ["passed", "bestanden", "réussi", "superado"],
            Self::Failed => ["failed", "nicht bestanden", "échoué", "no superado"],
            Self::FailedAsExpected => [
                "failed, as expected",
                "nicht bestanden, wie erwartet",
                "échoué, comme prévu",
                "no superado, como se esperaba",
            ],
        }
    }
}

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
}
