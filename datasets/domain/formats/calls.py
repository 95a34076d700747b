"""Tool calls and tool definitions in one form: that of OpenAI, arguments an object."""

from typing import Any

import msgspec

from datasets.domain.faults import Fault, shown
from datasets.domain.formats.fields import Found

CALL_KEYS = {"id", "type", "function"}
FLAT_KEYS = {"id", "type", "name", "arguments", "args", "input", "parameters"}
FUNCTION_KEYS = {"name", "arguments"}


def decoded(value: Any) -> Any:
    """JSON text as its value; anything else as it is."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{"):
        return value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return value


def without_nulls(value: Any) -> Any:
    """An object without the nulls that merged structs of Parquet put into it."""
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def read_calls(value: Any, where: str, found: Found) -> list[dict[str, Any]]:
    """A message's calls: a list, one call, or either as JSON text; empty means none."""
    calls = decoded(value)
    if calls is None or calls == [] or calls == "" or calls == {}:
        return []
    if isinstance(calls, dict):
        calls = [calls]
    if not isinstance(calls, list):
        found.fault("wrong_tool_call", where, shown(value))
        return []
    read = [read_call(decoded(call), where, found) for call in calls if call]
    return [call for call in read if call is not None]


def read_call(call: Any, where: str, found: Found) -> dict[str, Any] | None:
    """One call in any of its forms; None with a fault when it is none."""
    inner = decoded(call.get("function")) if isinstance(call, dict) else None
    if isinstance(inner, dict):
        found.unused(where, call, CALL_KEYS)
        found.unused(f"{where}.function", inner, FUNCTION_KEYS)
        name, arguments = inner.get("name"), inner.get("arguments")
    elif isinstance(call, dict):
        found.unused(where, call, FLAT_KEYS)
        name = call.get("name")
        arguments = _first(call, "arguments", "args", "input", "parameters")
    else:
        name = arguments = None
    if not isinstance(name, str) or not name:
        found.fault("wrong_tool_call", where, shown(call))
        return None
    return call_of(name, arguments, where, found, identity=call.get("id"))


def call_of(
    name: str, arguments: Any, where: str, found: Found, *, identity: Any = None
) -> dict[str, Any] | None:
    """A call in the one form. Arguments are an object, its JSON text, or none."""
    given = arguments
    if isinstance(arguments, str):
        arguments = decoded(arguments) if arguments.strip() else {}
        if arguments == "null":
            arguments = {}
    else:
        arguments = without_nulls(arguments)
    if arguments is None:
        arguments = {}
    if not isinstance(arguments, dict):
        words = f"arguments of {name!r} are {shown(given)}"
        found.fault("wrong_tool_call", where, words)
        return None
    call: dict[str, Any] = {
        "type": "function",
        "function": {"name": name, "arguments": arguments},
    }
    return {"id": identity, **call} if isinstance(identity, str) and identity else call


def _first(call: dict[str, Any], *names: str) -> Any:
    return next((call[name] for name in names if call.get(name) is not None), None)


def read_tools(key: str, value: Any, line: int) -> tuple[list[Any], list[Fault]]:
    """Tool definitions from a list, its JSON text, or a holder of one."""
    tools = decoded(value)
    if isinstance(tools, dict):
        tools = tools.get("tools", tools.get("functionDeclarations", [tools]))
    if not isinstance(tools, list):
        fault = Fault(kind="wrong_tools", line=line, field=key, found=shown(value))
        return [], [fault]
    read = [definition for tool in tools for definition in _definitions(decoded(tool))]
    wrong = [tool for tool in read if not _is_definition(tool)]
    if wrong:
        found = shown(wrong[0])
        return [], [Fault(kind="wrong_tools", line=line, field=key, found=found)]
    return read, []


def _is_definition(tool: Any) -> bool:
    function = tool.get("function") if isinstance(tool, dict) else None
    return isinstance(function, dict) and isinstance(function.get("name"), str)


def _definitions(tool: Any) -> list[Any]:
    """A definition as OpenAI writes it; Gemini's hold several."""
    if not isinstance(tool, dict):
        return [tool] if tool else []
    for name in ("functionDeclarations", "function_declarations"):
        if isinstance(tool.get(name), list):
            return [found for one in tool[name] for found in _definitions(one)]
    if isinstance(tool.get("toolSpec"), dict):
        tool = tool["toolSpec"]
    tool = without_nulls(tool)
    if isinstance(tool.get("function"), dict):
        return [{"type": "function", **tool}]
    if not isinstance(tool.get("name"), str):
        return [tool]
    function = {k: v for k, v in tool.items() if k != "type"}
    for name in ("input_schema", "inputSchema"):
        if name in function:
            schema = function.pop(name)
            if isinstance(schema, dict) and isinstance(schema.get("json"), dict):
                schema = schema["json"]
            function["parameters"] = schema
    return [{"type": "function", "function": function}]
