"""The trainer's command line: run one attempt, probe, ask, merge, convert, fetch.

Started as `python -I -u training/trainer …`: isolated, so that Hugging Face's
`datasets` is imported, not the console's app of the same name.
"""

import argparse
import json
import sys
from importlib import import_module
from pathlib import Path

# The function behind each command; imported lazily, because torch takes seconds.
PROGRAMS = {
    "run": ("run", "run_attempt"),
    "ask": ("ask", "print_answers"),
    "compare": ("compare", "compare_answers"),
    "merge": ("merge", "merge_adapter"),
    "convert": ("convert", "convert_gguf"),
    "config": ("hub", "print_config"),
    "probe": ("probe", "print_point"),
}


def main() -> int:
    """Exit status: 0 outcome reported, 1 not reported, 3 rejected by the console."""
    options = vars(command_line().parse_args())
    module, function = PROGRAMS[options.pop("command")]
    options.pop("lock_fd", None)
    status: int = getattr(import_module(module), function)(**options)
    return status


def command_line() -> argparse.ArgumentParser:
    """The command-line parser."""
    parser = argparse.ArgumentParser(prog="trainer")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="execute one run attempt")
    run.add_argument("--run-dir", type=Path, required=True)
    run.add_argument(
        "--lock-fd", type=int, help="kept open: its lock shows that we are alive"
    )
    ask = commands.add_parser("ask", help="print a model's answers as JSON")
    ask.add_argument("--model", required=True)
    ask.add_argument("--adapter", type=Path)
    ask.add_argument("--questions", type=Path, required=True)
    ask.add_argument("--max-new-tokens", type=int, default=48)
    convert = commands.add_parser(
        "convert", help="convert a GGUF file to a model folder"
    )
    convert.add_argument("source", type=Path)
    convert.add_argument("target", type=Path)
    convert.add_argument("--max-length", type=int, required=True)
    config = commands.add_parser("config", help="download a model's config.json")
    config.add_argument("model_id")
    config.add_argument("--revision", default="")
    probe = commands.add_parser("probe", help="measure a few steps with random weights")
    probe.add_argument("point", type=json.loads, help="JSON, see probe.py")
    compare = commands.add_parser(
        "compare", help="ask base model and adapter the same question"
    )
    compare.add_argument("--question", type=Path, required=True)
    compare.add_argument("--max-new-tokens", type=int, default=128)
    merge = commands.add_parser("merge", help="merge an adapter into its base model")
    merge.add_argument("--target", type=Path, required=True)
    for one in (compare, merge):
        _add_pair(one)
    return parser


def _add_pair(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", required=True, help="a folder or a hub id")
    command.add_argument("--revision")
    command.add_argument("--adapter", type=Path, required=True)


if __name__ == "__main__":
    sys.exit(main())
