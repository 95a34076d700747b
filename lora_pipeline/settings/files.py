"""Files: static files, uploads, the storage, size limits."""

from typing import Any

from lora_pipeline import env
from lora_pipeline.settings.folders import BASE_DIR, STORAGE_DIR, UPLOAD_DIR, VAR_DIR
from lora_pipeline.settings.place import SUB_PATH

STATIC_URL = f"{SUB_PATH}/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
S3_BUCKET = env.text("S3_BUCKET")
S3_ENDPOINT = env.text("S3_ENDPOINT_URL")


def _storage() -> dict[str, Any]:
    """A folder, or the bucket S3_BUCKET; boto3 finds the credentials itself."""
    if not S3_BUCKET:
        folder = {"location": STORAGE_DIR}
        backend = "lora_pipeline.files.storage.FolderStorage"
        return {"BACKEND": backend, "OPTIONS": folder}
    style = env.choice(
        "S3_ADDRESSING_STYLE",
        ["path", "virtual", "auto"],
        "path" if S3_ENDPOINT else "auto",
    )
    options = {
        "bucket_name": S3_BUCKET,
        "endpoint_url": S3_ENDPOINT or None,
        "region_name": env.text("S3_REGION") or None,
        "location": env.text("S3_PREFIX"),
        "addressing_style": style,
        "signature_version": "s3v4",
        "file_overwrite": False,
    }
    return {"BACKEND": "lora_pipeline.files.s3.Bucket", "OPTIONS": options}


STORAGES = {
    "default": _storage(),
    "staticfiles": {  # nginx reads them
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "OPTIONS": {
            "file_permissions_mode": 0o644,
            "directory_permissions_mode": 0o755,
        },
    },
}
FILE_UPLOAD_HANDLERS = ["lora_pipeline.files.upload_handler.UploadHandler"]
FILE_UPLOAD_TEMP_DIR = UPLOAD_DIR
FILE_UPLOAD_PERMISSIONS, FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o600, 0o700
# The folder is created with the first database connection, not before a check.
SILENCED_SYSTEM_CHECKS = ["files.E001"]
MAX_UPLOAD_BYTES = env.integer("MAX_UPLOAD_BYTES", 5 * 1024**3, minimum=1)
MAX_UNPACKED_BYTES = env.integer("MAX_UNPACKED_BYTES", 20 * 1024**3, minimum=1)
MAX_BODY_BYTES = env.integer("MAX_BODY_BYTES", 2 * 1024**2, minimum=1)
MAX_ADAPTER_BYTES = env.integer("MAX_ADAPTER_BYTES", 20 * 1024**3, minimum=1)
LARGE_BODIES_PER_USER = env.integer("LARGE_BODIES_PER_USER", 4, minimum=1)
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_BODY_BYTES
