"""How many optimizer steps a run takes, and how a batch is cut up."""


def steps_per_epoch(*, training_pairs: int, batch_size: int) -> int:
    """ceil(training_pairs / batch_size): the last, smaller batch is a step too."""
    return -(-training_pairs // batch_size)


def process_count(*, batch_size: int, gpu_count: int) -> int:
    """Processes of a run: the largest divisor of the batch that is <= the GPU count.

    >>> process_count(batch_size=2, gpu_count=8)
    2
    """
    return max(n for n in range(1, gpu_count + 1) if batch_size % n == 0)


def sharing_words(*, batch_size: int, gpu_count: int, most: int = 8) -> str:
    """One sentence on what the chosen number of GPUs brings.

    `most` is how many of the type may be chosen.
    """
    if most == 1:
        return "A machine has one of this type: there is nothing to choose."
    if gpu_count == 1:
        useful = process_count(batch_size=batch_size, gpu_count=most)
        if useful == 1:
            return f"A batch of {batch_size} cannot be shared: one GPU is enough."
        return f"One GPU does all the work; up to {useful} can share a batch."
    busy = process_count(batch_size=batch_size, gpu_count=gpu_count)
    if busy < gpu_count:
        return f"A batch of {batch_size} keeps only {busy} of {gpu_count} GPUs busy."
    each = batch_size // busy
    share = "1 sequence" if each == 1 else f"{each} sequences"
    return (
        f"{gpu_count} GPUs share each batch, {share} each: shorter, at {gpu_count} "
        "times the hourly rate."
    )


def checkpoint_interval(*, total_steps: int, steps_per_epoch: int) -> int:
    """Steps between checkpoints: every epoch, and at least ten in a long run.

    A lost run then repeats at most a tenth of its work. Never below 10 steps, since
    writing a checkpoint costs about as much as one.
    """
    return max(min(steps_per_epoch, total_steps // 10), 10)
