"""What the gateway adds to a request: `lifelong bench serving`."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ...data.made_record import fill_record
from ...results_file import Row
from ...row_filter import ALL_ROWS, RowFilter
from .load import Burst, asked, at_rate, flat_out
from .targets import (
    Server,
    free_port,
    gateway_command,
    gateway_settings,
    litellm_command,
    proxy_command,
    started,
    stub_command,
)

UPSTREAM, PROXY, LITELLM, CONTROL, RECALL = (
    "upstream_alone",
    "httpx_starlette_proxy",
    "litellm_proxy",
    "lifelong_control",
    "lifelong_recall",
)
METHODS = (UPSTREAM, PROXY, LITELLM, CONTROL, RECALL)
RATES = (1, 10, 50)
"""Requests a second."""
PERCENTILES = (50, 95)
WARM_SECONDS = 1.0
"""Each server is asked so long before anything is timed."""


@dataclass(frozen=True, kw_only=True)
class LoadPlan:
    """How much is measured."""

    episodes: tuple[int, ...]
    """Sizes of the record: episodes that are recorded before."""
    encoder: str
    """The gateway's `memory.encoder`."""
    seconds: float
    """That each rate is held for; the slowest one five times as long, so that its percentiles mean something."""


FULL = LoadPlan(episodes=(0, 100_000, 1_000_000), encoder="minilm", seconds=10.0)
QUICK = LoadPlan(episodes=(0,), encoder="hashed", seconds=1.0)


def run(*, quick: bool, seeds: int, data: Path | None, only: RowFilter = ALL_ROWS) -> list[Row]:
    """Measure every server at every rate and size. `data` is not read: episodes are made. One seed is enough."""
    plan = QUICK if quick else FULL
    rows: list[Row] = []
    for episodes in (count for count in plan.episodes if any(map(only.wants_case, cases(count)))):
        with tempfile.TemporaryDirectory(prefix="lifelong-bench-") as folder:
            rows += measure(Path(folder), plan, episodes)
    return only.rows(rows)


def cases(episodes: int) -> list[str]:
    """The cases of one size, as the table calls them."""
    size = f"{episodes or 'no'} episodes"
    return [*(f"{size}, {rate} a second" for rate in RATES), f"{size}, flat out", f"{size}, start"]


def measure(folder: Path, plan: LoadPlan, episodes: int) -> list[Row]:
    """All servers run at once, and each is asked in turn at every rate, so that what else the machine does meets all alike."""
    fill(folder, episodes)
    *named_rates, flat, start = cases(episodes)
    with ExitStack() as stack:
        servers = started_all(stack, folder, plan)
        rows = [Row(case=start, method=one.name, metric="first_answer_seconds", value=one.first_answer) for one in servers]
        for server in servers:
            asked(server.port, server.model, partial(at_rate, rate=10, seconds=WARM_SECONDS))
        for case, rate in zip(named_rates, RATES, strict=True):
            seconds = plan.seconds * (5 if rate == min(RATES) else 1)
            bursts = {one.name: asked(one.port, one.model, partial(at_rate, rate=rate, seconds=seconds), seed=rate) for one in servers}
            rows += rate_rows(case, bursts)
        rows += flat_rows(flat, servers, plan)
        rows += [Row(case=start, method=one.name, metric="resident_mb", value=one.resident_mb) for one in servers]
        rows.append(Row(case=start, method=LITELLM, metric="installed", value=float(any(one.name == LITELLM for one in servers))))
    return rows


def fill(folder: Path, episodes: int) -> None:
    """Two homes with the same record, since each arm has a gateway of its own; its episodes are those of `lifelong bench scale`."""
    home = folder / CONTROL
    fill_record(home, episodes)
    shutil.copytree(home, folder / RECALL)


def started_all(stack: ExitStack, folder: Path, plan: LoadPlan) -> list[Server]:
    """The upstream, the proxies before it, and the gateway in both arms."""
    up = free_port()
    servers = [stack.enter_context(started(UPSTREAM, stub_command(up), up))]
    port = free_port()
    servers.append(stack.enter_context(started(PROXY, proxy_command(port, up), port)))
    port = free_port()
    if command := litellm_command(port, up, folder):
        servers.append(stack.enter_context(started(LITELLM, command, port)))
    for name in (CONTROL, RECALL):
        port = free_port()
        command = gateway_command(port, folder / name, gateway_settings(up, plan.encoder, control=name == CONTROL))
        servers.append(stack.enter_context(started(name, command, port, model="lifelong")))
    return servers


def rate_rows(case: str, bursts: dict[str, Burst]) -> list[Row]:
    """Times at one rate, and what of them is more than the upstream's own."""
    rows: list[Row] = []
    alone = figures(bursts[UPSTREAM])
    for name, burst in bursts.items():
        found = figures(burst)
        added = {f"added_{metric}": value - alone[metric] for metric, value in found.items()} if name != UPSTREAM else {}
        count = len(burst.timings)
        asked_count = count + burst.failed
        rows += [Row(case=case, method=name, metric=metric, value=value, n=max(1, count)) for metric, value in {**found, **added}.items()]
        rows.append(Row(case=case, method=name, metric="failed_share", value=burst.failed / asked_count, n=asked_count))
    return rows


def figures(burst: Burst) -> dict[str, float]:
    """Percentiles of the whole answers and of the first streamed words, in milliseconds."""
    answers = [one.seconds for one in burst.timings]
    firsts = [one.first for one in burst.timings if one.first is not None]
    named = {"answer": answers, "first_word": firsts}
    return {f"{name}_p{percent}_ms": percentile(times, percent) for name, times in named.items() for percent in PERCENTILES}


def percentile(seconds: Sequence[float], percent: int) -> float:
    """In milliseconds; NaN of nothing."""
    return 1000 * float(np.percentile(seconds, percent)) if seconds else math.nan


def flat_rows(case: str, servers: Sequence[Server], plan: LoadPlan) -> list[Row]:
    """Requests a second and processor time a request where as much is asked as is answered; ratios to the proxies of the same run."""
    rates: dict[str, float] = {}
    work: dict[str, float] = {}
    rows: list[Row] = []
    for server in servers:
        before, passed = server.processor_seconds, passed_over(server)
        burst = asked(server.port, server.model, partial(flat_out, seconds=plan.seconds), seed=1)
        count = len(burst.timings)
        rates[server.name] = count / burst.seconds
        work[server.name] = 1000 * (server.processor_seconds - before) / count if count else math.nan
        total = max(1, count + burst.failed)
        found = {"requests_per_second": rates[server.name], "processor_ms_per_request": work[server.name]}
        rows += [Row(case=case, method=server.name, metric=name, value=value, n=max(1, count)) for name, value in found.items()]
        rows.append(Row(case=case, method=server.name, metric="failed_share", value=burst.failed / total, n=total))
        if server.name == RECALL:
            share = 1 - (passed_over(server) - passed) / total
            rows.append(Row(case=case, method=server.name, metric="memory_in_time_share", value=share, n=total))
    for name in (CONTROL, RECALL):
        for other, metric in ((PROXY, "requests_per_second_to_plain_proxy"), (LITELLM, "requests_per_second_to_litellm_proxy")):
            if rates.get(other):
                rows.append(Row(case=case, method=name, metric=metric, value=rates[name] / rates[other]))
        if work[PROXY]:
            rows.append(Row(case=case, method=name, metric="processor_ms_to_plain_proxy", value=work[name] / work[PROXY]))
    return rows


def passed_over(server: Server) -> float:
    """Requests that went on without memory, since it was late, failed, or was not tried; 0 for a server that is not the gateway."""
    counters = server.counters() if server.name == RECALL else {}
    names = ("deadline_missed_total", "memory_failed_total", "memory_skipped_total")
    return sum(counters.get(f"lifelong_{name}", 0.0) for name in names)
