//! Every word in every language.

/// Languages in the order of the table's columns.
pub const LANGUAGES: [&str; 4] = ["en", "de", "fr", "es"];

macro_rules! table {
    ($($(#[$doc:meta])* $word:ident: $row:expr,)*) => {
        /// A word of the report, or a sentence in which each `{}` stands for something.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Word {
            $($(#[$doc])* $word,)*
        }

        impl Word {
            pub(super) const fn row(self) -> [&'static str; LANGUAGES.len()] {
                match self {
                    $(Self::$word => $row,)*
                }
            }

            #[cfg(test)]
            pub(super) const ALL: &[Self] = &[$(Self::$word,)*];
        }
    };
}

table! {
    /// Caption of a figure, and a reference to one.
    Figure: ["Figure", "Abbildung", "Figure", "Figura"],
    /// Caption of a table, and a reference to one.
    Table: ["Table", "Tabelle", "Tableau", "Tabla"],
    /// Reference to a formula.
    Equation: ["Equation", "Gleichung", "Équation", "Ecuación"],
    /// Reference to a chapter.
    Chapter: ["Chapter", "Kapitel", "Chapitre", "Capítulo"],
    /// Reference to a section.
    Section: ["Section", "Abschnitt", "Section", "Sección"],
    /// Name of a cell, before its number.
    Cell: ["Cell", "Zelle", "Cellule", "Celda"],
    /// Heading of the table of contents.
    Contents: ["Contents", "Inhalt", "Table des matières", "Índice"],
    /// Name of the first page.
    Overview: ["Overview", "Überblick", "Vue d’ensemble", "Resumen"],
    /// Heading of the works cited.
    References: ["References", "Literatur", "Références", "Referencias"],
    /// Heading of the list of all claims.
    Ledger: [
        "Ledger of claims",
        "Verzeichnis der Aussagen",
        "Registre des affirmations",
        "Registro de afirmaciones",
    ],
    /// Heading of the code behind the report.
    Code: ["Code", "Code", "Code", "Código"],
    /// Heading of the graph of claims.
    Lattice: ["What follows from what", "Was woraus folgt", "Ce qui découle de quoi", "Qué se sigue de qué"],
    /// Leads to the chapter before.
    Previous: ["Previous", "Zurück", "Précédent", "Anterior"],
    /// Leads to the chapter after.
    Next: ["Next", "Weiter", "Suivant", "Siguiente"],
    /// A callout.
    Note: ["Note", "Hinweis", "Remarque", "Nota"],
    /// A callout.
    Tip: ["Tip", "Tipp", "Conseil", "Consejo"],
    /// A callout.
    Important: ["Important", "Wichtig", "Important", "Importante"],
    /// A callout.
    Warning: ["Warning", "Warnung", "Avertissement", "Advertencia"],
    /// A callout.
    Caution: ["Caution", "Vorsicht", "Attention", "Precaución"],
    /// Verdict.
    Verified: ["verified", "bestätigt", "vérifié", "verificado"],
    /// Verdict on what is quoted because it is wrong.
    AsExpected: [
        "refuted, as expected",
        "widerlegt, wie erwartet",
        "réfuté, comme prévu",
        "refutado, como se esperaba",
    ],
    /// Verdict on what was not checked.
    Unverified: ["unverified", "ungeprüft", "non vérifié", "sin verificar"],
    /// Verdict.
    Refuted: ["refuted", "widerlegt", "réfuté", "refutado"],
    /// Verdict on what is quoted as wrong and is not.
    Unexpected: [
        "holds, against expectation",
        "gilt, wider Erwarten",
        "vrai, contre toute attente",
        "se cumple, contra lo esperado",
    ],
    /// Verdict on what could not fail.
    Vacuous: ["vacuous", "gehaltlos", "sans objet", "vacío"],
    /// Verdict on a claim that is at fault itself.
    Error: ["error", "fehlerhaft", "erreur", "error"],
    /// Outcome of a check.
    Passed: ["passed", "bestanden", "réussi", "superado"],
    /// Outcome of a check.
    Failed: ["failed", "nicht bestanden", "échoué", "no superado"],
    /// Outcome of a check that must fail.
    FailedAsExpected: [
        "failed, as expected",
        "nicht bestanden, wie erwartet",
        "échoué, comme prévu",
        "no superado, como se esperaba",
    ],
    /// What a verdict means.
    MeansVerified: [
        "The text agrees with what the code produced.",
        "Der Text stimmt mit dem überein, was der Code ergeben hat.",
        "Le texte concorde avec ce que le code a produit.",
        "El texto concuerda con lo que produjo el código.",
    ],
    /// What a verdict means.
    MeansAsExpected: [
        "Quoted because it is wrong, and the code shows that it is.",
        "Zitiert, weil es falsch ist, und der Code zeigt das.",
        "Cité parce que c’est faux, et le code le montre.",
        "Citado porque es falso, y el código lo muestra.",
    ],
    /// What a verdict means.
    MeansUnverified: [
        "This build could not check it; the reason stands beside it.",
        "Hier konnte es nicht geprüft werden; der Grund steht daneben.",
        "Ceci n’a pas pu être vérifié ici\u{a0}; la raison figure à côté.",
        "Aquí no se pudo comprobar; el motivo figura al lado.",
    ],
    /// What a verdict means.
    MeansRefuted: [
        "The text contradicts what the code produced.",
        "Der Text widerspricht dem, was der Code ergeben hat.",
        "Le texte contredit ce que le code a produit.",
        "El texto contradice lo que produjo el código.",
    ],
    /// What a verdict means.
    MeansUnexpected: [
        "Quoted as wrong, yet the code agrees with it.",
        "Als falsch zitiert, doch der Code bestätigt es.",
        "Cité comme faux, mais le code le confirme.",
        "Citado como falso, pero el código lo confirma.",
    ],
    /// What a verdict means.
    MeansVacuous: [
        "Nothing was compared, so that it could not fail.",
        "Es wurde nichts verglichen, also konnte nichts scheitern.",
        "Rien n’a été comparé, l’échec était donc impossible.",
        "No se comparó nada, de modo que no podía fallar.",
    ],
    /// What a verdict means.
    MeansError: [
        "The claim itself is at fault and was not compared.",
        "Die Aussage selbst ist fehlerhaft und wurde nicht verglichen.",
        "L’affirmation elle-même est fautive et n’a pas été comparée.",
        "La propia afirmación es errónea y no se comparó.",
    ],
    /// Why a claim is unverified.
    NeedsData: ["needs-data", "Daten fehlen", "données manquantes", "faltan datos"],
    /// Why a claim is unverified.
    NeedsDevice: ["needs-device", "Gerät fehlt", "appareil manquant", "falta el dispositivo"],
    /// Why a claim is unverified.
    NeedsProfile: ["needs-profile", "anderes Profil nötig", "autre profil requis", "requiere otro perfil"],
    /// Why a claim is unverified.
    NotRun: ["not-run", "nicht ausgeführt", "non exécuté", "no ejecutado"],
    /// Why a claim is unverified.
    Blocked: ["blocked", "blockiert", "bloqué", "bloqueado"],
    /// Why a claim is unverified.
    Stale: ["stale", "überholt", "caduc", "caduco"],
    /// Why a claim is unverified.
    TooFewSeeds: ["too-few-seeds", "zu wenige Startwerte", "trop peu de graines", "muy pocas semillas"],
    /// Why a claim is unverified.
    Inconclusive: ["inconclusive", "nicht schlüssig", "non concluant", "no concluyente"],
    /// Why a claim is unverified.
    NotRecorded: ["not-recorded", "nicht aufgezeichnet", "non enregistré", "no registrado"],
    /// Data that are whole and not made up.
    RealData: ["real", "echt", "réelles", "reales"],
    /// Data that are a part of the real ones.
    Subset: ["subset", "Teilmenge", "sous-ensemble", "subconjunto"],
    /// Data that are made up.
    Synthetic: ["synthetic", "künstlich", "synthétiques", "sintéticos"],
    /// Outcome of a report whose chapters have other problems.
    OtherProblems: [
        "No claim failed, but something else in the chapters did.",
        "Keine Aussage ist gescheitert, aber etwas anderes in den Kapiteln.",
        "Aucune affirmation n’a échoué, mais les chapitres présentent d’autres problèmes.",
        "No falló ninguna afirmación, pero sí otra cosa en los capítulos.",
    ],
    /// Outcome of a report.
    AllExpected: [
        "Every claim is as expected.",
        "Alle Aussagen sind wie erwartet.",
        "Toutes les affirmations sont conformes aux attentes.",
        "Todas las afirmaciones son como se esperaba.",
    ],
    /// Outcome of a report: how many of how many claims are open.
    SomeOpen: [
        "No claim failed; {} of {} could not be checked here.",
        "Keine Aussage ist gescheitert; hier nicht prüfbar: {} von {}.",
        "Aucune affirmation n’a échoué\u{a0}; non vérifiables ici\u{a0}: {} sur {}.",
        "No falló ninguna afirmación; no comprobables aquí: {} de {}.",
    ],
    /// Outcome of a report: how many of how many claims failed.
    SomeFailed: [
        "{} of {} claims failed.",
        "Gescheiterte Aussagen: {} von {}.",
        "Affirmations en échec\u{a0}: {} sur {}.",
        "Afirmaciones fallidas: {} de {}.",
    ],
    /// Outcome of a report without claims.
    NoClaims: [
        "This report makes no claims.",
        "Dieser Bericht enthält keine Aussagen.",
        "Ce rapport ne contient aucune affirmation.",
        "Este informe no contiene afirmaciones.",
    ],
    /// A single claim.
    OneClaim: ["1 claim", "1 Aussage", "1 affirmation", "1 afirmación"],
    /// Several claims.
    ManyClaims: ["{} claims", "{} Aussagen", "{} affirmations", "{} afirmaciones"],
    /// Leads to the ledger, with the number of claims.
    LedgerOfAll: ["Ledger of all {}", "Verzeichnis: {}", "Registre\u{a0}: {}", "Registro: {}"],
    /// What claims are, beside their marks on a page.
    ClaimsAre: [
        "Claims are numbers, formulas and statements in the text. Each was compared with what the code \
         shown beside it produced. Press the mark after a claim for its value and where that came from.",
        "Aussagen sind Zahlen, Formeln und Sätze im Text. Jede wurde mit dem verglichen, was der daneben \
         gezeigte Code ergeben hat. Das Zeichen hinter einer Aussage zeigt ihren Wert und dessen \
         Herkunft.",
        "Les affirmations sont des nombres, des formules et des énoncés du texte. Chacune a été comparée à \
         ce que le code affiché à côté a produit. La marque qui suit une affirmation donne sa valeur et la \
         provenance de celle-ci.",
        "Las afirmaciones son números, fórmulas y enunciados del texto. Cada una se comparó con lo que \
         produjo el código mostrado al lado. La marca tras una afirmación muestra su valor y de dónde \
         procede.",
    ],
    /// The same on paper.
    ClaimsAreOnPaper: [
        "Claims are numbers, formulas and statements in the text. The mark after a claim leads to its \
         entry in the ledger of claims, with the value and the cell that produced it.",
        "Aussagen sind Zahlen, Formeln und Sätze im Text. Das Zeichen hinter einer Aussage führt zu ihrem \
         Eintrag im Verzeichnis, mit dem Wert und der Zelle, die ihn ergeben hat.",
        "Les affirmations sont des nombres, des formules et des énoncés du texte. La marque qui suit une \
         affirmation mène à son entrée dans le registre, avec la valeur et la cellule qui l’a produite.",
        "Las afirmaciones son números, fórmulas y enunciados del texto. La marca tras una afirmación lleva \
         a su entrada en el registro, con el valor y la celda que lo produjo.",
    ],
    /// Heading of the environment.
    BuiltWith: ["Built with", "Erstellt mit", "Produit avec", "Generado con"],
    /// What all results have in common.
    AllResults: [
        "All results: {}.",
        "Alle Ergebnisse: {}.",
        "Tous les résultats\u{a0}: {}.",
        "Todos los resultados: {}.",
    ],
    /// Head in the ledger.
    Verdict: ["verdict", "Urteil", "verdict", "veredicto"],
    /// Head in the ledger.
    Claim: ["claim", "Aussage", "affirmation", "afirmación"],
    /// Head in the ledger.
    Value: ["value", "Wert", "valeur", "valor"],
    /// Head in the ledger.
    RestsOn: ["rests on", "beruht auf", "repose sur", "se apoya en"],
    /// Head in the ledger on paper.
    ValueAndRelation: ["value and relation", "Wert und Beziehung", "valeur et relation", "valor y relación"],
    /// Head in the ledger on paper.
    VerdictAndOrigin: [
        "verdict and origin",
        "Urteil und Herkunft",
        "verdict et origine",
        "veredicto y origen",
    ],
    /// How a claim is compared.
    Relation: ["relation", "Beziehung", "relation", "relación"],
    /// Before the premises of a claim.
    Because: ["because", "weil", "parce que", "porque"],
    /// Before what other devices found.
    Elsewhere: ["elsewhere", "anderswo", "ailleurs", "en otro lugar"],
    /// Before the verdict that the author expects.
    Expected: ["expected", "erwartet", "attendu", "esperado"],
    /// That the author expects a claim to be refuted.
    QuotedAsWrong: [
        "refuted: quoted because it is wrong",
        "widerlegt: zitiert, weil es falsch ist",
        "réfuté\u{a0}: cité parce que c’est faux",
        "refutado: citado porque es falso",
    ],
    /// The device on which a cell ran.
    Device: ["device", "Gerät", "appareil", "dispositivo"],
    /// The profile under which a cell ran.
    Profile: ["profile", "Profil", "profil", "perfil"],
    /// The data that a cell read.
    Data: ["data", "Daten", "données", "datos"],
    /// The seed of random numbers.
    Seed: ["seed", "Startwert", "graine", "semilla"],
    /// The key of a result.
    Key: ["key", "Schlüssel", "clé", "clave"],
    /// How long a cell ran.
    CellTime: ["cell time", "Zeit der Zelle", "durée de la cellule", "tiempo de la celda"],
    /// A cell, and the number of its chapter.
    OfChapter: ["{} of chapter {}", "{} von Kapitel {}", "{} du chapitre {}", "{} del capítulo {}"],
    /// Leads from a claim to its row.
    InLedger: ["In the ledger", "Im Verzeichnis", "Dans le registre", "En el registro"],
    /// A mark beside a chapter, for those who cannot see it.
    HasFailures: ["has failures", "mit Fehlern", "avec des échecs", "con fallos"],
    /// What the ledger is, for those who cannot see it.
    EveryClaim: [
        "Every claim of the report with its verdict",
        "Jede Aussage des Berichts mit ihrem Urteil",
        "Chaque affirmation du rapport avec son verdict",
        "Cada afirmación del informe con su veredicto",
    ],
    /// A choice of all chapters.
    All: ["all", "alle", "tous", "todos"],
    /// How many of how many rows are shown.
    Shown: ["{} of {} shown", "{} von {} gezeigt", "{} sur {} affichées", "{} de {} mostradas"],
    /// Before the claims on a cell.
    RestingClaims: [
        "Claims that rest on this cell:",
        "Aussagen, die auf dieser Zelle beruhen:",
        "Affirmations qui reposent sur cette cellule\u{a0}:",
        "Afirmaciones que se apoyan en esta celda:",
    ],
    /// The same on paper.
    RestingOnPaper: [
        "Claims that rest on this:",
        "Aussagen, die hierauf beruhen:",
        "Affirmations qui reposent dessus\u{a0}:",
        "Afirmaciones que se apoyan en ella:",
    ],
    /// Before what shows that a check fails.
    Counterexample: [
        "Smallest counterexample:",
        "Kleinstes Gegenbeispiel:",
        "Plus petit contre-exemple\u{a0}:",
        "Contraejemplo más pequeño:",
    ],
    /// What the graph of claims shows.
    StaleMeans: [
        "A claim is stale if one from which it follows is not as expected. Premises stand on the left, \
         what follows from them to their right.",
        "Eine Aussage ist überholt, wenn eine, aus der sie folgt, nicht wie erwartet ist. Prämissen stehen \
         links, was aus ihnen folgt, rechts davon.",
        "Une affirmation est caduque si l’une de celles dont elle découle n’est pas conforme aux attentes. \
         Les prémisses sont à gauche, ce qui en découle à leur droite.",
        "Una afirmación queda caduca si alguna de la que se sigue no es como se esperaba. Las premisas \
         están a la izquierda, y lo que se sigue de ellas, a su derecha.",
    ],
    /// The graph of claims, for those who cannot see it.
    GraphLabel: [
        "Claims and what follows from them; the list below says the same",
        "Aussagen und was aus ihnen folgt; die Liste darunter sagt dasselbe",
        "Affirmations et ce qui en découle\u{a0}; la liste ci-dessous dit la même chose",
        "Afirmaciones y lo que se sigue de ellas; la lista de abajo dice lo mismo",
    ],
    /// What follows from a claim on paper: its name, its verdict, its premises.
    FollowsFrom: [
        "({}, {}) follows from {}.",
        "({}, {}) folgt aus {}.",
        "({}, {}) découle de {}.",
        "({}, {}) se sigue de {}.",
    ],
    /// Heading of the coverage.
    Coverage: ["Coverage", "Abdeckung", "Couverture", "Cobertura"],
    /// What coverage is.
    CoverageMeans: [
        "Of every number in the prose: whether a claim compares it, whether it is a value that the build \
         puts in, whether it needs no evidence, or whether nothing backs it. Numbers that are written as \
         words are counted from three on.",
        "Zu jeder Zahl im Text: ob eine Aussage sie vergleicht, ob sie ein eingesetzter Wert ist, ob sie \
         keinen Beleg braucht oder ob nichts sie belegt. Als Wörter geschriebene Zahlen zählen \
         ab drei.",
        "Pour chaque nombre du texte\u{a0}: s’il est comparé par une affirmation, si c’est une valeur \
         insérée, s’il se passe de preuve ou si rien ne l’étaye. Les nombres écrits en lettres sont \
         comptés à partir de trois.",
        "De cada número del texto: si una afirmación lo compara, si es un valor insertado, si no necesita \
         prueba o si nada lo respalda. Los números escritos con letras se cuentan a \
         partir de tres.",
    ],
    /// Head of the coverage.
    Claimed: ["claimed", "mit Aussage", "affirmés", "afirmados"],
    /// Head of the coverage.
    PutIn: ["put in", "eingesetzt", "insérés", "insertados"],
    /// Head of the coverage.
    ExemptByForm: [
        "exempt by form",
        "der Form nach befreit",
        "exemptés par leur forme",
        "exentos por su forma",
    ],
    /// Head of the coverage.
    ByAuthor: ["by the author", "vom Autor befreit", "exemptés par l’auteur", "exentos por el autor"],
    /// Head of the coverage.
    Uncovered: ["uncovered", "unbelegt", "sans preuve", "sin respaldo"],
    /// Head of the coverage.
    Backed: ["backed", "belegt", "étayés", "respaldados"],
    /// Heading of the numbers that the author exempts.
    Exempt: ["exempt by the author", "vom Autor befreit", "exemptés par l’auteur", "exentos por el autor"],
    /// Coverage of a chapter on paper.
    CoverageOf: [
        "Coverage of {}: {} of {} numbers in the prose are backed ({} %): {} by claims, {} as values.",
        "Abdeckung von {}: {} von {} Zahlen im Text sind belegt ({} %): {} durch Aussagen, {} als Werte.",
        "Couverture de {}\u{a0}: {} nombres du texte sur {} sont étayés ({} %)\u{a0}: {} par des \
         affirmations, {} comme valeurs.",
        "Cobertura de {}: {} de {} números del texto están respaldados ({} %): {} por afirmaciones, {} \
         como valores.",
    ],
    /// A single formula.
    OneBareFormula: [
        "1 formula that nothing evaluates",
        "1 Formel, die nirgends ausgewertet wird",
        "1 formule que rien n’évalue",
        "1 fórmula sin evaluar",
    ],
    /// Several formulas.
    BareFormulas: [
        "{} formulas that nothing evaluates",
        "{} Formeln, die nirgends ausgewertet werden",
        "{} formules que rien n’évalue",
        "{} fórmulas sin evaluar",
    ],
    /// What such formulas are.
    BareFormulasAre: [
        "Definitions, notation, and steps of an argument among them; a slip in one would stay unseen.",
        "Darunter Definitionen, Schreibweisen und Schritte eines Beweises; ein Versehen darin bliebe \
         unbemerkt.",
        "Parmi elles, des définitions, des notations et des étapes d’un raisonnement\u{a0}; une erreur y \
         passerait inaperçue.",
        "Entre ellas, definiciones, notación y pasos de un razonamiento; un desliz en una pasaría \
         inadvertido.",
    ],
    /// Heading of code that need not be noticed.
    Unnoticed: [
        "Code of which changes may go unnoticed",
        "Code, dessen Änderungen unbemerkt bleiben dürfen",
        "Code dont les changements peuvent passer inaperçus",
        "Código cuyos cambios pueden pasar inadvertidos",
    ],
    /// By whose word, and which command changes it.
    UnnoticedMeans: [
        "By the author’s word; {} changes it all the same.",
        "So sagt es der Autor; {} ändert ihn trotzdem.",
        "Sur la parole de l’auteur\u{a0}; {} le modifie quand même.",
        "Según el autor; {} lo modifica de todos modos.",
    ],
    /// Leads past the table of contents.
    Skip: ["Skip to the content", "Zum Inhalt springen", "Aller au contenu", "Ir al contenido"],
    /// A switch.
    DarkColours: ["Dark colours", "Dunkle Farben", "Couleurs sombres", "Colores oscuros"],
    /// The links between chapters, for those who cannot see them.
    Chapters: ["Chapters", "Kapitel", "Chapitres", "Capítulos"],
    /// Claims on the first page, for those who cannot see them.
    Claims: ["Claims", "Aussagen", "Affirmations", "Afirmaciones"],
    /// The footnotes, for those who cannot see them.
    Footnotes: ["Footnotes", "Fußnoten", "Notes de bas de page", "Notas al pie"],
    /// A footnote, for those who cannot see it.
    Footnote: ["Footnote", "Fußnote", "Note", "Nota"],
    /// Leads from a footnote to its mark.
    BackToText: ["Back to the text", "Zurück zum Text", "Retour au texte", "Volver al texto"],
    /// Leads to a heading.
    ToSection: [
        "Link to this section",
        "Link zu diesem Abschnitt",
        "Lien vers cette section",
        "Enlace a esta sección",
    ],
    /// The problems of a chapter, for those who cannot see them.
    Problems: [
        "Problems in this chapter",
        "Probleme in diesem Kapitel",
        "Problèmes dans ce chapitre",
        "Problemas en este capítulo",
    ],
}
