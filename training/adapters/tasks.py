"""What the worker does for adapters: merging, and asking."""

from procrastinate.contrib.django import app

from training.adapters.work import answer, merge

ONE_AT_A_TIME = "one-shot trainer"


@app.task(name="export_merged", lock=ONE_AT_A_TIME)
def export_merged(export_id: str) -> None:
    """Merge an adapter into its base model; running it twice does no harm."""
    merge(export_id)


@app.task(name="answer_question", lock=ONE_AT_A_TIME, priority=10)
def answer_question(question_id: str) -> None:
    """Ask the base model and the adapter; running it twice does no harm."""
    answer(question_id)
