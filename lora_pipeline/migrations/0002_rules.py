"""What the two working roles may do: tables by grants, rows by policies.

Users themselves have no policy: signing in looks a name up before anybody is known.
"""

from django.db import migrations

from lora_pipeline.postgres.row_security import owner_policies, signing_in_policies

GRANTS = """
GRANT USAGE ON SCHEMA public TO lp_web, lp_operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO lp_web;
GRANT ALL ON ALL TABLES IN SCHEMA public TO lp_operator;
GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO lp_web, lp_operator;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO lp_web;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT ALL ON TABLES TO lp_operator;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO lp_web, lp_operator;
"""
OWNED = [
    "lora_pipeline_user_groups",
    "lora_pipeline_user_user_permissions",
    "django_admin_log",
]


class Migration(migrations.Migration):
    dependencies = [
        ("lora_pipeline", "0001_initial"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]
    operations = [
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
        *(migrations.RunSQL(*owner_policies(table)) for table in OWNED),
        migrations.RunSQL(*signing_in_policies("api_keys")),
        migrations.RunSQL(*signing_in_policies("browser_sessions")),
    ]
