"""Names that the tests of the compose file share."""

import re

# ${NAME}, ${NAME:-default} or ${NAME:?message}
REFERENCE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?:(?P<kind>:[-?])(?P<text>[^}]*))?\}")

OWN_SERVICES = {"topics", "migrate", "gateway", "meter", "sink", "notify", "detect", "repricer"}
REQUIRED_SECRETS = {
    "CLICKHOUSE_PASSWORD",
    "CLICKHOUSE_READER_PASSWORD",
    "GATEWAY_TOKEN",
    "GRAFANA_ADMIN_PASSWORD",
}
