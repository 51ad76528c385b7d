"""All commands. Each is in the file of its group; `command.py` has what they share."""

import os

import click

from cli.approvals import approve, revoke
from cli.audit import audit
from cli.connect import Connect
from cli.events import events
from cli.explain import explain
from cli.holds import holds
from cli.imports import run_import
from cli.locations import locations
from cli.operator_holds import hold, pause, resume
from cli.order import order
from cli.preflight.command import preflight
from cli.products import products
from cli.quarantine import quarantine
from cli.quarantine_edit import edit
from cli.reconcile import reconcile, resend
from cli.replay import replay
from cli.restore import restore
from cli.room.command import room
from cli.runs import runs, show_run
from cli.shadow import shadow
from cli.smoke import smoke
from cli.status import status
from cli.stream import stream
from cli.watermark import watermark
from inventory_sync.version import VERSION


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION, prog_name="inventory-sync")
@click.pass_context
def main(context: click.Context) -> None:
    """Operate a deployed inventory sync.

    Credentials and region are those of your shell, as for the AWS CLI. Commands that change
    something write down who did it, when and why, with what was there before.

    Exit codes: 0 done; 1 refused, nothing was written; 2 wrong usage; 3 trouble with AWS, NewStore
    or the ERP; 4 done, and something needs looking at.
    """
    if context.obj is None:
        # botocore knows this name only, the AWS CLI both.
        if region := os.environ.get("AWS_REGION"):
            os.environ["AWS_DEFAULT_REGION"] = region
        context.obj = Connect()


quarantine.add_command(edit)
for command in (
    preflight,
    status,
    room,
    explain,
    runs,
    show_run,
    events,
    order,
    run_import,
    reconcile,
    resend,
    stream,
    replay,
    locations,
    products,
    holds,
    approve,
    revoke,
    hold,
    pause,
    resume,
    quarantine,
    watermark,
    audit,
    restore,
    shadow,
    smoke,
):
    main.add_command(command)
