"""What the OpenAPI description says of datasets beyond their serializers."""

from lora_pipeline.api.error_docs import BY_FIELD, NOTHING, Fault

NO_FILE = Fault(
    when="The file has not arrived yet.",
    error="The file has not arrived yet; finish its upload first.",
    code="no_file",
)
NOT_READY = Fault(
    when="The dataset has not been checked, or has errors.",
    error="The dataset cannot be measured: its status is validating.",
    code="dataset_not_ready",
)
NOT_CHANGEABLE = Fault(
    when="A job uses the dataset, or it is still being checked.",
    error="The dataset is still being checked; wait until it is ready or in error.",
    code="dataset_not_settled",
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
