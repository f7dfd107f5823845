"""Start a simulator: ``python -m simulator graph --port 0 --port-file F --seed 7 --until-stdin-closes``.

Both kinds listen on 127.0.0.1 only, write the port they took to the port file and end on SIGTERM or Ctrl-C.
"""

import argparse
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from simulator.serving import AppFactory, serve_forever


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulator", description="A local Graph or Notion API.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--port", type=int, default=0, help="0 (the default) takes a free port")
    shared.add_argument(
        "--port-file", type=Path, help="where to write the port once connections are accepted"
    )
    shared.add_argument(
        "--seed", type=int, default=1, help="the same seed gives the same world and the same chance"
    )
    shared.add_argument("--until-stdin-closes", action="store_true", help="end when standard input ends")
    shared.add_argument("--latency-ms", type=float, default=0.0, help="added to every request")
    graph = kinds.add_parser("graph", parents=[shared], help="Meta's Graph API")
    graph.add_argument("--now", type=_moment, help="freeze the clock, ISO 8601 with an offset")
    graph.add_argument("--accounts", type=int, default=3)
    graph.add_argument("--campaigns", type=int, default=8, help="in each account")
    graph.add_argument("--ads", type=int, default=3, help="in each campaign")
    notion = kinds.add_parser("notion", parents=[shared], help="the Notion API")
    notion.add_argument("--state", type=Path, help="keep the workspace in this file between starts")
    return parser


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} has no offset; write for instance 2026-11-22T12:00:00+00:00"
        )
    return moment


def _graph(options: argparse.Namespace) -> AppFactory:
    from simulator.graph import World, create_app

    world = World(
        options.seed,
        accounts=options.accounts,
        campaigns=options.campaigns,
        ads_per_campaign=options.ads,
        now=options.now,
    )
    # The environment and not an argument: a process list shows arguments to everybody.
    secret = os.environ.get("SIMULATOR_APP_SECRET") or None
    return lambda: create_app(world, app_secret=secret, latency_seconds=options.latency_ms / 1000)


def _notion(options: argparse.Namespace) -> AppFactory:
    from simulator.notion import create_app

    return lambda: create_app(
        state=options.state, seed=options.seed, latency_seconds=options.latency_ms / 1000
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line."""
    options = _parser().parse_args(arguments)
    factory = _graph(options) if options.kind == "graph" else _notion(options)
    serve_forever(factory, options.port, options.port_file, options.until_stdin_closes)


if __name__ == "__main__":
    main()
