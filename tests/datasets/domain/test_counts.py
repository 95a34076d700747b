"""What of a split is trained on, and what is wrong with it, from its statistics."""

import random

import pytest

from datasets.domain.counts import FIELDS, KINDS, Counts, in_example
from datasets.domain.statistics import NEVER, Measured, Statistics
from training.domain.estimator.batches import LengthHistogram, packed
from training.trainer.packing import rows_of


def counted(measured: list[Measured]) -> Counts:
    sums = Statistics()
    for one in measured:
        sums.add(one)
    stored = sums.dump() | {"base_model": "tiny", "exact": True, "model_facts": {}}
    return Counts.load({"examples": len(measured)} | stored)


def row(tokens: int, first: int, **more) -> Measured:
    return Measured(tokens=tokens, supervised=1, first_learned=first, **more)


@pytest.mark.parametrize("seed", range(20))
def test_pairs_lengths_and_packed_rows_are_those_of_the_sequences(seed):
    chance = random.Random(seed)
    rows = [
        row(tokens, chance.choice([NEVER, chance.randrange(1, tokens)]))
        for tokens in (chance.randint(2, 3000) for _ in range(chance.randint(1, 300)))
    ]
    rows += [Measured(tokens=0, supervised=0, refusal="no")] * chance.randint(0, 9)
    for limit in (16, 100, 512, 4096):
        kept = [r for r in rows if r.first_learned != NEVER and r.first_learned < limit]
        lengths = [min(r.tokens, limit) for r in kept]
        found = counted(rows)
        assert found.pairs_at(limit) == len(kept)
        if not kept:
            continue
        known = LengthHistogram.of(found.trained_lengths(limit))
        cut = known.truncated(limit)
        pairs = zip(cut.lengths, cut.counts, strict=True)
        assert [n for n, c in pairs for _ in range(c)] == sorted(lengths)
        wanted = rows_of([(n, lengths.count(n)) for n in set(lengths)], limit)
        assert packed(known, limit).pairs == sum(wanted.values())


def test_warnings_name_the_number_the_model_and_the_templates_own_words():
    rows = [Measured(tokens=0, supervised=0, refusal="must alternate")] * 15
    rows += [row(9, 3, unprinted=("call", "tools"))] * 7
    found = counted(rows)
    first, *others = found.warnings()
    assert "15 of 22 examples are rejected by the chat template of tiny" in first
    assert "“must alternate” (15)" in first
    assert len(others) == 2
    assert all(words.startswith("7 of 22 examples, by tiny: ") for words in others)
    assert not found.is_mostly_refused
    assert counted(rows[:17]).is_mostly_refused


def test_every_kind_has_words_for_one_example():
    for kind in KINDS:
        assert in_example(kind)[0].isupper()
        assert in_example(kind).endswith(".")
    assert set(FIELDS) == set(Counts.__slots__)
