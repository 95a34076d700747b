"""Worker tasks for adapters: merging and answering."""

from procrastinate.contrib.django import app

from training.adapters.work import answer, merge

ONE_AT_A_TIME = "one-shot trainer"


@app.task(name="export_merged", lock=ONE_AT_A_TIME)
def export_merged(export_id: str) -> None:
    """Merge an adapter into its base model; safe to run twice."""
    merge(export_id)


@app.task(name="answer_question", lock=ONE_AT_A_TIME, priority=10)
def answer_question(question_id: str) -> None:
    """Answer a question with base model and adapter; safe to run twice."""
    answer(question_id)
