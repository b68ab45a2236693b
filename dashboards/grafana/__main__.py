"""Writes `deploy/grafana` anew: `python -m dashboards.grafana`, from the repository's root."""

from dashboards.grafana.files import FOLDER, write

if __name__ == "__main__":
    changed = write()
    for path in changed:
        print(FOLDER / path)
    if not changed:
        print("nothing to do")
