"""What the first look at an uploaded file rests on, in words."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("datasets", "0006_operations")]
    operations = [
        migrations.AddField(
            model_name="dataset",
            name="first_look",
            field=models.CharField(blank=True, max_length=200),
        ),
    ]
