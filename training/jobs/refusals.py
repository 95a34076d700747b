"""What is refused about jobs, once for services and the API's description."""

from lora_pipeline.errors import Rule

ALREADY_ENDED = Rule(
    code="already_ended",
    words="The job has already ended: it is {status}.",
    when="The job has already ended.",
    example={"status": "completed"},
)
NOT_QUEUED = Rule(
    code="not_queued",
    words="The job is {status}: only a queued job can move to another machine.",
    when="The job has left the queue.",
    example={"status": "running"},
)
NOT_DELETABLE = Rule(
    code="not_ended",
    words="The job is {status}: cancel it before deleting it.",
    when="The job has not ended yet.",
    example={"status": "running"},
)
NOT_OPEN = Rule(
    code="not_open",
    words="The job is {status}: only an open job can pause.",
    when="The job has ended, or is being cancelled.",
    example={"status": "completed"},
)
NOT_PAUSED = Rule(
    code="not_paused",
    words="The job is {status}: only a paused job can resume.",
    when="The job is not paused.",
    example={"status": "running"},
)
UNDER_WAY = Rule(
    code="not_ended",
    words="The job is {status}: only an ended job {what}.",
    when="The job is under way, or has no suggested change to make.",
    example={"status": "running", "what": "can be started again"},
)
NO_SUGGESTION = Rule(
    code="no_suggestion",
    words="The job has no suggested change: start it again as it was.",
    when="The job has no suggested change to make.",
)
CAP_REACHED = Rule(
    code="cap_reached",
    words="The job has come to {reached_usd} USD, the adapter's storage included, of "
    "at most {max_cost}: give a max_cost above that.",
    when="The job's cap is spent, or the month's budget does not allow the new one.",
    status_code=402,
    example={"reached_usd": "12.50", "max_cost": "12.00"},
)
NO_CHECKPOINT = Rule(
    code="no_checkpoint",
    words="The job has no checkpoint{of_step}; kept are those of: {steps}.",
    when="The job, or its checkpoint of that step, is not there.",
    status_code=404,
    example={"of_step": " of step 7", "steps": "20, 40"},
)
CHECKPOINT_NEEDED = Rule(
    code="checkpoint_needed",
    words="The checkpoint of step {step} is needed. {why}",
    when="A run is under way, or a job goes on from it.",
    example={"step": 40, "why": "The job goes on from it."},
)
