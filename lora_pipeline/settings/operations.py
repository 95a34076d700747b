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
RETENTION_TASK_DAYS = env.number("RETENTION_TASK_DAYS", 30)
RETENTION_SIGN_IN_DAYS = env.number("RETENTION_SIGN_IN_DAYS", 90)

# What the apps contribute to the console's operation, as dotted paths. A retention rule
# is a setting in days and the function that removes anything older.
HEALTH_CHECKS = {"reconciler": "training.runs.heartbeat.check"}
METRIC_SOURCES = ["training.operators.metrics.gather"]
DOCTOR_CHECKS = [
    "training.operators.doctor.CHECKS",
    "training.operators.overdue.CHECKS",
    "training.runs.missing_folders.CHECKS",
    "training.operators.people.CHECKS",
]
# By task: what becomes of its subject when the task cannot be done.
GIVE_UP = {
    "validate_dataset": "datasets.checking.check.give_up_waiting",
    "export_merged": "training.adapters.work.give_up_export",
    "answer_question": "training.adapters.work.give_up_question",
    "deliver_notice": "notifications.sending.attempt.give_up",
}
OVERDUE_SECONDS = env.number("OVERDUE_SECONDS", 3600.0, minimum=1.0)
BACKUP_FILES = {
    "storage": ["datasets.stored_files.paths", "training.adapters.stored_files.paths"],
    "runs": ["training.runs.stored_files.paths"],
}
BACKUP_BUSY = ["training.runs.stored_files.busy"]
# Per user, unless an operator sets another number in the admin.
QUOTA_STORAGE_BYTES = env.integer("QUOTA_STORAGE_BYTES", 200 * 1024**3)
QUOTA_QUEUED_JOBS = env.integer("QUOTA_QUEUED_JOBS", 100)
QUOTA_API_KEYS = env.integer("QUOTA_API_KEYS", 50)
QUOTA_WEBHOOKS = env.integer("QUOTA_WEBHOOKS", 10)
QUOTA_SOURCES = {
    "storage_bytes": [
        "datasets.stored_files.bytes_of",
        "training.adapters.stored_files.bytes_of",
        "training.runs.stored_files.bytes_of",
    ],
    "queued_jobs": ["training.jobs.services.queued_jobs"],
    "api_keys": ["lora_pipeline.accounts.quotas.usable_keys"],
    "webhooks": ["notifications.webhooks.webhooks_of"],
}
RETENTION_RULES = {
    "RETENTION_DELETED_DATASET_DAYS": "datasets.retention.remove_deleted_files",
    "RETENTION_UPLOAD_DAYS": "datasets.uploads.remove_stale_before",
    "RETENTION_RUN_DAYS": "training.runs.retention.remove_run_folders",
    "RETENTION_IDEMPOTENCY_DAYS": "training.jobs.idempotency.remove_keys",
    "RETENTION_NOTICE_DAYS": "notifications.retention.remove_notices",
    "RETENTION_DELIVERY_DAYS": "notifications.retention.remove_deliveries",
    "RETENTION_SESSION_DAYS": "lora_pipeline.operations.retention.remove_sessions",
    "RETENTION_TASK_DAYS": "lora_pipeline.operations.growth.remove_tasks",
    "RETENTION_SIGN_IN_DAYS": "lora_pipeline.operations.growth.remove_sign_ins",
}
