"""OpenAPI texts for datasets that serializers do not supply."""

from datasets import downloads
from datasets.services import NOT_SETTLED
from lora_pipeline.api.error_docs import BY_FIELD, NOTHING, Fault

NO_FILE = Fault.of(downloads.NO_FILE)
NOT_READY = Fault(
    when="The dataset is still being validated, or has errors.",
    error="Tokens cannot be counted: the dataset's status is validating.",
    code="dataset_not_ready",
)
NOT_CHANGEABLE = Fault.of(
    NOT_SETTLED, when="A job uses the dataset, or it is still being validated."
)
OFFSET = {
    "type": "object",
    "required": ["offset"],
    "properties": {"offset": {"type": "integer", "minimum": 0}},
}
BAD_PIECE = Fault(
    when="The header does not match the body or the file, or the connection dropped.",
    error="The connection dropped 524,288 bytes early. Resume from the offset.",
    code="incomplete",
    component="PieceError",
    details={"offset": 524288},
    shape={"anyOf": [OFFSET, BY_FIELD]},
)
WRONG_OFFSET = Fault(
    when="The chunk starts at the wrong offset, another is in progress, or all are in.",
    error="Received a chunk starting at 2,000,000; the next must start at 1,000,000.",
    code="wrong_offset",
    component="OffsetError",
    details={"offset": 1_000_000},
    shape={"anyOf": [NOTHING, OFFSET]},
)
DISK_FULL = Fault(
    when="The console's disk is full; what came before this chunk is kept.",
    error="The console's disk is full, so this chunk was not kept. Everything before "
    "it is: resume from the offset once an operator has made room.",
    code="disk_full",
    component="PieceNotKeptError",
    details={"offset": 1_000_000},
    shape={"anyOf": [NOTHING, OFFSET]},
)
