//! Names of LaTeX that look the same.
//!
//! In: a text with formulas. Out: the same with one name for each of these symbols, for comparisons.

use std::borrow::Cow;

/// Other names of symbols, with those that stand for them.
const SAME: [(&str, &str); 9] = [
    ("geq", "ge"),
    ("leq", "le"),
    ("neq", "ne"),
    ("rightarrow", "to"),
    ("leftarrow", "gets"),
    ("land", "wedge"),
    ("lor", "vee"),
    ("lnot", "neg"),
    ("owns", "ni"),
];

/// A text in which symbols that have several names have one.
pub(crate) fn canonical(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, command) = rest.split_at(at + 1);
        out.push_str(before);
        let end = command.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(command.len());
        let (name, behind) = command.split_at(end);
        let same = SAME.iter().find(|(other, _)| *other == name);
        out.push_str(same.map_or(name, |(_, name)| name));
        rest = behind;
        // What stands behind `\\` begins no command.
        if let Some(behind) = rest.strip_prefix('\\').filter(|_| name.is_empty()) {
            out.push('\\');
            rest = behind;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn only_names_that_look_the_same_are_changed() {
        assert_eq!(canonical("$a \\geq b \\leqslant c$"), "$a \\ge b \\leqslant c$");
        assert_eq!(canonical("\\\\leq \\neq\\leq1\\"), "\\\\leq \\ne\\le1\\");
    }
}
