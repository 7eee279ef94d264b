"""The report as one HTML file: it needs nothing else, neither a server nor a network."""

from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape
from importlib.resources import files
from string import Template

import msgspec
from plotly.offline import get_plotlyjs  # type: ignore[import-untyped]

from loadgen.report.comparison import EXPLANATION, Comparison, Difference, Judgement
from loadgen.report.metrics import METRICS, Metric
from loadgen.report.notes import rate_text
from loadgen.report.report import Report
from loadgen.report.run import Run
from loadgen.report.table import change_text
from loadgen.report.timeline import Curve, Timeline, curve, timeline


class Drawn(msgspec.Struct, frozen=True):
    """What the page's script draws of a run."""

    name: str
    timeline: Timeline
    curve: Curve


def page(report: Report) -> str:
    """Text from the files is escaped; the page's own policy lets nothing run but its two scripts, load or send."""
    drawn = [Drawn(run.name, timeline(run), curve(run)) for run in report.runs]
    plotly, script = get_plotlyjs(), _part("page.js")
    return Template(_part("page.html")).substitute(
        title=escape("loadgen: " + ", ".join(run.name for run in report.runs)),
        style=_part("page.css"),
        plans="".join(f'<p class="plan">{escape(_plan(run))}</p>' for run in report.runs),
        table=_table(report.runs, report.comparisons),
        notes=_notes(report),
        step=_step(drawn),
        data=_in_script(drawn),
        scripts=" ".join(_allowed(text) for text in (plotly, script)),
        plotly=plotly,
        script=script,
    )


def _part(name: str) -> str:
    return files("loadgen.report").joinpath(name).read_text(encoding="utf-8")


def _allowed(script: str) -> str:
    """How the policy names a script, which stands between two line breaks in its element."""
    digest = sha256(b"\n%b\n" % script.encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"


def _in_script(value: object) -> str:
    """JSON that can't end the script element it is in."""
    return msgspec.json.encode(value).decode().replace("<", "\\u003c")


def _plan(run: Run) -> str:
    plan = run.plan
    sensors = f"{plan.sensors:,} sensors ({plan.profile})"
    requests = f"batches of {plan.batch:,}, {plan.format}{' in gzip' * plan.gzip}, {plan.connections:,} connections"
    return f"{run.name}: {rate_text(plan)} of {sensors}, {requests}, {plan.url}"


def _table(runs: Sequence[Run], comparisons: Sequence[Comparison]) -> str:
    heads = [
        f'<th scope="col">{escape(run.name)}</th>' + '<td class="change"></td>' * (run is not runs[0]) for run in runs
    ]
    rows = "".join(
        f"<tr>{''.join(_row(place, metric, runs, comparisons))}</tr>\n" for place, metric in enumerate(METRICS)
    )
    return (
        f'<table>\n<thead><tr><th scope="col">run</th>{"".join(heads)}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>'
    )


def _row(place: int, metric: Metric, runs: Sequence[Run], comparisons: Sequence[Comparison]) -> Iterator[str]:
    unit = "" if metric.unit == "events" else f' <span class="unit">{metric.unit}</span>'
    yield f'<th scope="row">{metric.name}{unit}</th>'
    yield _cell(metric, runs[0])
    for run, comparison in zip(runs[1:], comparisons, strict=True):
        yield _cell(metric, run)
        yield _change(metric, comparison.differences[place])


def _cell(metric: Metric, run: Run) -> str:
    return f"<td>{metric.text(metric.of(run.figures))}</td>"


def _change(metric: Metric, difference: Difference) -> str:
    judged = difference.judgement if difference.judgement in (Judgement.BETTER, Judgement.WORSE) else ""
    return f'<td class="change {judged}">{escape(change_text(metric, difference))}</td>'


def _notes(report: Report) -> str:
    items = [*report.reasons, *report.notes]
    listed = f"<ul>{''.join(f'<li>{escape(item)}</li>' for item in items)}</ul>" if items else ""
    first = escape(report.runs[0].name)
    return listed + (f"<p>Compared with {first}. {escape(EXPLANATION)}</p>" if report.comparisons else "")


def _step(drawn: Sequence[Drawn]) -> str:
    longest = max(run.timeline.step_seconds for run in drawn)
    return f" A long run: each point is the highest of up to {longest} seconds." if longest > 1 else ""
