//! How each language writes numbers, besides what the reader of numbers knows.

use super::LANGUAGES;

/// Words of a language that are no numbers by themselves, with those in front of them or without.
pub(super) struct Manner {
    /// Words that are read as numbers and are none.
    pub none: &'static [&'static str],
    /// Words that are no numbers behind another, as in "pour cent".
    pub behind: &'static [(&'static str, &'static str)],
    /// Words that are seldom numbers.
    pub doubtful: &'static [&'static str],
    /// Powers of ten, the first of which are numbers by themselves.
    pub powers: &'static [&'static str],
    /// How many of them are.
    pub alone: usize,
    /// What else scales a number in front of it, as how much.
    pub scales: &'static [(&'static str, u128)],
    pub articles: &'static [&'static str],
    /// Words that say that those are meant of which was spoken.
    pub the: &'static [&'static str],
    /// The word between tens and units.
    pub and: &'static str,
    /// The word in front of two ends.
    pub between: &'static str,
    /// What is added to a number in words, with `|` between phrases.
    pub and_a_half: &'static str,
    /// What is a number if nothing stands beside it.
    pub half: &'static [&'static str],
    /// How one counts from two on.
    pub counting: &'static str,
    /// Other spellings of what is read.
    pub spellings: &'static [(&'static str, &'static str)],
}

/// In the order of [`LANGUAGES`].
pub(super) const MANNERS: [Manner; LANGUAGES.len()] = [
    Manner {
        none: &["o"],
        behind: &[],
        doubtful: &[],
        powers: &["hundred", "thousand", "million", "billion"],
        alone: 0,
        scales: &[
            ("dozen", 12),
            ("trillion", 10_u128.pow(12)),
            ("quadrillion", 10_u128.pow(15)),
            ("quintillion", 10_u128.pow(18)),
            ("sextillion", 10_u128.pow(21)),
        ],
        articles: &["a"],
        the: &["the", "these", "those"],
        and: "and",
        between: "between",
        and_a_half: "and a half|and one half",
        half: &["half", "a half", "one half"],
        counting: "two three four five six seven eight nine ten eleven twelve thirteen",
        spellings: &[],
    },
    Manner {
        none: &["zwo"],
        behind: &[("außer", "acht"), ("in", "acht")],
        doubtful: &["acht", "sieben"],
        powers: &[
            "hundert",
            "tausend",
            "million",
            "millionen",
            "milliarde",
            "milliarden",
            "billion",
        ],
        alone: 2,
        scales: &[
            ("dutzend", 12),
            ("billionen", 10_u128.pow(12)),
            ("billiarde", 10_u128.pow(15)),
            ("billiarden", 10_u128.pow(15)),
            ("trillion", 10_u128.pow(18)),
            ("trillionen", 10_u128.pow(18)),
            ("trilliarde", 10_u128.pow(21)),
            ("trilliarden", 10_u128.pow(21)),
        ],
        articles: &["ein", "eine", "einer"],
        the: &["die", "diese", "beiden", "den", "der"],
        and: "und",
        between: "zwischen",
        and_a_half: "und ein halb|und ein halbes|und eine halbe|einhalb",
        half: &["die hälfte", "hälfte", "ein halb"],
        counting: "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn",
        spellings: &[("fuenf", "fünf"), ("zwoelf", "zwölf")],
    },
    Manner {
        none: &[],
        behind: &[("pour", "cent"), ("pour", "mille")],
        doubtful: &["neuf"],
        powers: &["cent", "cents", "mille", "million", "millions", "milliard", "milliards"],
        alone: 3,
        scales: &[
            ("dizaine", 10),
            ("dizaines", 10),
            ("douzaine", 12),
            ("douzaines", 12),
            ("quinzaine", 15),
            ("vingtaine", 20),
            ("vingtaines", 20),
            ("trentaine", 30),
            ("quarantaine", 40),
            ("cinquantaine", 50),
            ("soixantaine", 60),
            ("centaine", 100),
            ("centaines", 100),
            ("millier", 1000),
            ("milliers", 1000),
            ("billion", 10_u128.pow(12)),
            ("billions", 10_u128.pow(12)),
            ("billiard", 10_u128.pow(15)),
            ("billiards", 10_u128.pow(15)),
            ("trillion", 10_u128.pow(18)),
            ("trillions", 10_u128.pow(18)),
        ],
        articles: &["un", "une"],
        the: &["les", "ces", "des"],
        and: "et",
        between: "entre",
        and_a_half: "et demi|et demie",
        half: &["la moitié", "moitié", "un demi"],
        counting: "deux trois quatre cinq six sept huit neuf dix onze douze treize",
        spellings: &[],
    },
    Manner {
        none: &[],
        behind: &[("por", "ciento"), ("por", "cien"), ("por", "mil")],
        doubtful: &[],
        powers: &["cien", "ciento", "mil", "millón", "millones"],
        alone: 3,
        scales: &[
            ("decena", 10),
            ("decenas", 10),
            ("docena", 12),
            ("docenas", 12),
            ("veintena", 20),
            ("centena", 100),
            ("centenas", 100),
            ("centenar", 100),
            ("centenares", 100),
            ("millar", 1000),
            ("millares", 1000),
            ("billón", 10_u128.pow(12)),
            ("billones", 10_u128.pow(12)),
            ("trillón", 10_u128.pow(18)),
            ("trillones", 10_u128.pow(18)),
        ],
        articles: &["un", "una"],
        the: &["los", "las", "estos", "estas"],
        and: "y",
        between: "entre",
        and_a_half: "y medio|y media",
        half: &["la mitad", "mitad", "un medio"],
        counting: "dos tres cuatro cinco seis siete ocho nueve diez once doce trece",
        spellings: &[("veintiún", "veintiuno")],
    },
];
