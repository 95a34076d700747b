"""The life cycle and the one user of a device, kept by the database too.

A transition outside the table of `training.domain.lifecycle` is refused whoever asks.
"""

from django.db import migrations

from lora_pipeline.postgres.row_security import child_policies

FORWARD = """
CREATE FUNCTION training_jobs_check_transition() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT (OLD.status, NEW.status) IN (
        ('queued', 'initializing'), ('queued', 'paused'),
        ('queued', 'failed'), ('queued', 'cancelled'),
        ('initializing', 'running'), ('initializing', 'paused'),
        ('initializing', 'queued'), ('initializing', 'failed'),
        ('initializing', 'cancelled'),
        ('running', 'paused'), ('running', 'queued'), ('running', 'completed'),
        ('running', 'failed'), ('running', 'cancelled'),
        ('paused', 'running'), ('paused', 'queued'),
        ('paused', 'failed'), ('paused', 'cancelled')
    ) THEN
        RAISE EXCEPTION 'a job that is % cannot become %', OLD.status, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'job_transition_allowed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER job_transition_allowed BEFORE UPDATE OF status ON training_jobs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status)
    EXECUTE FUNCTION training_jobs_check_transition();
"""
BACKWARD = """
DROP TRIGGER job_transition_allowed ON training_jobs;
DROP FUNCTION training_jobs_check_transition();
"""


class Migration(migrations.Migration):
    dependencies = [("training", "0005_execution")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RunSQL(
            *child_policies("device_claims", "attempt_id", "run_attempts")
        ),
    ]
