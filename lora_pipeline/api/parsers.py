"""A JSON parser that turns every malformed body into a 400."""

import json
from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.utils import json as strict_json


class JsonParser(JSONParser):
    """Always reads UTF-8, whatever the charset says; rejects deep nesting."""

    def parse(
        self, stream: Any, media_type: Any = None, parser_context: Any = None
    ) -> Any:
        try:
            return json.loads(stream.read(), parse_constant=strict_json.strict_constant)
        except RecursionError:
            raise ParseError("The JSON body is nested too deeply.") from None
        except ValueError as error:
            raise ParseError(f"JSON parse error - {error}") from None
