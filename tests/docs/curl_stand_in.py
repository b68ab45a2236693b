"""The few options of curl that the pages use, for machines without curl: -s -S -f -H -d --data-binary URL."""

import argparse
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("-s", "--silent", action="store_true")
    parser.add_argument("-S", "--show-error", action="store_true")
    parser.add_argument("-f", "--fail", action="store_true")
    parser.add_argument("-H", "--header", action="append", default=[])
    parser.add_argument("-d", "--data", "--data-binary", dest="data")
    parser.add_argument("url")
    asked = parser.parse_args()
    body = None
    if asked.data is not None:
        body = Path(asked.data[1:]).read_bytes() if asked.data.startswith("@") else asked.data.encode()
    headers = dict(line.split(": ", 1) for line in asked.header)
    request = urllib.request.Request(asked.url, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as error:
        sys.exit(f"curl: {error.code}: {error.read().decode()}")


if __name__ == "__main__":
    main()
