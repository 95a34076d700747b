"""Run by the trainer's Python: the batches that its SFTTrainer would be fed, as JSON.

Everything is the trainer's own, from the rows to the data loader; nothing is trained.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "training" / "trainer"))

import train
from data import Sequences, read_sequences, template_of
from measures import Measures
from spec import Hyperparameters, Plan, Spec


class Silent:
    def __init__(self):
        self.measures = Measures()

    def log(self, *words, **options):
        pass

    emit = log


def main(folder: str, rows: Path, lengths: list[int]) -> dict:
    spec = spec_of(folder, rows.parent, 1024)
    tokenizer = train.load_tokenizer(spec, folder)
    marks = "{% generation" in tokenizer.chat_template
    return {
        "fed": {
            n: fed(tokenizer, spec_of(folder, rows.parent, n), rows) for n in lengths
        },
        "masks": generated(tokenizer, rows) if marks else [],
    }


def spec_of(folder: str, run_dir: Path, max_length: int) -> Spec:
    return Spec(
        run_id="run", job_id="job", attempt=1, dataset={}, run_dir=run_dir,
        base_model={"id": "tests/tiny", "path": folder, "revision": None},
        checkpoint_every_steps=10, resume_step=0, resume_name="",
        plan=Plan(), process_count=1,
        hyperparameters=Hyperparameters(
            learning_rate=1e-4, batch_size=2, epochs=1, rank=4, alpha=8, dropout=0.0,
            max_length=max_length, seed=1, warmup_ratio=0.0, scheduler="linear",
        ),
    )  # fmt: skip


def fed(tokenizer, spec: Spec, rows: Path) -> dict:
    """Ids and labels of every sequence of every batch, without the padding."""
    found = read_sequences(
        rows, template_of(tokenizer), spec.hyperparameters.max_length
    )
    splits = {"train": found, "validation": Sequences()}
    model = train.load_model(spec, spec.base_model["path"])
    trainer = train.make_trainer(spec, model, tokenizer, splits, Silent())
    pairs = []
    for batch in trainer.get_train_dataloader():
        for position, kept in enumerate(batch["attention_mask"].tolist()):
            ids = batch["input_ids"][position].tolist()[: sum(kept)]
            pairs.append([ids, batch["labels"][position].tolist()[: sum(kept)]])
    return {"pairs": pairs, "left_out": found.without_labels + found.refused}


def generated(tokenizer, rows: Path) -> list:
    """What transformers says is the assistant's, by {% generation %}."""
    masks = []
    for line in rows.read_text().splitlines():
        row = json.loads(line)
        answer = tokenizer.apply_chat_template(
            [{k: v for k, v in m.items() if k != "weight"} for m in row["messages"]],
            tools=row.get("tools"), tokenize=True, return_dict=True,
            return_assistant_tokens_mask=True,
        )  # fmt: skip
        masks.append(answer["assistant_masks"])
    return masks


if __name__ == "__main__":
    rows, lengths, *folders = sys.argv[1:]
    sizes = [int(length) for length in lengths.split(",")]
    done = {Path(folder).name: main(folder, Path(rows), sizes) for folder in folders}
    print("BATCHES" + json.dumps(done))
