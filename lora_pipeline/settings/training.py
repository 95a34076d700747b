"""Base models, the trainer and run supervision."""

import os
from pathlib import Path

from lora_pipeline import env
from lora_pipeline.settings.folders import BASE_DIR

DEFAULT_BASE_MODEL = env.text(
    "DEFAULT_BASE_MODEL", "HuggingFaceTB/SmolLM2-135M-Instruct"
)
TRAINER_PROGRAM = BASE_DIR / "training" / "trainer"
TRAINER_PYTHON = Path(
    env.text("TRAINER_PYTHON", str(BASE_DIR / ".venv-trainer" / "bin" / "python"))
)
TRAINER_USER = env.text("TRAINER_USER")
REMOTE_CODE_MODELS = env.words("REMOTE_CODE_MODELS")
HF_TOKEN = env.text("HF_TOKEN")
TRAINER_THREADS = env.integer("TRAINER_THREADS", os.cpu_count() or 1, minimum=1)
CPU_SLOTS = env.integer("CPU_SLOTS", 1, minimum=1)
RECONCILE_SECONDS = env.number("RECONCILE_SECONDS", 5.0, minimum=0.05)
RUN_STALLED_SECONDS = env.number("RUN_STALLED_SECONDS", 600.0, minimum=1.0)
RUN_IDLE_SECONDS = env.number("RUN_IDLE_SECONDS", 7200.0, minimum=1.0)
RUN_RETRY_SECONDS = env.number("RUN_RETRY_SECONDS", 10.0)
RUN_MAX_ATTEMPTS = env.integer("RUN_MAX_ATTEMPTS", 3, minimum=1)
CHECKPOINT_EVERY_STEPS = env.integer("CHECKPOINT_EVERY_STEPS", 0)
ASK_SECONDS = env.number("ASK_SECONDS", 300.0, minimum=1.0)
EXPORT_SECONDS = env.number("EXPORT_SECONDS", 3600.0, minimum=1.0)
