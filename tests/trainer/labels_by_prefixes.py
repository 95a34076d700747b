"""The definition of labels, by rendering every beginning of a conversation.

Quadratic in turns, so the product finds the same by one rendering; the tests compare.
"""

from training.trainer.labels import IGNORED, Labelled


def label_by_prefixes(messages, template, tools=None):
    """Ids and labels of one conversation, as `label_conversation` must give them."""
    text = template.render(messages, tools, False)
    spans, stable = learned_spans(messages, template, text, tools)
    ids, offsets = template.encode(text)
    labels = [IGNORED] * len(ids)
    last_in = {}
    for position, (start, end) in enumerate(offsets):
        span = next((s for s in spans if s[0] <= start < s[1]), None)
        if end > start and span is not None:
            labels[position] = ids[position]
            last_in[span] = position
    ended = (p for s, p in last_in.items() if text[: s[1]].endswith(template.ends))
    return Labelled(
        input_ids=ids,
        labels=labels,
        ends=tuple(ended) if template.ends else (),
        cut=0,
        prefix_stable=stable,
    )


def learned_spans(messages, template, text, tools=None):
    """The characters of the rendered text that are learned, and prefix stability.

    Stable is a template that renders the messages up to each learned answer as a prefix
    of the whole. Where it is not, only the last message is learned, if it is an answer.
    """
    spans = []
    for number, message in enumerate(messages):
        if not is_learned(message):
            continue
        upto = messages[: number + 1]
        whole = number + 1 == len(messages)
        rendered = text if whole else template.render(upto, tools, False)
        start = _start(upto, template, rendered, tools)
        if not text.startswith(rendered) or start is None:
            return _last_answer(messages, template, text, tools), False
        spans.append((start, _end(rendered, template.ends)))
    return spans, True


def is_learned(message):
    """An assistant's message, unless its weight is 0."""
    return bool(message["role"] == "assistant" and message.get("weight", 1) != 0)


def _start(messages, template, text, tools):
    """Where the last message begins behind its header; None when it cannot be told.

    The header is what the template adds to prompt an answer. A conversation that begins
    with an answer has no such prompt: there the answer's own words are looked for.
    """
    if len(messages) == 1:
        return max(text.find(_words(messages[0])), 0)
    header = template.render(messages[:-1], tools, True)
    if text.startswith(header):
        return len(header)
    before = template.render(messages[:-1], tools, False)
    if not text.startswith(before):
        return None
    pairs = enumerate(zip(header, text, strict=False))
    return next((n for n, (a, b) in pairs if a != b), len(text))


def _end(text, ends):
    """An answer's end: with its closing token, without white space behind that."""
    trimmed = text.rstrip()
    return len(trimmed) if ends and trimmed.endswith(ends) else len(text)


def _last_answer(messages, template, text, tools):
    """The last message alone, when it is an answer that can be told from the rest."""
    if not is_learned(messages[-1]) or len(messages) < 2:
        return []
    end = _end(text, template.ends)
    header = template.render(messages[:-1], tools, True)
    if text.startswith(header):
        return [(len(header), end)]
    start = text.rfind(_words(messages[-1]))
    return [(start, end)] if start > 0 else []


def _words(message):
    return str(message.get("content") or "").strip()
