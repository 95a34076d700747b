"""What the two working roles may do: rows through policies, tables by these grants."""

from django.db import migrations

FORWARD = """
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


class Migration(migrations.Migration):
    dependencies = [("lora_pipeline", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]
