"""When each alert that ships must be told: series, minute by minute.

A row has a router of which an alert must be told, and routers of which it must not: mostly those just on the
other side of the threshold.
"""

from collections.abc import Mapping
from typing import NamedTuple

Series = dict[str, str]
"""Name with labels, but for those of the router -> its values as promtool reads them: `3+0x60` is 61 times 3,
`0+2x60` goes up by 2, `_` is none."""

QUEUE = {"client": "fjord", "queue": "reception"}
_QUEUE = 'client="fjord",queue="reception"'


class Row(NamedTuple):
    """One alert."""

    alert: str
    ill: Series
    """Of the router that must be told of."""
    well: tuple[Series, ...]
    """Of those that must not."""
    early: str
    """When it is not told yet."""
    at: str
    """When it is."""
    labels: Mapping[str, str] = {}
    """The alert's, besides the router's and the severity."""


def always(value: float) -> str:
    return f"{value:g}+0x60" if value < 1e6 else f"{value:.0f}+0x60"


def growing(step: float, start: float = 0) -> str:
    return f"{start:g}+{step:g}x60"


def jump(to: float, at: int = 10) -> str:
    """From 0, after so many minutes."""
    return f"0+0x{at - 1} {to:g}+0x50"


def ended(*, entered: float = 0, **dispositions: str) -> Series:
    """Calls by what became of them."""
    calls = {
        f'callrouter_calls_total{{client="fjord",disposition="{name}"}}': values
        for name, values in dispositions.items()
    }
    return {"callrouter_calls_entered_total": growing(1, entered), **calls}


def buckets(name: str, bound: str) -> Series:
    """A histogram of which all values are below a bound, and none below the next lower one."""
    bounds = ["0.1", "0.25", "0.5", "1.0", "2.0", "+Inf"]
    return {
        f'{name}_bucket{{le="{le}"}}': growing(60 if at >= bounds.index(bound) else 0)
        for at, le in enumerate(bounds)
    }


def left(outcomes: Mapping[str, float], in_time: float = 0) -> Series:
    """Callers of a queue, who wait no longer: so many each minute."""
    callers = {
        f'callrouter_queue_callers_total{{{_QUEUE},outcome="{outcome}"}}': growing(count)
        for outcome, count in outcomes.items()
    }
    return {f"callrouter_queue_in_time_total{{{_QUEUE}}}": growing(in_time), **callers}


def agents(waiting: int, **states: int) -> Series:
    """A queue as it stands."""
    return {
        f"callrouter_queue_waiting{{{_QUEUE}}}": always(waiting),
        **{f'callrouter_queue_agents{{{_QUEUE},state="{state}"}}': always(n) for state, n in states.items()},
    }


def lost(name: str) -> Row:
    """An alert of a counter of what must never happen."""
    metric = {
        "EngineErrors": "engine_errors",
        "PromptsFailing": "prompt_failures",
        "TimelineShed": "writes_shed",
        "WritesRefused": "writes_refused",
        "DispositionConflict": "disposition_conflicts",
        "ReloadRefused": "rules_refused",
    }[name]
    metric = f"callrouter_{metric}_total"
    return Row(f"Callrouter{name}", {metric: jump(1)}, ({metric: always(3)},), "9m", "12m")


CASES = [
    Row("CallrouterDown", {"up": "1+0x10 0+0x50"}, ({"up": always(1)},), "11m", "12m"),
    Row(
        "CallrouterRestarting",
        {"process_start_time_seconds": "1+0x5 2+0x5 3+0x5 4+0x50"},
        ({"process_start_time_seconds": "1+0x5 2+0x5 3+0x50"},),
        "10m",
        "20m",
    ),
    Row(
        "CallrouterConservationBroken",
        ended(answered=growing(1)) | {'callrouter_live_calls{phase="talking"}': always(1)},
        (
            ended(entered=5, answered=growing(1))
            | {
                'callrouter_live_calls{phase="talking"}': always(3),
                'callrouter_live_calls{phase="queue"}': always(2),
            },
            {
                "callrouter_calls_entered_total": always(2),  # none has ended yet
                'callrouter_live_calls{phase="ringing"}': always(2),
            },
        ),
        "0m",
        "3m",
    ),
    lost("EngineErrors"),
    Row(
        "CallrouterCpuFull",
        {"process_cpu_seconds_total": growing(54)},
        ({"process_cpu_seconds_total": growing(46)},),
        "10m",
        "20m",
    ),
    Row(
        "CallrouterMemoryHigh",
        {"process_resident_memory_bytes": always(1.1e9)},
        ({"process_resident_memory_bytes": always(0.9e9)},),
        "14m",
        "16m",
    ),
    Row(
        "CallrouterFilesRunningOut",
        {"process_open_fds": always(850), "process_max_fds": always(1000)},
        ({"process_open_fds": always(750), "process_max_fds": always(1000)},),
        "4m",
        "6m",
    ),
    Row(
        "CallrouterAsteriskLost",
        {"callrouter_ari_up": "1+0x5 0+0x20"},
        ({"callrouter_ari_up": always(1)}, {"callrouter_ari_up": "1+0x5 0 1+0x20"}),
        "6m",
        "7m",
    ),
    Row(
        "CallrouterAsteriskFlapping",
        {"callrouter_ari_reconnects_total": "0+0x5 1+1x6 7+0x50"},
        ({"callrouter_ari_reconnects_total": "0+0x5 1+1x1 2+0x50"},),
        "6m",
        "15m",
    ),
    Row(
        "CallrouterAmiLost",
        {"callrouter_ami_up": always(0)},
        ({"callrouter_ami_up": always(1)}, {"callrouter_ari_up": always(1)}),  # the last uses no AMI
        "1m",
        "3m",
    ),
    Row(
        "CallrouterCommandsSlow",
        buckets("callrouter_command_seconds", "1.0"),
        (buckets("callrouter_command_seconds", "0.5"),),
        "5m",
        "8m",
    ),
    Row(
        "CallrouterCommandsRefused",
        {
            'callrouter_command_failures_total{command="DialLeg",status="500"}': growing(10),
            'callrouter_command_failures_total{command="Play",status="404"}': growing(5),
            "callrouter_command_seconds_count": growing(60),
        },
        (
            {
                'callrouter_command_failures_total{command="DialLeg",status="500"}': growing(10),
                "callrouter_command_seconds_count": growing(60),
            },
            {
                'callrouter_command_failures_total{command="DialLeg",status="500"}': growing(4),
                "callrouter_command_seconds_count": growing(4),  # hardly any calls
            },
        ),
        "10m",
        "13m",
    ),
    Row(
        "CallrouterEventsLate",
        buckets("callrouter_event_lag_seconds", "1.0"),
        (buckets("callrouter_event_lag_seconds", "0.5"),),
        "5m",
        "8m",
    ),
    lost("PromptsFailing"),
    Row(
        "CallrouterDatabaseFailing",
        {"callrouter_store_failing": always(1)},
        ({"callrouter_store_failing": always(0)},),
        "0m",
        "2m",
    ),
    lost("TimelineShed"),
    Row(
        "CallrouterWriteQueueGrowing",
        {"callrouter_write_queue": always(5001)},
        ({"callrouter_write_queue": always(4999)},),
        "1m",
        "3m",
    ),
    Row(
        "CallrouterDatabaseSlow",
        {"callrouter_commit_seconds_total": growing(15), "callrouter_commits_total": growing(60)},
        (
            {"callrouter_commit_seconds_total": growing(9), "callrouter_commits_total": growing(60)},
            {"callrouter_commit_seconds_total": always(9), "callrouter_commits_total": always(60)},
        ),
        "10m",
        "13m",
    ),
    lost("WritesRefused"),
    lost("DispositionConflict"),
    Row(
        "CallrouterDiskNearlyFull",
        {"callrouter_state_free_bytes": always(9), "callrouter_state_size_bytes": always(100)},
        ({"callrouter_state_free_bytes": always(11), "callrouter_state_size_bytes": always(100)},),
        "9m",
        "11m",
    ),
    Row(
        "CallrouterMqttLost",
        {"callrouter_mqtt_connected": always(0)},
        ({"callrouter_mqtt_connected": always(1)}, {"callrouter_ari_up": always(1)}),  # the last uses no MQTT
        "4m",
        "6m",
    ),
    Row(
        "CallrouterNoticesWait",
        {"callrouter_outbox_oldest_seconds": growing(60, 901)},
        ({"callrouter_outbox_oldest_seconds": always(899)},),
        "4m",
        "6m",
    ),
    Row(
        "CallrouterFollowUpsWait",
        {"callrouter_follow_up_oldest_seconds": growing(60, 1801)},
        ({"callrouter_follow_up_oldest_seconds": always(1799)},),
        "4m",
        "6m",
    ),
    Row(
        "CallrouterFollowUpsDead",
        {'callrouter_follow_up_jobs{state="dead"}': always(2)},
        (
            {'callrouter_follow_up_jobs{state="dead"}': always(0)},
            {'callrouter_follow_up_jobs{state="waiting"}': always(9)},
        ),
        "4m",
        "6m",
        {"state": "dead"},
    ),
    Row(
        "CallrouterObligationsOverdue",
        {'callrouter_obligations{state="overdue"}': always(1)},
        (
            {'callrouter_obligations{state="overdue"}': always(0)},
            {'callrouter_obligations{state="open"}': always(9)},
        ),
        "29m",
        "31m",
        {"state": "overdue"},
    ),
    lost("ReloadRefused"),
    Row(
        "CallrouterCalendarStale",
        {'callrouter_calendar_age_seconds{client="fjord"}': growing(60, 86_400)},
        ({'callrouter_calendar_age_seconds{client="fjord"}': "3600+0x60"},),
        "9m",
        "13m",
        {"client": "fjord"},
    ),
    Row(
        "CallrouterCallsFailing",
        ended(failed=growing(1), answered=growing(3)),
        (
            ended(failed=growing(1), answered=growing(5)),
            ended(failed="_x8 1+0x50"),  # too few to speak of a share
        ),
        "1m",
        "18m",
    ),
    Row(
        "CallrouterCallsDropped",
        ended(dropped="_x10 3+0x50", answered=growing(1)),  # the first that there ever were
        (ended(dropped=growing(1), answered=growing(30)), ended(dropped="_x10 2+0x50", answered=growing(1))),
        "11m",
        "14m",
    ),
    Row(
        "CallrouterCallsUnobserved",
        ended(unobserved="_x10 2+0x50", answered=growing(1)),
        (ended(unobserved=always(2), answered=growing(1)),),
        "9m",
        "12m",
    ),
    Row(
        "CallrouterPhonesUnreachable",
        {
            'callrouter_attempts_total{outcome="unreachable"}': growing(1),
            'callrouter_attempts_total{outcome="answered"}': growing(2),
        },
        (
            {
                'callrouter_attempts_total{outcome="unreachable"}': growing(1),
                'callrouter_attempts_total{outcome="answered"}': growing(3),
            },
            {'callrouter_attempts_total{outcome="unreachable"}': jump(5)},
        ),
        "5m",
        "16m",
    ),
    Row(
        "CallrouterBlocksMany",
        ended(blocked=growing(3), answered=growing(2)),
        (ended(blocked=growing(1), answered=growing(1)), ended(blocked=jump(9))),
        "3m",
        "20m",
    ),
    Row(
        "CallrouterQueueWithoutAgents",
        agents(1, logged_out=1, paused=2),
        (agents(1, logged_out=1, wrapping=1), agents(0, logged_out=2)),
        "0m",
        "2m",
        QUEUE,
    ),
    Row(
        "CallrouterQueueWaitLong",
        {f"callrouter_queue_longest_wait_seconds{{{_QUEUE}}}": always(301)},
        ({f"callrouter_queue_longest_wait_seconds{{{_QUEUE}}}": always(299)},),
        "0m",
        "2m",
        QUEUE,
    ),
    Row(
        "CallrouterQueueAbandonment",
        left({"abandoned": 1, "answered": 3}),
        (left({"abandoned": 1, "answered": 5}), left({"abandoned": 0.1})),
        "5m",
        "20m",
        QUEUE,
    ),
    Row(
        "CallrouterQueueServiceLevel",
        left({"answered": 4, "timeout": 1}, in_time=3),
        (left({"answered": 5, "timeout": 1}, in_time=5), left({"answered": 0.1})),
        "5m",
        "20m",
        QUEUE,
    ),
]

DAYS = [
    # Every fifteen minutes; a week has 672 of them.
    Row(
        "CallrouterNoCalls",
        {"callrouter_calls_entered_total": "0+10x680 6800+0x40"},
        (
            {"callrouter_calls_entered_total": "0+10x720"},
            {"callrouter_calls_entered_total": always(0).replace("60", "720")},
        ),
        "10200m",
        "10335m",
    ),
]
