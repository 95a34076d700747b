"""Which side an example stands on: by conversation, equal ones together."""

import pytest

from datasets.domain import split
from datasets.domain.split import Splitter


def sides(examples, *, share=0.1, seed=42):
    """For each (identity, conversation), whether it is held out."""
    splitter = Splitter(share=share, seed=seed)
    groups = [splitter.add(identity, name) for identity, name in examples]
    splitter.settle()
    return [splitter.is_held_out(group) for group in groups]


def plain(count):
    return [(b"example %d" % n, None) for n in range(count)]


@pytest.mark.parametrize(
    ("count", "held"), [(1, 0), (9, 0), (10, 1), (14, 1), (16, 2), (100, 10)]
)
def test_a_tenth_is_held_out_and_at_least_one_from_ten_on(count, held):
    assert sum(sides(plain(count))) == held


@pytest.mark.parametrize(("share", "held"), [(0, 0), (0.001, 1), (0.25, 25), (0.5, 50)])
def test_the_share_is_met(share, held):
    assert sum(sides(plain(100), share=share)) == held


def test_the_same_seed_gives_the_same_split_and_another_another():
    first = sides(plain(100), seed=1)
    assert sides(plain(100), seed=1) == first
    assert sides(plain(100), seed=2) != first


def test_an_examples_side_does_not_depend_on_the_order_of_the_file():
    examples = plain(50)
    there, back = sides(examples), sides(examples[::-1])
    assert there == back[::-1]


def test_no_conversation_stands_on_both_sides():
    examples = [(b"%d of %d" % (n, c), f"c{c}") for c in range(40) for n in range(5)]
    found = sides(examples)
    for first in range(0, len(examples), 5):
        assert len(set(found[first : first + 5])) == 1
    assert sum(found) == 4 * 5


def test_equal_examples_stay_together():
    examples = plain(30) + plain(30)
    found = sides(examples)
    assert found[:30] == found[30:]


def test_conversations_that_share_an_example_stay_together():
    """c0 and c1 share one example, c1 and c2 another: all three are one."""
    chain = [(b"x", "c0"), (b"x", "c1"), (b"y", "c1"), (b"y", "c2")]
    rest = [(b"%d" % n, f"d{n}") for n in range(40)]
    for seed in range(30):
        found = sides(chain + rest, share=0.5, seed=seed)
        assert len(set(found[:4])) == 1


def test_an_example_without_conversation_goes_with_its_equal_in_one():
    for examples in ([(b"x", None), (b"x", "c")], [(b"x", "c"), (b"x", None)]):
        for seed in range(30):
            found = sides(examples + plain(30), share=0.5, seed=seed)
            assert found[0] == found[1]


def test_with_very_many_groups_the_share_is_met_closely(monkeypatch):
    monkeypatch.setattr(split, "EXACT_GROUPS", 1000)
    held = sum(sides(plain(20_000)))
    assert held == pytest.approx(2000, abs=150)
