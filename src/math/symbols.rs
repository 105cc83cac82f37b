//! Tables of LaTeX names: delimiters, accents, arrows and colours.
//!
//! Only what the grammar leaves as a name; ordinary symbols come from the grammar's own table.

/// Returns the character of a delimiter, `None` inside for the empty delimiter `.`, or nothing
/// for an unknown one.
pub(super) fn delimiter(latex: &str) -> Option<Option<char>> {
    Some(Some(match latex {
        "." => return Some(None),
        "(" | "\\lparen" => '(',
        ")" | "\\rparen" => ')',
        "[" | "\\lbrack" => '[',
        "]" | "\\rbrack" => ']',
        "\\{" | "\\lbrace" => '{',
        "\\}" | "\\rbrace" => '}',
        "<" | "\\langle" | "\\lt" | "⟨" => '⟨',
        ">" | "\\rangle" | "\\gt" | "⟩" => '⟩',
        "|" | "\\vert" | "\\lvert" | "\\rvert" => '|',
        "\\|" | "\\Vert" | "\\lVert" | "\\rVert" => '‖',
        "\\lfloor" | "⌊" => '⌊',
        "\\rfloor" | "⌋" => '⌋',
        "\\lceil" | "⌈" => '⌈',
        "\\rceil" | "⌉" => '⌉',
        "\\lgroup" | "⟮" => '⟮',
        "\\rgroup" | "⟯" => '⟯',
        "/" => '/',
        "\\backslash" => '\\',
        "\\uparrow" => '↑',
        "\\downarrow" => '↓',
        "\\updownarrow" => '↕',
        "\\Uparrow" => '⇑',
        "\\Downarrow" => '⇓',
        "\\Updownarrow" => '⇕',
        _ => return None,
    }))
}

/// Returns the combining character of an accent command.
pub(super) fn accent(latex: &str) -> Option<char> {
    Some(match latex {
        "\\hat" | "\\widehat" | "\\^" => '\u{302}',
        "\\tilde" | "\\widetilde" | "\\~" => '\u{303}',
        "\\bar" | "\\=" => '\u{304}',
        "\\breve" | "\\u" => '\u{306}',
        "\\dot" | "\\." => '\u{307}',
        "\\ddot" | "\\\"" => '\u{308}',
        "\\dddot" => '\u{20db}',
        "\\ddddot" => '\u{20dc}',
        "\\mathring" | "\\r" => '\u{30a}',
        "\\check" | "\\widecheck" | "\\v" => '\u{30c}',
        "\\acute" | "\\'" => '\u{301}',
        "\\grave" | "\\`" => '\u{300}',
        "\\vec" | "\\overrightarrow" => '\u{20d7}',
        "\\overleftarrow" => '\u{20d6}',
        "\\overleftrightarrow" => '\u{20e1}',
        _ => return None,
    })
}

/// Returns the character of an arrow that grows with its labels.
pub(super) fn arrow(latex: &str) -> Option<char> {
    Some(match latex {
        "\\xrightarrow" => '→',
        "\\xleftarrow" => '←',
        "\\xleftrightarrow" => '↔',
        "\\xRightarrow" => '⇒',
        "\\xLeftarrow" => '⇐',
        "\\xLeftrightarrow" => '⇔',
        "\\xmapsto" => '↦',
        "\\xhookrightarrow" => '↪',
        "\\xhookleftarrow" => '↩',
        "\\xtwoheadrightarrow" => '↠',
        "\\xtwoheadleftarrow" => '↞',
        "\\xlongequal" => '=',
        _ => return None,
    })
}

/// Returns the negated form of a relation.
pub(super) fn negation(char: char) -> Option<char> {
    Some(match char {
        '=' => '≠',
        '<' => '≮',
        '>' => '≯',
        '≤' => '≰',
        '≥' => '≱',
        '∈' => '∉',
        '∋' => '∌',
        '⊂' => '⊄',
        '⊃' => '⊅',
        '⊆' => '⊈',
        '⊇' => '⊉',
        '≡' => '≢',
        '∼' => '≁',
        '≃' => '≄',
        '≅' => '≇',
        '≈' => '≉',
        '∣' => '∤',
        '∥' => '∦',
        '∃' => '∄',
        '→' => '↛',
        '⇒' => '⇏',
        '⇔' => '⇎',
        _ => return None,
    })
}

/// Colour names of LaTeX's xcolor package, base set.
const COLORS: [(&str, [u8; 3]); 19] = [
    ("black", [0, 0, 0]),
    ("blue", [0, 0, 255]),
    ("brown", [191, 128, 64]),
    ("cyan", [0, 255, 255]),
    ("darkgray", [64, 64, 64]),
    ("gray", [128, 128, 128]),
    ("green", [0, 255, 0]),
    ("lightgray", [191, 191, 191]),
    ("lime", [191, 255, 0]),
    ("magenta", [255, 0, 255]),
    ("olive", [128, 128, 0]),
    ("orange", [255, 128, 0]),
    ("pink", [255, 191, 191]),
    ("purple", [191, 0, 64]),
    ("red", [255, 0, 0]),
    ("teal", [0, 128, 128]),
    ("violet", [128, 0, 128]),
    ("white", [255, 255, 255]),
    ("yellow", [255, 255, 0]),
];

/// Names of the known colours.
pub(super) fn color_names() -> impl Iterator<Item = &'static str> {
    COLORS.iter().map(|(name, _)| *name)
}

/// Returns red, green and blue of a colour name or of `#rgb` or `#rrggbb`.
pub(super) fn color(name: &str) -> Option<[u8; 3]> {
    let Some(hex) = name.strip_prefix('#') else {
        let found = COLORS.iter().find(|(known, _)| *known == name);
        return found.map(|(_, color)| *color);
    };
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|value| u8::try_from(value).ok()))
        .collect::<Option<_>>()?;
    match digits[..] {
        [r, g, b] => Some([r * 17, g * 17, b * 17]),
        [r1, r0, g1, g0, b1, b0] => Some([r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0]),
        _ => None,
    }
}

/// Symbols to suggest for a mistyped command; the grammar's own table cannot be listed.
pub(super) const COMMON: [&str; 76] = [
    "\\alpha",
    "\\beta",
    "\\gamma",
    "\\delta",
    "\\epsilon",
    "\\varepsilon",
    "\\zeta",
    "\\eta",
    "\\theta",
    "\\iota",
    "\\kappa",
    "\\lambda",
    "\\mu",
    "\\nu",
    "\\xi",
    "\\pi",
    "\\rho",
    "\\sigma",
    "\\tau",
    "\\upsilon",
    "\\phi",
    "\\varphi",
    "\\chi",
    "\\psi",
    "\\omega",
    "\\Gamma",
    "\\Delta",
    "\\Theta",
    "\\Lambda",
    "\\Xi",
    "\\Pi",
    "\\Sigma",
    "\\Phi",
    "\\Psi",
    "\\Omega",
    "\\cdot",
    "\\times",
    "\\div",
    "\\pm",
    "\\mp",
    "\\circ",
    "\\oplus",
    "\\otimes",
    "\\odot",
    "\\le",
    "\\leq",
    "\\ge",
    "\\geq",
    "\\neq",
    "\\approx",
    "\\equiv",
    "\\sim",
    "\\propto",
    "\\ll",
    "\\gg",
    "\\in",
    "\\notin",
    "\\subset",
    "\\subseteq",
    "\\cup",
    "\\cap",
    "\\to",
    "\\mapsto",
    "\\infty",
    "\\partial",
    "\\nabla",
    "\\forall",
    "\\exists",
    "\\ldots",
    "\\cdots",
    "\\vdots",
    "\\ddots",
    "\\langle",
    "\\rangle",
    "\\top",
    "\\ell",
];
