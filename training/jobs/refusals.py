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
    words="The job is {status}. Only a queued job can move to another machine.",
    when="The job has left the queue.",
    example={"status": "running"},
)
NOT_DELETABLE = Rule(
    code="not_ended",
    words="The job is {status}. Cancel it before you delete it.",
    when="The job has not ended yet.",
    example={"status": "running"},
)
NOT_OPEN = Rule(
    code="not_open",
    words="The job is {status}. Only an open job can be paused.",
    when="The job has ended, or is being cancelled.",
    example={"status": "completed"},
)
NOT_PAUSED = Rule(
    code="not_paused",
    words="The job is {status}. Only a paused job can be resumed.",
    when="The job is not paused.",
    example={"status": "running"},
)
UNDER_WAY = Rule(
    code="not_ended",
    words="The job is {status}. Only an ended job {what}.",
    when="The job is still open, or has no suggested change.",
    example={"status": "running", "what": "can be started again"},
)
NO_SUGGESTION = Rule(
    code="no_suggestion",
    words="The job has no suggested change. Start it again without changes.",
    when="The job has no suggested change.",
)
CAP_REACHED = Rule(
    code="cap_reached",
    words="The job has reached {reached_usd} USD, including adapter storage, with a cap "
    "of {max_cost}. Set a higher max_cost.",
    when="The cost cap is used up, or the monthly budget does not cover the new one.",
    status_code=402,
    example={"reached_usd": "12.50", "max_cost": "12.00"},
)
NO_CHECKPOINT = Rule(
    code="no_checkpoint",
    words="The job has no checkpoint{of_step}. Stored checkpoints: {steps}.",
    when="The job, or its checkpoint at that step, does not exist.",
    status_code=404,
    example={"of_step": " at step 7", "steps": "20, 40"},
)
CHECKPOINT_NEEDED = Rule(
    code="checkpoint_needed",
    words="The checkpoint at step {step} is in use. {why}",
    when="A run is in progress, or a job will resume from it.",
    example={"step": 40, "why": "The job will resume from it."},
)
