"""Operations: metrics, retention, and the apps' contributions to both."""

from lora_pipeline import env

METRICS_TOKEN = env.text("METRICS_TOKEN")
RETENTION_DELETED_DATASET_DAYS = env.number("RETENTION_DELETED_DATASET_DAYS", 30)
RETENTION_UPLOAD_DAYS = env.number("RETENTION_UPLOAD_DAYS", 1)
RETENTION_RUN_DAYS = env.number("RETENTION_RUN_DAYS", 30)
RETENTION_IDEMPOTENCY_DAYS = env.number("RETENTION_IDEMPOTENCY_DAYS", 1, minimum=1)
RETENTION_NOTICE_DAYS = env.number("RETENTION_NOTICE_DAYS", 365)
RETENTION_DELIVERY_DAYS = env.number("RETENTION_DELIVERY_DAYS", 90)
RETENTION_SESSION_DAYS = env.number("RETENTION_SESSION_DAYS", 1)

# What the apps contribute to the console's operation, as dotted paths. A retention rule
# is a setting in days and the function that removes anything older.
HEALTH_CHECKS = {"reconciler": "training.runs.heartbeat.check"}
METRIC_SOURCES = ["training.operators.figures.gather"]
DOCTOR_CHECKS = ["training.operators.doctor.CHECKS"]
BACKUP_FILES = {
    "storage": ["datasets.stored_files.paths", "training.adapters.stored_files.paths"],
    "runs": ["training.runs.stored_files.paths"],
}
BACKUP_BUSY = ["training.runs.stored_files.busy"]
RETENTION_RULES = {
    "RETENTION_DELETED_DATASET_DAYS": "datasets.retention.remove_deleted_files",
    "RETENTION_UPLOAD_DAYS": "datasets.uploads.remove_stale_before",
    "RETENTION_RUN_DAYS": "training.runs.retention.remove_run_folders",
    "RETENTION_IDEMPOTENCY_DAYS": "training.jobs.idempotency.remove_keys",
    "RETENTION_NOTICE_DAYS": "notifications.retention.remove_notices",
    "RETENTION_DELIVERY_DAYS": "notifications.retention.remove_deliveries",
    "RETENTION_SESSION_DAYS": "lora_pipeline.operations.retention.remove_sessions",
}
