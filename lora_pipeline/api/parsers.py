"""JSON bodies, read so that no body can break the reading."""

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils import json as strict_json


class JsonParser(JSONParser):
    """JSON is UTF-8 whatever charset was claimed; what nests too deeply is refused."""

    def parse(
        self, stream: Any, media_type: Any = None, parser_context: Any = None
    ) -> Any:
        try:
            return json.loads(stream.read(), parse_constant=strict_json.strict_constant)
        except RecursionError:
            raise ParseError("The body is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None
