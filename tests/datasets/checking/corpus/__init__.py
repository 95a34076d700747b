"""Small files, valid in every format and broken in every way, with their verdicts."""

from tests.datasets.checking.corpus.broken_files import BROKEN_FILES
from tests.datasets.checking.corpus.broken_rows import BROKEN_ROWS
from tests.datasets.checking.corpus.cases import Case
from tests.datasets.checking.corpus.harmless import HARMLESS
from tests.datasets.checking.corpus.valid import VALID

CORPUS: list[Case] = [*VALID, *HARMLESS, *BROKEN_ROWS, *BROKEN_FILES]
