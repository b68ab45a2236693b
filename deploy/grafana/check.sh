#!/bin/sh
# Starts ClickHouse and Grafana of docker-compose.yml, and holds what Grafana has read to the code: `make grafana`.
# Needs Docker and a filled-in .env. The service account that it makes for itself is removed at the end.
set -eu

. ./.env
url="http://127.0.0.1:${GRAFANA_PORT:-3000}"

docker compose up --detach --wait clickhouse grafana
docker compose up --build --exit-code-from migrate migrate

ask() {
  curl --fail --silent --show-error --user "admin:$GRAFANA_ADMIN_PASSWORD" \
    --header 'Content-Type: application/json' "$@"
}
field() {
  python -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"
}

account=$(ask --data "{\"name\": \"tokenweir-check-$$\", \"role\": \"Admin\"}" "$url/api/serviceaccounts" | field id)
trap 'ask --request DELETE "$url/api/serviceaccounts/$account" > /dev/null' EXIT
token=$(ask --data '{"name": "check"}' "$url/api/serviceaccounts/$account/tokens" | field key)

export TOKENWEIR_GRAFANA__URL="$url" TOKENWEIR_GRAFANA__TOKEN="$token"
status=0
weir grafana diff || status=1
weir grafana check || status=1
exit "$status"
