"""Number of optimizer steps of a run, and how a batch is divided."""


def steps_per_epoch(*, training_pairs: int, batch_size: int) -> int:
    """ceil(training_pairs / batch_size): a smaller last batch counts as a step."""
    return -(-training_pairs // batch_size)


def total_steps(*, training_pairs: int, batch_size: int, epochs: int) -> int:
    """Total optimizer steps of a run."""
    return (
        steps_per_epoch(training_pairs=training_pairs, batch_size=batch_size) * epochs
    )


def process_count(*, batch_size: int, gpu_count: int) -> int:
    """Processes of a run: the largest divisor of the batch that is <= the GPU count.

    >>> process_count(batch_size=2, gpu_count=8)
    2
    """
    return max(n for n in range(1, gpu_count + 1) if batch_size % n == 0)


def sharing_words(*, batch_size: int, gpu_count: int, most: int = 8) -> str:
    """One sentence on the effect of the selected number of GPUs.

    `most` is how many of the type may be chosen.
    """
    if most == 1:
        return "Machines have only one GPU of this type."
    if gpu_count == 1:
        useful = process_count(batch_size=batch_size, gpu_count=most)
        if useful == 1:
            return f"A batch of {batch_size} cannot be split: one GPU is enough."
        return f"One GPU does all the work. Up to {useful} can share a batch."
    busy = process_count(batch_size=batch_size, gpu_count=gpu_count)
    if busy < gpu_count:
        return f"A batch of {batch_size} keeps only {busy} of {gpu_count} GPUs busy."
    each = batch_size // busy
    share = "1 sequence" if each == 1 else f"{each} sequences"
    return (
        f"{gpu_count} GPUs share each batch, {share} each: faster, at {gpu_count} "
        "times the hourly rate."
    )


def checkpoint_interval(*, total_steps: int, steps_per_epoch: int) -> int:
    """Steps between checkpoints: every epoch, and at least ten times in a long run.

    A lost run then repeats at most a tenth of its work. Never below 10 steps, because
    writing a checkpoint takes about as long as one step.
    """
    return max(min(steps_per_epoch, total_steps // 10), 10)
