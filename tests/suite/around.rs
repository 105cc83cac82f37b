//! What stands in a link or beside it and makes another number of the claimed one, and what does not.
//!
//! A line claims by `[5](=5)` that the value 5 is 5.

use veracity::claims::{Judged, Verdict};
use veracity_protocol::Value;

use crate::scripted::{Report, float, integer, values};

const CELL: &str = "\n```rust,cell\nlab::value(\"x\", 1);\n```\n";

/// The claims of lines, each in a paragraph of its own, with the index of their line.
fn claims(language: &'static str, lines: &[&str]) -> Vec<(usize, Judged)> {
    let mut published = Vec::new();
    let mut text = format!("# A\n{CELL}\n");
    let mut owners = Vec::new();
    for (line, words) in lines.iter().enumerate() {
        let mut parts = words.split("](=");
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let end = part.find([' ', ')']).expect("a claim is closed");
            let name: &'static str = format!("v{}", published.len()).leak();
            published.push((name, value(&part[..end])));
            owners.push(line);
            text.push_str(&format!("](claim:{name}{}", &part[end..]));
        }
        text.push_str("\n\n");
    }
    published.push(("n", integer(3)));
    let report = Report { language: Some(language), ..Report::of(&text) };
    let claims = report.cell("1/cell-1", values(published)).build().0.claims;
    assert_eq!(claims.len(), owners.len(), "{language}: a line has a claim that is none");
    owners.into_iter().zip(claims).collect()
}

fn value(text: &str) -> Value {
    match (text.parse(), text.split_once('/')) {
        (Ok(whole), _) => integer(whole),
        (_, Some((above, below))) => {
            Value::Rational { numerator: above.into(), denominator: below.into() }
        }
        _ => float(text.parse().expect("it is a number")),
    }
}

#[test]
fn a_number_that_a_reader_sees_as_another_is_refused() {
    for (language, lines) in REFUSED {
        let claims = claims(language, lines);
        let wrong: Vec<&str> = lines
            .iter()
            .enumerate()
            .filter(|(at, _)| {
                let mut own = claims.iter().filter(|(line, _)| line == at);
                !own.all(|(_, claim)| is_refused(&claim.verdict))
            })
            .map(|(_, line)| *line)
            .collect();
        assert!(wrong.is_empty(), "{language}: {wrong:#?}");
    }
}

/// Whether it is another number that a reader sees, and not something else that is wrong.
fn is_refused(verdict: &Verdict) -> bool {
    const KINDS: [&str; 7] = [
        "a reader sees `",
        "makes another number of",
        "the text says “",
        "more than one number",
        "is not a number that can be read",
        "turns the direction",
        "is struck out",
    ];
    matches!(verdict, Verdict::Error(message) if KINDS.iter().any(|it| message.contains(it)))
}

#[test]
fn words_that_leave_a_number_what_it_is_may_stand_beside_it() {
    for (language, lines) in ACCEPTED {
        let claims = claims(language, lines);
        let wrong: Vec<(&str, &Verdict)> = claims
            .iter()
            .filter(|(_, claim)| claim.verdict != Verdict::Verified)
            .map(|(line, claim)| (lines[*line], &claim.verdict))
            .collect();
        assert!(wrong.is_empty(), "{language}: {wrong:#?}");
    }
}

#[test]
fn a_decimal_comma_is_one_where_the_language_says_so() {
    let lines = [
        "[5,050](=5050), [5.050](=5.05), [5,050,000](=5050000), [5,050.25](=5050.25)",
        "[5,05](=5050), [0.82](=0.83)",
    ];
    for language in ["de", "fr", "es"] {
        let found = claims(language, &lines);
        let told: Vec<bool> = found
            .iter()
            .map(|(_, it)| it.verdict.detail().contains("` would hold, as decimals stand"))
            .collect();
        assert_eq!(told, [true, true, true, true, false, false], "{language}: {found:?}");
        assert!(found.iter().all(|(_, it)| it.verdict != Verdict::Verified), "{language}");
    }
}

#[test]
fn the_number_of_a_reference_is_none_of_those_behind_it() {
    let table = "| a |\n|---|\n| b |\n\n: T {#tbl-t}\n\n";
    let text =
        format!("# A\n{CELL}\n{table}In @tbl-t [128](claim:v) rows, in @tbl-t[128](claim:v).\n");
    let report = Report::of(&text).cell("1/cell-1", values([("v", integer(128))]));
    let verdicts = report.build().0.claims.into_iter().map(|it| it.verdict);
    let verdicts: Vec<Verdict> = verdicts.collect();
    let [Verdict::Verified, beside] = verdicts.as_slice() else { panic!("{verdicts:?}") };
    assert!(is_refused(beside), "{beside:?}");
    assert!(beside.detail().is_ascii(), "{beside:?}");
}

#[test]
fn a_per_cent_sign_behind_a_link_is_the_unit_of_the_value() {
    let verdict = |words: &str, unit: Option<&str>| {
        let text = format!("# A\n{CELL}\n{words}\n");
        let mut output = values([("v", float(82.0))]);
        output.values[0].unit = unit.map(str::to_owned);
        Report::of(&text).cell("1/cell-1", output).build().0.claims.remove(0).verdict
    };
    for words in
        ["[82.0](claim:v) %", "[82.0](claim:v)%", "[at least 82](claim:v \">= 82\") percent"]
    {
        assert_eq!(verdict(words, Some("%")), Verdict::Verified, "{words}");
        assert!(is_refused(&verdict(words, None)), "{words}");
    }
    let orders = "[82.0](claim:v) orders of magnitude";
    assert_eq!(verdict(orders, Some("orders of magnitude")), Verdict::Verified);
    assert!(is_refused(&verdict(orders, None)));
    let points = "[8200](claim:v \"points\") %";
    assert_eq!(verdict(points, None), Verdict::Verified);
}

const REFUSED: [(&str, &[&str]); 5] = [
    (
        "en",
        &[
            // What touches it.
            "It is &minus;[5](=5).",
            "It is [5](=5)&#48;.",
            "It is [5](=5)<wbr>0.",
            "It is [5](=5)<b>0</b>.",
            "It is [5](=5)<!-- -->0.",
            "It is [5](=5)\u{200b}0.",
            "It is [5\u{200b}](=5)0.",
            "It is [5](=5)\u{2060}\u{200d}million.",
            "It is [5](=5)[0](=0).",
            "It is 1<i>[5](=5)</i>.",
            "It is {{ n }}[5](=5).",
            "It is [5](=5){{ n }}.",
            "It is [5](=5)`0`.",
            "It is [5](=5)%.",
            "It is [5](=5)*%*.",
            "It is [5](=5)&sup2;.",
            "It is [5](=5)&frac12;.",
            "It is [5](=5)&nbsp;000.",
            "It is [5](=5)\u{202f}000.",
            "It is [5](=5)$\\,000$.",
            "It is [5](=5)'000.",
            "It is [5](=5)k.",
            "It is [5](=5)e3.",
            "It is [5](=5)M.",
            "It is [5](=5)m parameters.",
            "It is [five](=5)teen.",
            "It is [five](=5)th.",
            "It is twenty-[five](=5).",
            "It is [twenty](=20)-first.",
            "It is [twenty](=20)‑five.",
            "It is x[5](=5).",
            "It is 3/[4](=4).",
            "It is [3](=3)/4.",
            "It is [three](=3)/four.",
            "It is .[5](=5).",
            "It is [5](=5)+.",
            "It is [5](=5)! + 1.",
            "It is [5!](=5).",
            "It is [5](=5)万.",
            "It is [25](=25)$_{16}$.",
            "It is [\u{202e}25](=25).",
            "It is [5\u{338}](=5).",
            "It is [5](=5)\u{305}.",
            "It is [5](=5) 000.",
            "It is 224 [892](=892).",
            "It is [5](=5) 1/2.",
            "It is [5](=5) and ½.",
            // What touches brackets or quotes around it.
            "It is −([5](=5)).",
            "It is ([5](=5))^2.",
            "It is “[5](=5)”0.",
            "It is (\"[5](=5)\")%.",
            // Powers of ten.
            "It is [5](=5) million.",
            "It is [5](=5)&nbsp;million.",
            "It is [5](=5) *million*.",
            "It is [5](=5) **thousand**.",
            "It is [5](=5)\nmillion.",
            "It is [5](=5)-million.",
            "It is ([5](=5)) million.",
            "It is [five](=5) “hundred”.",
            "It is [three](=3) hundred-fold.",
            "It is [5](=5) [million](https://example.org).",
            "It is [5](=5) `million`.",
            "It is [3/4](=3/4) million.",
            "It is [50 %](=1/2) million.",
            "It is [five (hundred)](=5).",
            "It is [five](=5) (hundred).",
            "It is [2145 M](=2145).",
            "It is [2145](=2145) bn.",
            "It is [2145](=2145) × 10^6.",
            "It is [2145](=2145) x 10^6.",
            "It is [2145](=2145) $\\times 10^6$.",
            "It is [2145](=2145) × 10⁶.",
            "It is [five](=5) quadrillion.",
            "It is [5](=5) trillion.",
            "It is [5](=5) dozen.",
            "It is [5](=5) per thousand.",
            "It is [5 per thousand](=5).",
            "It is [5](=5) hundreds.",
            // Words.
            "It is minus [5](=5).",
            "It is negative [five](=5).",
            "It is $-$ [5](=5).",
            "It is half of [$2{,}145$](=2145).",
            "It is half of [2145](=2145).",
            "It is half [2145](=2145).",
            "It is a third of [3](=3).",
            "It is one third of [3](=3).",
            "It is two thirds of [3](=3).",
            "It is twice [5](=5).",
            "It is *twice* [5](=5).",
            "It is five times [5](=5).",
            "It is [six fold](=6).",
            "It is [5](=5) times ten.",
            "It is [5](=5) and a half.",
            "It is [5](=5) and two thirds.",
            "It is [three](=3) quarters.",
            "It is [5](=5) squared.",
            // Numbers that are read in part.
            "It is [twenty - one](=20).",
            "It is [twenty](=20) - one.",
            "It is [twenty ten](=20).",
            "It is twenty [ten](=10).",
            "It is [five](=5) million two hundred.",
            "It is [5](=5) hundred five.",
            "It is two hundred and [five](=5).",
            // What denies it.
            "It is not [5](=5).",
            "It is *not* [5](=5).",
            "It isn't [5](=5).",
            "It is not even [5](=5).",
            "It is [two](=2)-thirds.",
            "It is [5](=5)-and-a-half.",
            "It is 0x[10](=10).",
            "There are [no six](=6).",
            "There are no [six](=6).",
            "It is more than [5](=5).",
            "It is less than [five](=5).",
            "It is nearly [5](=5).",
            "It is often not [ten](=10).",
            "It is anything but [5](=5).",
            "It is neither [5](=5) nor [6](=6).",
            "It is at most [5](=5 \">= 5\").",
            "It is more than [5](=5 \"<= 5\").",
            "It does not have [5](=5) layers.",
            "It is not equal to [5](=5).",
            "It does not equal [5](=5).",
            "It is no longer [5](=5), and not really equal to [5](=5).",
            "It never reaches, differs from [5](=5).",
            "It is not equal to [0.5](=0.5).",
            "It is [$x > -3$](=-3).",
            "It is [$\\gg 5$](=5).",
            "It is $\\ll$ [5](=5).",
            "It is $x \\lt$ [5](=5).",
            "It is $\\gt$ [5](=5).",
            "It is $\\not=$ [5](=5).",
            "It is `!=` [5](=5).",
            "It is ≫ [5](=5), or ≪ [5](=5).",
            "It is [not $-3$](=-3).",
            "It is [more than $-3$](=-3).",
            // Units.
            "It is [0.82](=0.82) %, [21.45](=21.45) percent and [5](=5) %.",
            // Functions.
            "It is [$\\sqrt 5$](=5).",
            "It is [$\\sqrt{ 5}$](=5).",
            "It is √ [5](=5).",
            "It is [$\\log 5$](=5) or [$\\log_2 5$](=5).",
            "It is [$|{-5}|$](=-5) or [$|-5|$](=-5).",
            "It is [$\\lfloor 5.5 \\rfloor$](=5.5).",
            "It is [2145](=2145) ⋅ 10^6, [2145](=2145) ∙ 10^6, [2145](=2145) ✕ 10^6.",
            "It is Table 224 [892](=892).",
            "It is [1,224](=1224) 892.",
            "It is the square of [5](=5).",
            "It is [5](=5) squared and more.",
            // Around formulas and intervals.
            "It is 2[$L^2$](=16 \"at L = 4\").",
            "It is −[$L^2$](=16 \"at L = 4\").",
            "It is [$L^2$](=16 \"at L = 4\")$/2$.",
            "It is [$L^2$](=16 \"at L = 4\") million.",
            "It is half of [$L^2$](=16 \"at L = 4\").",
            "It does not take more than [5](=5 \">= 5\"), and no more than [5](=5 \">= 5\").",
            "It never takes fewer than [5](=5 \"<= 5\"). Nobody used fewer than [5](=5 \"<= 5\").",
            "No group needs [more than 5](=5 \">= 5\").",
            "It is not quick, it takes more than [5](=5 \"<= 5\").",
            "[≤ 0.8](=0.8204 \">= 0.8\"), [< 0.8](=0.8204 \"> 0.8\"), ≤ [0.8](=0.8204 \">= 0.8\").",
            "It is $<$ [0.8](=0.8204 \"> 0.8\"), $x \\le$ [0.8](=0.8204 \">= 0.8\"), $x \\gg$ [9](=5 \"< 9\").",
            "It is [$x \\geq 0.9$](=0.8204 \"<= 0.9\"), `<=` [0.8](=0.8204 \">= 0.8\"), ≠ [0.8](=0.8204 \">= 0.8\").",
            "It is ≫ [15](=15), [≫15](=15). It is [±15](=15).",
            "It takes [5](=5 \">= 5\") or fewer, [5](=5 \">= 5\") epochs or fewer.",
            "It takes [5](=5 \">= 5\") or fewer epochs, [5](=5 \">= 5\") at most.",
            "It takes [5](=5 \"<= 5\") or more, [5](=5 \"<= 5\") seconds at least.",
            "It takes at the most [5](=5 \">= 5\"), a maximum of [5](=5 \">= 5\").",
            "It is $\\frac12$ [15](=15), $\\tfrac{1}{2}$ [15](=15), $2L$ [15](=15), $2 \\times$ [15](=15).",
            "It is $2\\alpha$ **[15](=15)**, $1/2$ [15 epochs](=15), $L \\cdot$ [15](=15).",
            "It is [2](=2) to the power of two, [5](=5) orders of magnitude, [5](=5) basis points, [5](=5) bp.",
            "It is [$\\mathrm{log} 5$](=5), $\\operatorname{log}$ [5](=5), doubled [15](=15), halved [15](=15).",
            "It is [two](=2) and a half, [5](=5)∕3, [5](=5)⁄3, [one](=1) third, [One](=1) half, [one](=1) hundred.",
            "It is a value above [0.82](=0.8204 \"± 0.01\"), as high above [5](=5), no run gives more than [0.8](=0.83 \"> 0.8\").",
            "It is [half](=0.5) a million.",
            "It is [$2\\frac{1}{2}$](=10.5), [$2\\frac12$](=10.5).",
            "It is more than [0.83](=0.8204 \"± 0.02\"), exceeds [0.83](=0.8204 \"± 0.02\").",
            "It is less than [0.82](=0.8204 \"± 0.005\"), just under [0.82](=0.8204 \"± 0.005\").",
            "It is > [0.83](=0.8204 \"± 0.02\"), at least [0.83](=0.8204 \"± 0.02\").",
            "It is minus [six](=6), [1.2M](=1.2), [15 K](=15), [15](=15) bn.",
            "It is [0.82 ± 0.005](=0.8204 \"± 0.006\"), [0.82 − 0.005](=0.8204 \"± 0.005\").",
            "It cannot be [15](=15), is anything except [15](=15), barely [15](=15), scarcely [15](=15).",
            "It is twice as much as [5](=5), half as many as [5](=5), [5](=5) lakh, [5](=5) crore, [5](=5) doubled.",
            "It is half of [21](=21), and x[5](=5), ~~[15](=15)~~, ~~some [15](=15) epochs~~, [~~15~~](=15), ~~[15 epochs](=15)~~, [~~15 epochs~~](=15).",
            "A run with no more than [5](=5 \">= 5\"), which takes not less than [5](=5 \"<= 5\").",
            "It is not < [5](=5 \"<= 5\"), it is not [≥ 5](=5 \">= 5\").",
        ],
    ),
    (
        "de",
        &[
            "Es sind fünfzig[fünf](=5).",
            "Es sind [drei](=3)mal mehr.",
            "Es sind [5](=5) Millionen.",
            "Es sind [zwei](=2) Billionen.",
            "Es sind [2](=2) Trillionen.",
            "Es sind [fuenf](=5)hundert.",
            "Es sind [5](=5) Mio. Wörter.",
            "Es sind [5](=5) Promille.",
            "Es sind [5](=5) Prozent.",
            "Es sind [5](=5) Dutzend.",
            "Es sind minus [5](=5).",
            "Es ist die Hälfte von [5](=5).",
            "Es ist [die Hälfte der 5](=5).",
            "Es sind fünfmal [5](=5).",
            "Es sind [drei](=3) Viertel.",
            "Es sind nicht [5](=5).",
            "Es sind nicht genau [5](=5).",
            "Es sind keine [5](=5).",
            "Es sind mehr als [5](=5).",
            "Es sind fast [fünf](=5).",
            "Es sind [fast fünf](=5).",
            "Es sind höchstens [5](=5 \">= 5\").",
            "[höchstens 5](=5 \">= 5\")",
            "Niemand braucht mehr als [5](=5 \">= 5\").",
            "Es sind [5](=5 \">= 5\") oder weniger.",
            "Es unterschreitet [5](=5 \">= 5\").",
            "Es sind weniger als [0.82](=0.8204 \"± 0.005\").",
            "Es sind doppelt so viele wie [5](=5), halb so viele wie [5](=5), minus [sechs](=6).",
        ],
    ),
    (
        "fr",
        &[
            "Il y a [cinq](=5) billions.",
            "Il y a [deux](=2) trillions.",
            "Il y a [deux](=2) dizaines.",
            "Il y a [5](=5) milliers de mots.",
            "Il y a [cinq](=5) cents mots.",
            "Il y a [5](=5) pour mille.",
            "Il fait moins [5](=5).",
            "C’est la moitié de [5](=5).",
            "C’est [la moitié des 5](=5).",
            "C’est deux fois [5](=5).",
            "C’est [5](=5) et demi.",
            "C’est [trois](=3) quarts.",
            "Ce ne sont pas [5](=5).",
            "Il y a plus de [5](=5).",
            "Il y a [presque cinq](=5).",
            "Il y a plus d’[une dizaine](=10).",
            "[jusqu’à 5](=5 \">= 5\")",
            "[au plus 5](=5 \">= 5\")",
            "C’est [5](=5 \">= 5\") ou moins.",
            "C’est au maximum [5](=5 \">= 5\").",
            "C’est moins de [0.82](=0.8204 \"± 0.005\").",
            "Il y en a deux fois plus que [5](=5).",
        ],
    ),
    (
        "es",
        &[
            "Son [mil](=1000) quinientos.",
            "Son veintiún [mil](=1000).",
            "Son [veinte](=20) y uno.",
            "Son [veinte y uno](=20).",
            "Son [5](=5) mil.",
            "Son [5](=5) billones.",
            "Son [dos](=2) docenas.",
            "Son [5](=5) por mil.",
            "Son menos [5](=5).",
            "Es la mitad de [5](=5).",
            "Es el doble de [5](=5).",
            "Son [tres](=3) cuartos.",
            "No son [5](=5).",
            "No tiene [5](=5).",
            "Son más de [5](=5).",
            "Son casi [cinco](=5).",
            "[como máximo 5](=5 \">= 5\")",
            "Son [5](=5 \">= 5\") o menos, como mucho [5](=5 \">= 5\").",
            "Son menos de [0.82](=0.8204 \"± 0.005\").",
        ],
    ),
    (
        "nl",
        &[
            "Het is [5](=5)0.",
            "Het is −[5](=5).",
            "Het is [5 M](=5).",
            "Het is [5](=5) Mio.",
            "Het is [5](=5)y.",
        ],
    ),
];

const ACCEPTED: [(&str, &[&str]); 6] = [
    (
        "en",
        &[
            "It is ([5](=5)), “[5](=5)”, [5](=5); [5](=5): [5](=5)… [5](=5)!",
            "Is it [5](=5)? It is [5](=5).",
            "It is [5](=5)[^a].\n\n[^a]: Or so.",
            "From 2–[5](=5) and [2](=2)–[5](=5) to [2](=2)-5.",
            "It is $x -$ [5](=5) or 7 − [5](=5) or x−[5](=5).",
            "There are ([5](=5))! Those are [5](=5)! (“[5](=5)”!)",
            "A 3x[3](=3) or [3](=3)x[3](=3) kernel, a [90](=90):10 split, [5](=5)-fold validation.",
            "It is ([$L^2$](=16 \"at L = 4\")) and [$L^2$](=16 \"at L = 4\"), of $x$ [$L^2$](=16 \"at L = 4\") tokens.",
            "It is [25](=25) and two thirds of the rest.",
            "A ResNet-[18](=18) has [64](=64)-bit numbers and [3](=3)-dimensional [three](=3)-layer nets.",
            "There are two [three](=3)-layer networks.",
            "It is [2.5](=2.5)x faster, [3](=3)× that, [5](=5)ms, [5](=5) ms, [8](=8)GB, in [3](=3)D, the [5](=5)th.",
            "It costs $[5](=5), €[5](=5), #[5](=5); n=[5](=5), ~[5](=5).",
            "It is [0.5](=0.5) minus [0.2](=0.2), [5](=5) minus 2.",
            "It is [28](=28) × [28](=28) pixels, [28](=28) × 28 pixels, 2 + [5](=5) = 7.",
            "It is [5](=5) of 10, and/[5](=5), [5](=5)/s.",
            "It is [5 %](=1/20), [five percent](=1/20), [5%](=1/20).",
            "It is the third of [3](=3) and in the second half [64](=64) of them.",
            "There are thousands of [64](=64)-bit words and hundreds of [5](=5).",
            "It is half of the [64](=64) tokens.",
            "It is [64](=64) and a quarter of the rest.",
            "It is [Over three quarters](=4/5 \"> 0.75\").",
            "It is [three quarters](=3/4), [two thirds](=2/3).",
            "It says [the two have 2145 features](=2145).",
            "It is [the two](=2).",
            "It is [twenty‑one](=21), [twenty-one](=21), [a trillion](=1000000000000), [two dozen](=24).",
            "It is [a hundred](=100), [1.2 million](=1200000), [five trillion](=5000000000000).",
            "It is no more than [5](=5), not fewer than [5](=5), at least [5](=5), whether or not [5](=5).",
            "It is about [5](=5), exactly [5](=5), only [5](=5), over [5](=5) seeds.",
            "It is at least [5](=5 \">= 5\"), no more than [5](=5 \"<= 5\").",
            "[Three](=3) of them, [five](=5) and six, [5](=5), [6](=6) and [7](=7).",
            "Of 2020, [five](=5) are left; in 64 [three](=3) remain.",
            "It is [$5$](=5)$\\,L$ and [5](=5) $L$ and $2$ [5](=5).",
            "- [5](=5)",
            "| a | b |\n|---|---|\n| million | [5](=5) |\n| [5](=5) | thousand |",
            "A <b>bold</b> [5](=5)<br>and more.",
            "It is a score of [0.9](=0.9), the best [5](=5) score.",
            "There are [thirty](=30)-second clips and [Thirty](=30) second clips.",
            "At [0.5](=0.5) 100 samples, by [2024](=2024) 300 hours, [4](=4) 128-dimensional heads.",
            "At 0.5 [100](=100) samples, by 2024 [300](=300) hours, by 3/4 [300](=300).",
            "Between [0](=0) and 1/2, [25](=25) and 1/3 of the rest, [1/4](=1/4) and three quarters.",
            "Between [0](=0) and a half, [0.5](=0.5) and 1/2.",
            "Evaluated under [5](=5) conditions, all but [3](=3) clips.",
            "Averaged over [at most 5](=5 \"<= 5\") runs, [below 0.02 over all seeds](=0.01 \"< 0.02\").",
            "It is [at least 0.9 under noise](=0.95 \">= 0.9\").",
            "It is [28](=28) times [28](=28) pixels, [28](=28) times 28 pixels, 28 times [28](=28).",
            "There are [64](=64) squared errors, [5](=5) factorial designs, a square of [28](=28) pixels.",
            "It is in the left half [5](=5), in the first quarter of [2024](=2024).",
            "It says [the two halves differ by 5](=5), it maps x -> [5](=5).",
            "It is [L-3: $-3$](=-3), [$-3$](=-3), [−3](=-3).",
            "It is $|x|$ [5](=5), x | [5](=5) | y, or $\\sqrt{L}$ [5](=5).",
            "It does not take more than [5](=5 \"<= 5\"), they do not need more than [5](=5 \"<= 5\").",
            "No group needs more than [5](=5 \"<= 5\"). At no time were there more than [5](=5 \"<= 5\").",
            "It need not be more than [5](=5 \"<= 5\"), never takes fewer than [5](=5 \">= 5\").",
            "Nobody used fewer than [5](=5 \">= 5\"), no group [more than 5](=5 \"<= 5\").",
            "It does not fall below [0.3](=0.4 \">= 0.3\"), never falls below [0.3](=0.4 \">= 0.3\").",
            "It cannot be below [0.3](=0.4 \">= 0.3\"), never rises above [0.5](=0.4 \"<= 0.5\").",
            "It is nowhere above [0.5](=0.4 \"<= 0.5\"). No error is above [0.5](=0.4 \"<= 0.5\").",
            "None of the errors is above [0.5](=0.4 \"<= 0.5\"), there is no error above [0.5](=0.4 \"<= 0.5\").",
            "It is not above [0.5](=0.4 \"<= 0.5\"), is never above [0.5](=0.4 \"<= 0.5\"), never exceeds [0.5](=0.4 \"<= 0.5\").",
            "No group needs more than [5](=5).",
            "It is not quick, it takes more than [5](=6 \"> 5\"). It is not quick and takes more than [5](=6 \"> 5\").",
            "It is [≥ 0.8](=0.8204 \">= 0.8\"), > [0.8](=0.8204 \"> 0.8\"), $x \\geq$ [0.8](=0.8204 \">= 0.8\").",
            "It is ≠ [0.8](=0.8204 \"!= 0.8\"), $\\le$ [5](=5), not > [5](=5 \"<= 5\"). We map x -> [5](=5 \">= 5\").",
            "It is 0.5 ± [0.1](=0.1), [0.5](=0.5) [±0.1](=0.1).",
            "It takes [5](=5 \"<= 5\") or fewer, [5](=5 \">= 5\") epochs or more, [5](=5 \"<= 5\") epochs at most.",
            "It takes [5](=5 \">= 5\") of at most 20, [5](=5) or more precisely 5.0.",
            "Not all seeds give more than [0.8](=0.83 \"> 0.8\"), they don't all give more than [0.8](=0.7 \"<= 0.8\").",
            "It is, as shown above [0.82](=0.8204 \"± 0.01\"), (see below [5](=5)), as given above [0.5](=0.4 \"<= 0.5\").",
            "[Half](=0.5) of them, [one half](=0.5), [one](=1), [One](=1) of them, a score of [5](=5)/[3](=3).",
            "It is [two and a half](=5/2), [one and a half](=1.5), [two](=2) and a half of the rest.",
            "It takes [15 or fewer](=15), [15 at most](=15), at most [15](=15).",
            "With $N=3$ [15](=15), $x$, $2L$: [15](=15), at $10^{-3}$ [15](=15), with $2L$ about [15](=15), [$\\frac12$](=0.5).",
            "It was doubled [15](=15) times and halved [3](=3) times.",
            "At $5\\,\\mathrm{ms}$ [15](=15), at $90^\\circ$ [15](=15), for $1, \\dots, n$ [15](=15), $2\\,\\mathrm{m/s}$ [15](=15).",
            "With $2L$ − [15](=15), $2L$ and [15](=15), $\\mathrm{L}$ [15](=15), the power of two [5](=5).",
            "It is up to [0.83](=0.8204 \"± 0.02\"), about [0.83](=0.8204 \"± 0.02\").",
            "It is [minus six](=-6), [negative two](=-2), [minus twenty-one](=-21).",
            "It is cooled to [15](=15) K, takes [15](=15) B, is of class [5](=5) B with [5](=5) k centres.",
            "It is F[1](=1), the L[2](=2) norm, (F[1](=1)).",
            "It is fewer than half of [21](=21), more than half of [21](=21).",
            "It is [0.82 ± 0.005](=0.8204 \"± 0.005\"), [$0.82 \\pm 0.005$](=0.8204 \"± 0.005\").",
            "It is ~~four~~ [5](=5), ~~not~~ [5](=5), as many as [5](=5).",
            "Nets that do not pool need more than [5](=6 \"> 5\"). With no dropout it takes more than [5](=6 \"> 5\").",
            "It is no surprise that it exceeds [0.5](=0.8 \"> 0.5\"). With no dropout $x \\ge$ [5](=6 \">= 5\").",
            "It is not only more than [5](=6 \"> 5\").",
            "[5](=5) [±1](=1)",
            "It needs no dropout to reach more than [0.8](=0.9 \"> 0.8\").",
            "It costs no more time yet gains more than [3](=4 \"> 3\") points.",
        ],
    ),
    (
        "de",
        &[
            "Es ist die Hälfte der [5](=5) Wörter, ein Drittel des [5](=5)-Tupels.",
            "Es sind [fuenf](=5), [zwölf](=12), [fünfhundert](=500), [fuenfhundert](=500), [zwei Billionen](=2000000000000).",
            "Es sind [drei Viertel](=3/4), [ein Dutzend](=12).",
            "Es sind nicht mehr als [5](=5), mindestens [5](=5), die [fünf](=5)-fache Menge.",
            "Es sind [5](=5) Mal, über [5](=5) Läufe.",
            "mindestens [5](=5 \">= 5\")",
            "unter [5](=5) Modellen, über [höchstens 5](=5 \"<= 5\") Läufe",
            "[28](=28) mal [28](=28) Pixeln, zwischen [0](=0) und 1/2, ein Quadrat von [28](=28) Pixeln",
            "Niemand braucht mehr als [5](=5 \"<= 5\"), und [5](=5 \"<= 5\") oder weniger.",
            "Es sind [minus sechs](=-6).",
            "Es sind [0,82](=0.82), [224.892](=224892), [5 050](=5050), [0.82](=0.82), [1,2 Millionen](=1200000).",
            "Es sind [5 000](=5000)-mal, [5 128](=5128)-dimensionale, [2,5-Millionen](=2500000) Wörter.",
            "In Lauf 3 [128](=128)-mal, bei [0,5](=0.5) 100 Mal, am 12.05.2024 [5](=5).",
            "Es sind [15 höchstens](=15), [zwei und ein halb](=2.5), [die Hälfte](=0.5), nur [eins](=1).",
            "Nicht alle Läufe geben mehr als [0,8](=0.83 \"> 0.8\").",
            "Es sind [0,82 ± 0,005](=0.82 \"± 0.005\"), [mindestens 0,8](=0.82 \">= 0.8\").",
            "Es übersteigt [5](=5 \"<= 5\") nicht, es unterschreitet [5](=6 \">= 5\") Sekunden nie.",
        ],
    ),
    (
        "fr",
        &[
            "C’est la moitié des [5](=5) mots, le tiers du [5](=5)-uplet.",
            "Il y a [cinq cents](=500), [trois quarts](=3/4), [deux douzaines](=24), [dix milliers](=10000).",
            "Il y a au moins [5](=5), pas plus de [5](=5), plus ou moins [5](=5).",
            "C’est le cinquième de [5](=5).",
            "[au moins 5](=5 \">= 5\")",
            "avec un pas de [0.01](=0.01), sous [5](=5) angles, non moins [5](=5)",
            "Personne n’utilise plus de [5](=5 \"<= 5\"), chaque personne plus de [5](=6 \"> 5\").",
            "Cela [ne dépasse pas 5](=5 \"<= 5\").",
            "C’est [moins six](=-6), [au moins six](=6), [12 100](=12100), [−0,5](=-0.5).",
            "[La moitié](=0.5), [deux et demi](=2.5), [un](=1).",
            "Les réseaux qui ne sont pas profonds demandent plus de [5](=6 \"> 5\").",
        ],
    ),
    (
        "es",
        &[
            "Es la mitad de los [5](=5), la mitad del [5](=5).",
            "Son [veintiún mil](=21000), [tres cuartos](=3/4), [dos billones](=2000000000000).",
            "Son al menos [5](=5), no más de [5](=5), no solo [5](=5), [treinta y uno](=31).",
            "No, [5](=5).",
            "[al menos 5](=5 \">= 5\")",
            "cuando menos [5](=5), ni más ni menos [5](=5)",
            "No hacen falta más de [5](=5 \"<= 5\"), nunca hacen falta más de [5](=5 \"<= 5\").",
            "Nadie usa más de [5](=5 \"<= 5\").",
            "Son [menos seis](=-6), [la mitad](=0.5), [dos y medio](=2.5), [uno](=1).",
        ],
    ),
    ("pt", &["No [5](=5) e more than [5](=5)."]),
    ("zh", &["共[5](=5)个。", "共有[5](=5)，即[5](=5)。"]),
];
