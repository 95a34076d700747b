"""What the OpenAPI description says of datasets beyond their serializers."""

from datasets import downloads
from datasets.services import NOT_SETTLED
from lora_pipeline.api.error_docs import BY_FIELD, FAULTS, NOTHING, Fault

NO_FILE = Fault.of(downloads.NO_FILE)
NOT_READY = Fault(
    when="The dataset has not been checked, or has errors.",
    error="The dataset cannot be measured: its status is validating.",
    code="dataset_not_ready",
)
NOT_CHANGEABLE = Fault.of(
    NOT_SETTLED, when="A job uses the dataset, or it is still being checked."
)
TOO_LARGE = Fault(
    when=FAULTS[413].when,
    error=FAULTS[413].error,
    code="too_large",
    component="TooLargeError",
    shape={"anyOf": [NOTHING, BY_FIELD]},
)
OFFSET = {
    "type": "object",
    "required": ["offset"],
    "properties": {"offset": {"type": "integer", "minimum": 0}},
}
BAD_PIECE = Fault(
    when="The header contradicts body or file, or the connection ended early.",
    error="The connection ended 524,288 bytes early; go on at the offset.",
    code="incomplete",
    component="PieceError",
    details={"offset": 524288},
    shape={"anyOf": [OFFSET, BY_FIELD]},
)
WRONG_OFFSET = Fault(
    when="The piece begins elsewhere, another is being received, or all have come.",
    error="Received a piece from 2,000,000 on; go on at 1,000,000.",
    code="wrong_offset",
    component="OffsetError",
    details={"offset": 1_000_000},
    shape={"anyOf": [NOTHING, OFFSET]},
)
