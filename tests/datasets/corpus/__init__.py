"""Small files, valid in every format and broken in every way, with their verdicts."""

from tests.datasets.corpus.broken_files import BROKEN_FILES
from tests.datasets.corpus.broken_rows import BROKEN_ROWS
from tests.datasets.corpus.cases import Case
from tests.datasets.corpus.harmless import HARMLESS
from tests.datasets.corpus.valid import VALID

CORPUS: list[Case] = [*VALID, *HARMLESS, *BROKEN_ROWS, *BROKEN_FILES]
