"""Fills the tables that hang off jobs, so that each has a million rows too.

Run by `manage.py shell`. The jobs are there already (`make_jobs`); every one of them
gets an attempt, a cost record, a notice with its delivery, an event, a metric point, an
adapter and a calibration record. One in fifty attempts failed. Cost records are spread
over 1 000 days.
"""

FILL = """
from django.db import connection
statements = [
    '''INSERT INTO run_attempts (id, job_id, number, backend, token_hash, last_sequence,
        outcome, failure_kind, error_message, error_stack, log_tail, resumed_from_step,
        process_count, devices, running_seconds, charged, facts, created_at, ended_at)
        SELECT gen_random_uuid(), id, 1, 'local', id::text, 9,
        'completed', CASE WHEN hashtext(id::text) % 50 = 0 THEN 'lost' ELSE '' END, '',
        '', '', 0, 1, '[]', 2100, true, '{}', created_at, created_at
        FROM training_jobs''',
    '''INSERT INTO cost_records (job_id, running_seconds, compute_usd, storage_usd,
        total_usd, created_at) SELECT id, 2100, 4, 0.5, 4.5,
        now() - random() * interval '1000 days' FROM training_jobs''',
    '''INSERT INTO notifications (id, user_id, type, title, message, priority, read,
        action_url, metadata, created_at) SELECT gen_random_uuid(), user_id,
        'job_queued', 'Training Job Queued', name, 'low', true, '', '{}', created_at
        FROM training_jobs''',
    '''INSERT INTO job_events (job_id, at, kind, level, from_status, to_status, by,
        message) SELECT id, created_at, 'status', 'info', '', 'queued', 'made', 'queued'
        FROM training_jobs''',
    '''INSERT INTO metric_points (job_id, attempt_id, step, epoch, loss, at)
        SELECT job_id, id, 1, 0.1, 2.5, created_at FROM run_attempts''',
    '''INSERT INTO adapters (id, user_id, job_id, name, version, lineage, storage_path,
        size_bytes, archive_sha256, adapter_sha256, created_at) SELECT
        gen_random_uuid(), user_id, id, name, 1, '{}', 'adapters/none', 10, 'a', 'b',
        created_at FROM training_jobs''',
    '''INSERT INTO calibration_records (job_id, kind, outcome, gpu_type, method,
        base_model, setup, measured, predicted, created_at) SELECT id, 'run',
        'completed', 'A100-80GB', 'lora', base_model_id, '{}', '{}', '{}', created_at
        FROM training_jobs''',
    '''INSERT INTO notification_deliveries (id, notification_id, channel, target,
        status, attempts, error, created_at) SELECT gen_random_uuid(), id, 'email',
        'a@example.com', 'delivered', 1, '', created_at FROM notifications''',
]
for statement in [*statements, 'VACUUM ANALYZE']:
    with connection.cursor() as cursor:
        cursor.execute(statement)
"""
