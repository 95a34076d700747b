"""Permissions for operators, besides viewing tables."""

Permissions = tuple[tuple[str, str], ...]

JOB_PERMISSIONS: Permissions = (
    ("cancel_trainingjob", "Can cancel any user's job"),
    ("pause_trainingjob", "Can pause any user's job"),
    ("resume_trainingjob", "Can resume any user's job"),
    ("retry_trainingjob", "Can start again or continue any user's job"),
    ("prioritise_trainingjob", "Can change the priority of any user's job"),
)
FLEET_PERMISSIONS: Permissions = (
    ("view_fleet", "Can see the fleet page"),
    ("drain_machine", "Can drain a machine and put it back to work"),
)
