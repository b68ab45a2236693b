"""Pieces of SQL about migrations: an incident of kind `migration` is one workload that moves from a model to another.

`MOVES` is a common table expression, `moves`, of those of the period; its evidence is as
`streams.detectors.move` writes it. A figure that is not known is null there and here.
"""

from typing import Final

from dashboards.panels.incident_sql import IN_PERIOD

_WORKLOAD: Final = (
    "concat(scope['team'], '/', if(scope['service'] != '', scope['service'], scope['project']), "
    "if(scope['environment'] IN ('', 'production'), '', concat(' (', scope['environment'], ')')), "
    "if(scope['operation'] = '', '', concat(', ', scope['operation'])))"
)
"""As the signal names it: `search/answers (staging)`."""

MOVES: Final = f"""
moves AS
(
    SELECT
        incident,
        scope,
        {_WORKLOAD} AS workload,
        JSONExtractString(evidence, 'from') AS source,
        JSONExtractString(evidence, 'to') AS target,
        replaceAll(JSONExtractString(evidence, 'stage'), '_', '-') AS stage,
        greatest(0, least(1, ifNull(value, 0))) AS moved_share,
        moved_share * JSONExtractFloat(evidence, 'source_share_before') * JSONExtractFloat(evidence, 'calls_per_day')
            AS moved_calls_per_day,
        impact_usd_per_day,
        severity,
        started_at,
        observed_at,
        resolved_at,
        contributors,
        evidence
    FROM @ledger.incidents
    WHERE kind = 'migration' AND {IN_PERIOD}
)"""


def side(name: str, measure: str) -> str:
    """A figure of the evidence. name: before (the model that is left) or after (the one that is gone to)."""
    return f"JSONExtract(evidence, '{name}', '{measure}', 'Nullable(Float64)')"


def side_usd(name: str, measure: str) -> str:
    """Dollars of the evidence, exact."""
    return f"toDecimal128OrNull(JSONExtractString(evidence, '{name}', '{measure}'), 12)"
