"""The definition of labels, by rendering every beginning of a conversation.

Quadratic in turns, so the product finds the same by one rendering; the tests compare.
"""

from training.trainer.labels import IGNORED, Labelled


def label_by_prefixes(messages, template, tools=None):
    """Ids and labels of one conversation, as `label_conversation` must give them."""
    if len(messages) == 1 and is_learned(messages[0]) and not tools:
        content = messages[0]["content"]
        text = template.opens + content + template.closes
        stable = True
        spans = [(len(template.opens), len(text))] if content.strip() else []
    else:
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
        rendered = _unclosed(rendered, text, template)
        if rendered is None:
            return _last_answer(messages, template, text, tools), False
        start = _start(upto, template, text, rendered, tools)
        if start is None:
            return _last_answer(messages, template, text, tools), False
        end = _end(rendered, template.ends)
        if whole:
            end = _last_end(messages, template, text, start)
        spans.append((start, end))
    return [s for s in spans if not _is_silent(text[slice(*s)], template)], True


def _unclosed(rendered, text, template):
    """A rendering up to where it is a prefix of the whole; None where it is none.

    A token that closes any conversation is not part of it.
    """
    if text.startswith(rendered):
        return rendered
    solid = text.rstrip()
    for end in template.ends:
        closing = text[len(solid) - len(end) :] if solid.endswith(end) else ""
        if closing and rendered.endswith(closing):
            before = rendered[: -len(closing)]
            turn = before.rstrip().endswith(template.ends)
            if turn and text.startswith(before):
                return before
    return None


def _last_end(messages, template, text, start):
    """The end of the last turn: before the token that closes the conversation, if the
    turn has one of its own."""
    end = _end(text, template.ends)
    last = next((e for e in template.ends if text[:end].endswith(e)), "")
    before = len(text[: end - len(last)].rstrip()) if last else 0
    if before <= start or not text[:before].endswith(template.ends):
        return end
    for count in range(1, len(messages)):
        try:
            one = template.render(messages[:count], None, False)
        except ValueError:
            continue
        closes = not text.startswith(one) and one.endswith(text[end - len(last) :])
        if closes and _unclosed(one, text, template) is not None:
            return before
    return end


def _is_silent(part, template):
    """Nothing but closing tokens and white space."""
    part = part.strip()
    while end := next((e for e in template.ends if part.endswith(e)), ""):
        part = part[: -len(end)].rstrip()
    return not part


def is_learned(message):
    """An assistant's message, unless its weight is 0."""
    return bool(message["role"] == "assistant" and message.get("weight", 1) != 0)


def _start(messages, template, whole, text, tools):
    """Where the last message begins behind its header; None when it cannot be told.

    The header is what the template adds to prompt an answer. A conversation that begins
    with an answer has no such prompt: there the header of a later one is looked for,
    else the answer's own words.
    """
    if len(messages) == 1:
        return _opening(messages, template, whole, text, tools)
    header = template.render(messages[:-1], tools, True)
    if text.startswith(header):
        return len(header)
    before = _unclosed(template.render(messages[:-1], tools, False), whole, template)
    if before is None or not text.startswith(before):
        return None
    pairs = enumerate(zip(header, text, strict=False))
    return next((n for n, (a, b) in pairs if a != b), len(text))


def _opening(messages, template, whole, text, tools):
    words, header = _words(messages[0]), ""
    try:
        one = template.render(messages, tools, False)
        prompted = template.render(messages, tools, True)
        header = prompted[len(one) :] if prompted.startswith(one) else ""
    except ValueError:
        pass
    at = text.find(header) if header else -1
    if at >= 0 and words in text[at + len(header) :]:
        return at + len(header)
    return max(text.rfind(words), 0) if words else 0


def _end(text, ends):
    """An answer's end: with its closing token, without white space behind that."""
    trimmed = text.rstrip()
    return len(trimmed) if ends and trimmed.endswith(ends) else len(text)


def _last_answer(messages, template, text, tools):
    """The last message alone, when it is an answer that can be told from the rest."""
    if not is_learned(messages[-1]) or len(messages) < 2:
        return []
    header = template.render(messages[:-1], tools, True)
    known = text.startswith(header)
    start = len(header) if known else text.rfind(_words(messages[-1]))
    end = _last_end(messages, template, text, start)
    span = (start, end)
    found = (known or start > 0) and not _is_silent(text[slice(*span)], template)
    return [span] if found else []


def _words(message):
    return str(message.get("content") or "").strip()
