//! Words with which a text bounds or denies what stands in it, such as "at most" and "does not hold".
//!
//! In: the language. Out: its words, in small letters, with `|` between phrases. Left out: what they mean for a
//! claim.

use super::Words;
use super::table::LANGUAGES;

/// Words of one language.
pub(crate) struct Wording {
    /// Words that say that something is no larger than a number.
    at_most: &'static str,
    /// Those of them that may also be the end of a range.
    up_to: &'static str,
    /// Words that say that something is smaller than a number.
    less: &'static str,
    /// Those that are more often of place, as in "under noise".
    under: &'static str,
    /// Words that say that something is no smaller than a number.
    at_least: &'static str,
    /// Words that say that something is larger than a number.
    more: &'static str,
    /// Those that are more often of place, as in "over all seeds".
    over: &'static str,
    /// Words in front of "above" that make a place of it, as in "as shown above".
    shown: &'static str,
    above: &'static str,
    /// Words upon which those behind a number are no bound, as in "or more precisely"; a hyphen marks an ending.
    goes_on: &'static str,
    /// Words before a number that say that the value is near it or elsewhere.
    near: &'static str,
    /// Words before a number, or before `between`, that deny it; a hyphen marks an ending, a star any word but one of
    /// `only`.
    denials: &'static str,
    /// Words behind a denial beside which it leaves open whether others do, as in "not all seeds".
    all: &'static str,
    /// Further words that deny what follows in their clause, and no number.
    nobody: &'static str,
    /// Words beside which it is open what a denial in their clause denies, as in "nets that do not pool".
    open: &'static str,
    /// Words with which another clause begins.
    clauses: &'static str,
    /// Words between those and the number, any of them.
    between: &'static str,
    /// Words behind a denial that make none of it, as in "no solo".
    only: &'static str,
    /// Words in front of a denial that make none of it, as in "un pas".
    articles: &'static str,
    /// The word before a denial that leaves it open, as in "whether or not".
    or: &'static str,
    /// Words at the beginning of a text that say nothing.
    it_is: &'static str,
    /// Texts that say nothing but that something is false.
    wrong: &'static str,
    /// Words with which a longer text denies what it speaks of.
    denied: &'static str,
}

/// In the order of [`LANGUAGES`].
const WORDINGS: [Wording; LANGUAGES.len()] = [
    Wording {
        at_most: "at most|at the most|a maximum of|or less|or fewer|or below",
        up_to: "up to",
        less: "less than|fewer than|smaller than|below|just under|well under",
        under: "under",
        at_least: "at least|at the least|a minimum of|or more|or above",
        more: "more than|greater than|larger than|above|exceeds|exceed|beyond|upwards of|in excess of|just over|\
               well over",
        over: "over",
        shown: "as shown|as seen|as given|as described|as mentioned|as noted|as reported|as listed|as stated|\
               as discussed|as defined|as found|as quoted|see",
        above: "above|below",
        goes_on: "than|-ly",
        near: "unequal to|other than|differs from|differ from|different from|nearly|almost|not quite|hardly|barely|\
               scarcely|far from|short of|anything but|anything except",
        denials: "no|not|nor|neither|never|cannot|-n't",
        all: "all|every|each|always|both",
        nobody: "nobody|none|nothing|nowhere",
        open: "that|which|who|whose|if|when|where|while|with|because|to",
        clauses: "but|and|yet",
        between: "even|yet|longer|exactly|really|actually|have|equal|equals|to|be|contain|reach|use",
        only: "only|just|merely",
        articles: "",
        or: "or",
        it_is: "it is |is |it ",
        wrong: "false|not true|untrue|wrong|no|does not hold",
        denied: "is false|are false|not true|untrue|does not hold|do not hold|is wrong",
    },
    Wording {
        at_most: "höchstens|maximal|oder weniger",
        up_to: "bis zu",
        less: "weniger als|kleiner als|unterschreitet|unterschreiten|knapp unter|weit unter",
        under: "unter",
        at_least: "mindestens|wenigstens|oder mehr",
        more: "mehr als|größer als|übersteigt|übersteigen|knapp über|etwas über|weit über",
        over: "über",
        shown: "",
        above: "",
        goes_on: "als",
        near: "ungleich|verschieden von|fast|beinahe|nahezu|knapp|nicht ganz|kaum",
        denials: "nicht|nie|niemals|kein|keine|keinen|keiner|weder",
        all: "alle|allen|jeder|jede|jedes|immer|beide",
        nobody: "niemand|nichts|nirgends|nirgendwo",
        open: "dass|wenn|falls|weil|mit|bei|um|wo|welche|welcher|welches",
        clauses: "aber|sondern|und",
        between: "etwa|genau|einmal|wirklich|gleich",
        only: "nur|bloß",
        articles: "",
        or: "oder",
        it_is: "das ist |es ist |ist |das |es ",
        wrong: "falsch|nicht wahr|unwahr|nein|gilt nicht",
        denied: "ist falsch|sind falsch|nicht wahr|unwahr|gilt nicht|gelten nicht",
    },
    Wording {
        at_most: "au plus|au maximum|tout au plus|ou moins",
        up_to: "jusqu'à",
        less: "moins de|moins d'|inférieur à|inférieure à",
        under: "sous",
        at_least: "au moins|au minimum|ou plus",
        more: "plus de|plus d'|supérieur à|supérieure à|dépasse|dépassent",
        over: "",
        shown: "",
        above: "",
        goes_on: "de|que|-ment",
        near: "différent de|différente de|diffère de|presque|près de|à peine|loin de",
        denials: "pas|pas de|jamais|aucun|aucune|non|ni",
        all: "tous|toutes|chaque|toujours|tout",
        nobody: "personne ne|personne n'|rien ne|rien n'|nulle part",
        open: "que|qu'|qui|si|quand|avec|pour|dont|où",
        clauses: "mais|et",
        between: "exactement|vraiment|même|encore|égal|égale|à",
        only: "seulement|uniquement",
        articles: "un|le|du|au|ce|chaque|leur",
        or: "ou",
        it_is: "c'est |est |cela ",
        wrong: "faux|pas vrai|non|ne tient pas",
        denied: "est faux|est fausse|sont faux|sont fausses|pas vrai|ne tient pas",
    },
    Wording {
        at_most: "como máximo|como mucho|a lo sumo|o menos",
        up_to: "hasta",
        less: "menos de|menor que|por debajo de",
        under: "",
        at_least: "al menos|como mínimo|o más",
        more: "más de|mayor que|por encima de|supera|superan",
        over: "",
        shown: "",
        above: "",
        goes_on: "de|que|bien|-mente",
        near: "distinto de|distinta de|difiere de|casi|apenas|lejos de",
        denials: "no|nunca|ni|ningún|ninguna|no *",
        all: "todos|todas|cada|siempre|ambos|ambas",
        nobody: "nadie|nada|ninguno|jamás",
        open: "que|si|cuando|con|para|donde|quien",
        clauses: "pero|sino|y",
        between: "exactamente|realmente|siquiera|todavía|aún|igual|a",
        only: "solo|sólo|más",
        articles: "",
        or: "o",
        it_is: "esto es |eso es |es ",
        wrong: "falso|no es cierto|no|no se cumple",
        denied: "es falso|es falsa|son falsos|no es cierto|no se cumple|no se cumplen",
    },
];

fn phrases(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split('|').filter(|it| !it.is_empty())
}

/// What a denial does to a bound behind it.
pub(crate) enum Turn<'a> {
    /// Nothing is denied.
    None,
    /// It may deny something else.
    Open,
    /// It turns it round; the text from the denial on.
    Round(&'a str),
}

/// Where a phrase stands last in a text, between words.
pub(crate) fn last_phrase(text: &str, phrase: &str) -> Option<usize> {
    let is_free = |&(at, _): &(usize, &str)| {
        let next = &text[at + phrase.len()..];
        !text[..at].ends_with(char::is_alphanumeric)
            && (phrase.ends_with('\'') || !next.starts_with(char::is_alphanumeric))
    };
    text.rmatch_indices(phrase).find(is_free).map(|(at, _)| at)
}

impl Wording {
    /// Those of a language.
    pub const fn of(language: Words) -> &'static Self {
        &WORDINGS[language.0]
    }

    /// Words that say that something is no larger, or smaller.
    pub fn limits_above(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.at_most).chain(phrases(self.up_to)).chain(phrases(self.less))
    }

    /// Those of them that are more often of place.
    pub fn under(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.under)
    }

    /// Words that say that something is no smaller, or larger.
    pub fn limits_below(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.at_least).chain(phrases(self.more))
    }

    /// Those of them that are more often of place.
    pub fn over(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.over)
    }

    /// Words before a number that say that the value is larger or smaller.
    pub fn beyond(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.less).chain(phrases(self.more))
    }

    /// Words before a number that say that the value is on one side of it.
    pub fn one_sided(&self) -> impl Iterator<Item = &'static str> {
        self.beyond().chain(phrases(self.at_most)).chain(phrases(self.at_least))
    }

    /// Words before a number that say that the value is near it or elsewhere.
    pub fn near(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.near)
    }

    /// The words behind a number that bound it, such as "or fewer" or, at the end of a clause, "at most".
    pub fn bound_behind(&self, after: &str) -> Option<&'static str> {
        const MOST_BETWEEN: usize = 2;
        let end = after.find([',', ';', ':', '.', '!', '?', ')', '(']).unwrap_or(after.len());
        let words: Vec<&str> = after[..end].split_whitespace().collect();
        let bounds = || phrases(self.at_most).chain(phrases(self.at_least));
        let is_break = |word: &str| {
            word.contains(|c: char| c.is_numeric()) || phrases(self.clauses).any(|it| it == word)
        };
        for at in 0..words.len().min(MOST_BETWEEN + 1) {
            let found = bounds().find(|phrase| {
                let length = phrase.split(' ').count();
                let next = words.get(at + length);
                let goes_on = next.is_some_and(|next| {
                    !phrase.starts_with(&format!("{} ", self.or))
                        || phrases(self.goes_on).any(|it| match it.strip_prefix('-') {
                            Some(ending) => next.ends_with(ending),
                            None => it == *next,
                        })
                });
                !goes_on && phrase.split(' ').eq(words[at..].iter().take(length).copied())
            });
            if found.is_some() || is_break(words[at]) {
                return found;
            }
        }
        None
    }

    /// Whether the first clause of a text ends with a denial, as in German "übersteigt 5 nicht".
    pub fn is_denied_behind(&self, after: &str) -> bool {
        let end = after.find([',', ';', ':', '.', '!', '?']).unwrap_or(after.len());
        self.denial(&after[..end]).is_some()
    }

    /// What a denial in the last clause of a text does to a bound at its end.
    pub fn turn<'a>(&self, text: &'a str) -> Turn<'a> {
        let text = text.trim_end();
        if let Some((_, rest)) = self.denial(text) {
            return Turn::Round(text[rest.len()..].trim());
        }
        let ends =
            [", ", ". ", "; ", ": "].into_iter().filter_map(|it| Some(text.rfind(it)? + it.len()));
        let words =
            phrases(self.clauses).filter_map(|it| last_phrase(text, it).map(|at| at + it.len()));
        let clause = &text[ends.chain(words).max().unwrap_or(0)..];
        let nobody = phrases(self.nobody).find_map(|it| last_phrase(clause, it));
        let denial = || {
            let mut ends = clause.match_indices(' ').map(|(at, _)| at).filter(|&at| {
                let next = clause[at..].split_whitespace().next().unwrap_or_default();
                phrases(self.only).all(|it| it != next)
            });
            ends.find_map(|at| Some(self.denial(&clause[..at])?.1.len()))
        };
        let is_open = || phrases(self.open).any(|it| last_phrase(clause, it).is_some());
        match nobody.or_else(denial) {
            None => Turn::None,
            Some(at) if is_open() || self.is_of_all(&clause[at..]) => Turn::Open,
            Some(at) => Turn::Round(clause[at..].trim()),
        }
    }

    /// Whether what is denied first is that all do, as in "not all" and "not nearly all".
    fn is_of_all(&self, denied: &str) -> bool {
        let mut words = denied.split_whitespace().skip(1).take(2);
        words.any(|word| phrases(self.all).any(|it| it == word))
    }

    /// Whether words are of a place, by those in front of them.
    pub fn is_place(&self, before: &str, words: &str) -> bool {
        let before = before.trim_end();
        let ends = |it| last_phrase(before, it).is_some_and(|at| at + it.len() == before.len());
        phrases(self.above).any(|it| it == words) && phrases(self.shown).any(ends)
    }

    /// Whether a word stands between a denial and its number.
    pub fn is_between(&self, word: &str) -> bool {
        phrases(self.between).any(|it| it == word)
    }

    /// The words at the end of a text that deny what follows, and what stands before them.
    pub fn denial<'a>(&self, before: &'a str) -> Option<(&'a str, &'a str)> {
        let last_word = |text: &'a str| text.trim_end().rsplit(' ').next().unwrap_or_default();
        let of = |words: &'static str| {
            let (ending, any) = (words.strip_prefix('-'), words.strip_suffix(" *"));
            let last = if any.is_some() { last_word(before) } else { "" };
            if phrases(self.only).any(|it| it == last) {
                return None;
            }
            let end = before[..before.len() - last.len()].trim_end();
            let rest = end.strip_suffix(ending.or(any).unwrap_or(words))?;
            if phrases(self.articles).any(|it| it == last_word(rest)) {
                return None;
            }
            let start = match ending {
                Some(_) => rest.trim_end_matches(char::is_alphabetic).len(),
                None if rest.ends_with(char::is_alphanumeric) => return None,
                None => rest.len(),
            };
            Some((before[start..].trim(), before[..start].trim_end()))
        };
        // The longest one.
        let (words, rest) = phrases(self.denials).filter_map(of).min_by_key(|(_, it)| it.len())?;
        let or = rest.strip_suffix(self.or);
        let is_open = or.is_some_and(|rest| !rest.ends_with(char::is_alphanumeric));
        (!is_open).then_some((words, rest))
    }

    /// Whether a text says nothing but that something is false.
    pub fn says_false(&self, text: &str) -> bool {
        let said = phrases(self.it_is).find_map(|it| text.strip_prefix(it)).unwrap_or(text);
        phrases(self.wrong).any(|it| it == said)
    }

    /// Words with which a longer text denies what it speaks of.
    pub fn denied(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.denied)
    }
}
