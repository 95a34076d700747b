"""The trainer's command line: a run, a probe, an answer, a file made or fetched.

Started as `python -I -u training/trainer …`: isolated, so that Hugging Face's
`datasets` is imported, not the console's app of the same name.
"""

import argparse
import json
import sys
from pathlib import Path


def main() -> int:
    """Exit status: 0 the outcome was reported, 1 it could not be, 3 we were refused."""
    parser = argparse.ArgumentParser(prog="trainer")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="carry out one run attempt")
    run.add_argument("--run-dir", type=Path, required=True)
    run.add_argument("--lock-fd", type=int, help="held open: the lock says alive")
    ask = commands.add_parser("ask", help="answers of a model as JSON")
    ask.add_argument("--model", required=True)
    ask.add_argument("--adapter", type=Path)
    ask.add_argument("--questions", type=Path, required=True)
    ask.add_argument("--max-new-tokens", type=int, default=48)
    convert = commands.add_parser("convert", help="a GGUF file to a model folder")
    convert.add_argument("source", type=Path)
    convert.add_argument("target", type=Path)
    convert.add_argument("--max-length", type=int, required=True)
    config = commands.add_parser("config", help="fetch a model's config.json")
    config.add_argument("model_id")
    config.add_argument("--revision", default="")
    probe = commands.add_parser("probe", help="measure a few steps of random weights")
    probe.add_argument("point", type=json.loads, help="JSON, see probe.py")
    options = vars(parser.parse_args())
    command = options.pop("command")
    if command == "run":
        from run import run_attempt

        return run_attempt(options["run_dir"])
    if command == "ask":
        from ask import print_answers

        return print_answers(**options)
    if command == "config":
        from hub import print_config

        return print_config(**options)
    if command == "probe":
        from probe import print_point

        return print_point(**options)
    from convert import convert_gguf

    return convert_gguf(**options)


if __name__ == "__main__":
    sys.exit(main())
