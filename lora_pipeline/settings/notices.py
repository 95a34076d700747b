"""Notifications: e-mail and webhooks."""

from lora_pipeline import env

EMAIL_HOST = env.text("EMAIL_HOST")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, minimum=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS", not EMAIL_USE_SSL)
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 20.0, minimum=1.0)
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "lora-pipeline@localhost")
EMAIL_BACKEND = "notifications.sending.mail.Backend"
WEBHOOK_ALLOW_PRIVATE = env.flag("WEBHOOK_ALLOW_PRIVATE")
WEBHOOK_SECONDS = env.number("WEBHOOK_SECONDS", 10.0, minimum=0.1)
NOTICE_MAX_ATTEMPTS = env.integer("NOTICE_MAX_ATTEMPTS", 6, minimum=1)
TEST_MAILS_PER_HOUR = env.integer("TEST_MAILS_PER_HOUR", 5, minimum=1)
# Tasks of these queues have worker slots of their own, apart from those of all others.
QUEUE_SLOTS = {"deliveries": env.integer("DELIVERY_SLOTS", 8, minimum=1)}
NOTICE_RETRY_SECONDS = env.number("NOTICE_RETRY_SECONDS", 10.0)
