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
                let own = claims.iter().filter(|(line, _)| line == at);
                !own.into_iter().any(|(_, claim)| matches!(claim.verdict, Verdict::Error(_)))
            })
            .map(|(_, line)| *line)
            .collect();
        assert!(wrong.is_empty(), "{language}: {wrong:#?}");
    }
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
            "It is [three](=3) score.",
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
            "It is under [5](=5).",
            "It is nearly [5](=5).",
            "It is often not [ten](=10).",
            "It is anything but [5](=5).",
            "It is neither [5](=5) nor [6](=6).",
            "It is at most [5](=5 \">= 5\").",
            "It is more than [5](=5 \"<= 5\").",
            // Around formulas and intervals.
            "It is 2[$L^2$](=16 \"at L = 4\").",
            "It is −[$L^2$](=16 \"at L = 4\").",
            "It is [$L^2$](=16 \"at L = 4\")$/2$.",
            "It is [$L^2$](=16 \"at L = 4\") million.",
            "It is half of [$L^2$](=16 \"at L = 4\").",
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
        ],
    ),
    ("nl", &["Het is [5](=5)0.", "Het is −[5](=5).", "Het is [5](=5) M.", "Het is [5](=5)y."]),
];

const ACCEPTED: [(&str, &[&str]); 5] = [
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
            "It is [21.45](=21.45) percent and [5](=5) %.",
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
        ],
    ),
    (
        "de",
        &[
            "Es ist die Hälfte der [5](=5) Wörter, ein Drittel des [5](=5)-Tupels.",
            "Es sind [fuenf](=5), [zwölf](=12), [fünfhundert](=500), [fuenfhundert](=500), [zwei Billionen](=2000000000000).",
            "Es sind [drei Viertel](=3/4), [ein Dutzend](=12).",
            "Es sind nicht mehr als [5](=5), mindestens [5](=5), die [fünf](=5)-fache Menge.",
            "Es sind [5](=5) Prozent, [5](=5) Mal, über [5](=5) Läufe.",
            "mindestens [5](=5 \">= 5\")",
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
        ],
    ),
    ("zh", &["共[5](=5)个。", "共有[5](=5)，即[5](=5)。"]),
];
