"""How many optimizer steps a run takes, and how a batch is cut up."""


def steps_per_epoch(*, training_pairs: int, batch_size: int) -> int:
    """ceil(training_pairs / batch_size): the last, smaller batch is a step too."""
    return -(-training_pairs // batch_size)


def total_steps(*, training_pairs: int, batch_size: int, epochs: int) -> int:
    """Optimizer steps of a whole run."""
    return (
        steps_per_epoch(training_pairs=training_pairs, batch_size=batch_size) * epochs
    )


def process_count(*, batch_size: int, gpu_count: int) -> int:
    """Processes of a run: the largest divisor of the batch that is <= the GPU count.

    >>> process_count(batch_size=2, gpu_count=8)
    2
    """
    return max(n for n in range(1, gpu_count + 1) if batch_size % n == 0)


def checkpoint_interval(*, total_steps: int, steps_per_epoch: int) -> int:
    """Steps between checkpoints: every epoch, and at least ten in a long run.

    A lost run then repeats at most a tenth of its work. Never below 10 steps, since
    writing a checkpoint costs about as much as one.
    """
    return max(min(steps_per_epoch, total_steps // 10), 10)
