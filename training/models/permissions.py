"""What an operator may be allowed to do, one by one, beside seeing a table."""

Permissions = tuple[tuple[str, str], ...]

JOB_PERMISSIONS: Permissions = (
    ("cancel_trainingjob", "Can cancel anybody's job"),
    ("pause_trainingjob", "Can pause anybody's job"),
    ("resume_trainingjob", "Can resume anybody's job"),
    ("retry_trainingjob", "Can start anybody's job again or continue it"),
    ("prioritise_trainingjob", "Can change the priority of anybody's job"),
)
FLEET_PERMISSIONS: Permissions = (
    ("view_fleet", "Can see the fleet page"),
    ("drain_machine", "Can drain a machine and put it back to work"),
)
