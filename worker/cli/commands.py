"""Every command, by name."""

from __future__ import annotations

import typer

from worker.cli import demo, operate, read, run_job, up

app = typer.Typer(
    name="adtempo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Collects, judges and reports a company's Meta ads in the background.",
)
app.command()(demo.demo)
app.command()(up.up)
app.command()(up.migrate)
app.command()(operate.doctor)
app.add_typer(run_job.app, name="run")
app.command()(read.status)
app.command()(read.campaigns)
app.command()(read.insights)
app.add_typer(read.suggestions_app, name="suggestions")
app.command()(operate.agents)
app.add_typer(operate.tokens_app, name="tokens")
