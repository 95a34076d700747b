"""Everything that can be wrong with a dataset file, in words."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of error or warning: its title and how to fix it."""

    title: str
    advice: str
    error: bool = True


KINDS: dict[str, Kind] = {
    # The whole file
    "empty_file": Kind(title="No examples", advice="Provide at least one example."),
    "unknown_format": Kind(
        title="Unknown format",
        advice="Convert the rows to one of the supported formats.",
    ),
    "chat_template": Kind(
        title="The default base model's chat template",
        advice="See what is learned under Training signal, where other base models can "
        "be asked too.",
        error=False,
    ),
    "archive": Kind(
        title="Archive",
        advice="Extract it and upload the file inside. Only gzip is supported.",
    ),
    "nested_gzip": Kind(
        title="Gzip inside gzip", advice="Compress the file only once."
    ),
    "broken_gzip": Kind(
        title="Corrupt gzip", advice="Compress the file again and upload it again."
    ),
    "unpacks_too_large": Kind(
        title="Too large when decompressed",
        advice="Upload a smaller file, or split it into several.",
    ),
    "broken_parquet": Kind(
        title="Corrupt Parquet", advice="Export the Parquet file again."
    ),
    "broken_csv": Kind(
        title="Invalid CSV",
        advice="Close every quote, and double quotes inside a field.",
    ),
    "foreign_file": Kind(
        title="Not a text file",
        advice="Export it as Parquet (to_parquet), JSON Lines or CSV, and upload that.",
    ),
    "known_unread": Kind(title="A known kind of file that is not read", advice=""),
    "repeated_header": Kind(
        title="The same header twice", advice="Rename or remove one of the columns."
    ),
    "unreadable_header": Kind(
        title="The header is not UTF-8",
        advice="Save the file as UTF-8. Excel often writes Windows-1252.",
    ),
    "utf16": Kind(title="UTF-16 text", advice="Save the file as UTF-8."),
    "byte_order_mark": Kind(
        title="Byte order mark",
        advice="Ignored. Save as UTF-8 without BOM to avoid this warning.",
        error=False,
    ),
    "blank_lines": Kind(
        title="More than a million blank lines", advice="Remove the blank lines."
    ),
    "too_many": Kind(
        title="Too many errors", advice="The rest of the file was not checked."
    ),
    # One row
    "not_utf8": Kind(
        title="Not UTF-8",
        advice="Save the file as UTF-8. Excel often writes Windows-1252.",
    ),
    "python_literal": Kind(
        title="Python, not JSON",
        advice="It was printed by Python (str() or pandas). Write it with json.dumps, "
        "or export with to_json or to_parquet.",
    ),
    "not_supported": Kind(
        title="Not supported",
        advice="Only text, reasoning and tool calls can be trained on. Remove it, or "
        "the row.",
    ),
    "wrong_tools": Kind(
        title="Invalid tools",
        advice="Provide a list of objects, each with function.name.",
    ),
    "wrong_label": Kind(
        title="Invalid label", advice="Use true for a good answer, false for a bad one."
    ),
    "no_pair": Kind(
        title="No pair of answers",
        advice="Provide a preferred and a rejected answer to the same question.",
    ),
    "no_conversation": Kind(
        title="No conversation id",
        advice="Rows of one message each need the id of their conversation.",
    ),
    "not_together": Kind(
        title="Rows of a conversation stand apart",
        advice="Sort the file by its conversation id, in the order of the messages.",
    ),
    "no_parent": Kind(
        title="Unknown parent_id", advice="Put the parent's row above its children."
    ),
    "cut_cells": Kind(
        title="Cells were cut by the viewer",
        advice="Download the dataset itself, as Parquet or JSON Lines.",
    ),
    "broken_json": Kind(title="Invalid JSON", advice="Write one JSON object per row."),
    "not_a_number": Kind(
        title="NaN or Infinity", advice="JSON has no such number. Use null instead."
    ),
    "lone_surrogate": Kind(
        title="Half a character (unpaired surrogate)",
        advice="Write characters above U+FFFF as UTF-8, or as a complete \\u pair.",
    ),
    "too_deep": Kind(
        title="Nested too deeply", advice="Flatten it: at most 100 levels are allowed."
    ),
    "row_too_long": Kind(
        title="Row too long", advice="Split the row into several shorter ones."
    ),
    "not_an_object": Kind(title="Not an object", advice="Make every row an object."),
    "mixed_formats": Kind(
        title="Mixed formats", advice="Use one format per file."
    ),
    "missing_field": Kind(title="Missing field", advice="Add this field to every row."),
    "no_messages": Kind(
        title="No messages", advice="Provide a list of messages with role and content."
    ),
    "wrong_role": Kind(
        title="Invalid role", advice="Use system, user, assistant or tool."
    ),
    "not_text": Kind(title="Content is not text", advice="Use a string."),
    "empty_content": Kind(
        title="Empty content", advice="Add text, or remove the message."
    ),
    "wrong_weight": Kind(title="Invalid weight", advice="Use 0 or 1."),
    "wrong_tool_call": Kind(
        title="Invalid tool call",
        advice="Provide a list of objects, each with function.name and .arguments.",
    ),
    "no_answer": Kind(
        title="No assistant turn",
        advice="Add at least one assistant message: there is nothing to train on.",
    ),
    "nothing_learned": Kind(
        title="Every weight is 0",
        advice="Set the weight of at least one assistant message to 1.",
    ),
    # One row, harmless
    "unused_key": Kind(
        title="Not used",
        advice="If it matters, say which column is what, or put it into the messages.",
        error=False,
    ),
    "left_out": Kind(
        title="Left out", advice="The row is not trained on.", error=False
    ),
    "unused_number": Kind(
        title="NaN or a number out of range",
        advice="It stands where nothing is trained on, and was ignored.",
        error=False,
    ),
    "unused_surrogate": Kind(
        title="Half a character (unpaired surrogate)",
        advice="It stands where nothing is trained on, and was ignored.",
        error=False,
    ),
    "call_as_text": Kind(
        title="A tool call that is no JSON",
        advice="It is trained on as text. Write {\"name\": …, \"arguments\": {…}}.",
        error=False,
    ),
    "context_as_text": Kind(
        title="Written into the question as text",
        advice="The model reads it below the question.",
        error=False,
    ),
    "written_chat": Kind(
        title="A chat written out as text",
        advice="It was read as turns, where it could be divided; look at the examples.",
        error=False,
    ),
    "empty_context": Kind(
        title="Empty answer of weight 0",
        advice="It is context only. Remove it if unintended.",
        error=False,
    ),
    "preference_data": Kind(
        title="Preference data",
        advice="Fine-tuning on it as it is would learn the rejected answers too: train "
        "on the chosen answers only, or by a preference method.",
        error=False,
    ),
    "rows_left_out": Kind(
        title="Taken without its bad rows",
        advice="As the owner asked. They are listed below.",
        error=False,
    ),
    "same_role_again": Kind(
        title="Consecutive turns of the same role",
        advice="Merge them: some chat templates reject this.",
        error=False,
    ),
    "no_final_answer": Kind(
        title="Last turn is not an answer",
        advice="Turns after the last answer are not trained on.",
        error=False,
    ),
    "system_not_first": Kind(
        title="System message not first",
        advice="Put it first: many chat templates reject it elsewhere.",
        error=False,
    ),
    "empty_system": Kind(
        title="Empty system message", advice="It was ignored.", error=False
    ),
    "nul_character": Kind(
        title="NUL character",
        advice="Remove it: it is probably unintended.",
        error=False,
    ),
    "no_target": Kind(
        title="No target response", advice="The row yields no example.", error=False
    ),
    "duplicate": Kind(
        title="Duplicate example",
        advice="Duplicates count twice in training. Remove one if unintended.",
        error=False,
    ),
    "on_both_sides": Kind(
        title="Also in the validation file",
        advice="It was removed from the train split.",
        error=False,
    ),
    "secret": Kind(
        title="Likely secret",
        advice="A model can repeat its training data: remove the secret.",
        error=False,
    ),
    "same_file": Kind(
        title="Uploaded before",
        advice="No action needed. You can delete one of the two.",
        error=False,
    ),
    # The model's side
    "template_refuses": Kind(
        title="Rejected by the chat template",
        advice="The example is left out when training this base model.",
        error=False,
    ),
    "our_fault": Kind(
        title="Validation failed on our side",
        advice="Upload the file again, or ask an operator.",
    ),
    "check_ended": Kind(
        title="Checking ended three times before its time",
        advice="It most likely needs more memory than there is: upload the file in "
        "several parts, with shorter rows, or ask an operator.",
    ),
}  # fmt: skip
