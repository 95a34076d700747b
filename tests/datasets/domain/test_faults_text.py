"""What was found in a file is kept as text that a database takes."""

import pytest

from datasets.domain.faults import Fault


@pytest.mark.parametrize("odd", ["\x00", "\udc80"], ids=["NUL", "half a character"])
def test_a_fault_names_no_character_that_cannot_be_stored(odd):
    fault = Fault(kind="not_text", line=2, field=f"a{odd}b", found=f"c{odd}d")
    kept = "".join(str(value) for value in fault.as_dict().values())
    assert odd not in kept
    assert kept.encode()
