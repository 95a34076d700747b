"""The folders that the console writes to; importing this creates none of them."""

from pathlib import Path

from lora_pipeline import env

BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = env.path("LORA_PIPELINE_VAR", BASE_DIR / "var")
STORAGE_DIR = VAR_DIR / "storage"
UPLOAD_DIR = VAR_DIR / "uploads"
RUNS_DIR = VAR_DIR / "runs"
MODELS_DIR = env.path("LORA_PIPELINE_MODELS", VAR_DIR / "models")
METRICS_DIR = VAR_DIR / "metrics"
BASE_URL_FILE = VAR_DIR / "base_url"
