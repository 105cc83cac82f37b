"""Writes tests/data/similarity.json: similarities of pairs of token lists, by textdistance 4.6.1.

    python crates/nets/tests/similarity.py

Needs textdistance alone. Pairs are random and from fixed edge cases; nothing of Veracity is involved.
"""

import json
import random
from pathlib import Path

import textdistance

rng = random.Random(5)


def scores(a, b):
    jaccard = textdistance.Jaccard(qval=1, external=False)
    cosine = textdistance.Cosine(qval=1, external=False)
    restricted = textdistance.DamerauLevenshtein(restricted=True, external=False)
    unrestricted = textdistance.DamerauLevenshtein(restricted=False, external=False)
    return {
        "a": a,
        "b": b,
        "jaccard": jaccard.normalized_similarity(a, b),
        "cosine": cosine.normalized_similarity(a, b),
        "damerau_levenshtein": restricted.normalized_similarity(a, b),
        "restricted": restricted.distance(a, b),
        "unrestricted": unrestricted.distance(a, b),
    }


def changed(tokens):
    tokens = list(tokens)
    for _ in range(rng.randrange(12)):
        at = rng.randrange(len(tokens) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            tokens.insert(at, rng.randrange(35))
        elif at < len(tokens) and kind == 1:
            del tokens[at]
        elif at < len(tokens) and kind == 2:
            tokens[at] = rng.randrange(35)
        elif at + 1 < len(tokens):
            tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]
    return tokens


pairs = [([], []), ([], [4]), ([11, 9], [9, 10, 11]), ([9, 9, 9], [9]), ([9, 10], [10, 9])]
for length in [1, 2, 5, 10, 30, 97]:
    for letters in [2, 5, 35]:
        a = [rng.randrange(letters) for _ in range(length)]
        pairs.append((a, [rng.randrange(letters) for _ in range(rng.randrange(1, length + 1))]))
        pairs.append((a, changed(a)))
a = [rng.randrange(35) for _ in range(140)]
pairs.append((a, changed(changed(a))))

rows = ",\n".join(json.dumps(scores(a, b)) for a, b in pairs)
path = Path(__file__).parent / "data" / "similarity.json"
path.write_text(f"[\n{rows}\n]\n")
print(len(pairs), "pairs, textdistance", textdistance.__version__)
