"""Row formats: what each key means, and how rows become examples.

`declared` says which key plays which part in which format; detection, reading, the
accounting of keys, the page of formats and the documentation all follow from it.
"""
