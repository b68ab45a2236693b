"""Java and the jars of Apache Kafka, found or fetched.

The jars come from Maven once, into `tests/kafka/.apache/<hash of pom.xml>`; after that no network is needed. The
errors tell apart what a machine lacks (`KafkaNotToBeHad`) from what is wrong (any other BrokerUnavailable).
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from tokenweir.errors import BrokerUnavailable

POM: Final = Path(__file__).with_name("pom.xml")
CACHE: Final = Path(__file__).with_name(".apache")

_JAVA_RELEASE: Final = 17
# Named in full: of a plugin that it has to look for, Maven does not say why it could not be fetched.
_GOAL: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_RESOLVE_TIMEOUT_SECONDS: Final = 600
_TAIL_LINES: Final = 12

# What Maven prints where it got no answer from a repository, or none of the repository's own. A missing artifact
# ("Could not find artifact") is a repository's answer, and a mistake in pom.xml.
_UNREACHABLE: Final = re.compile(
    r"Could not transfer (?:artifact|metadata)|Unknown host|Connection refused|Connect to .* failed|"
    r"Connection timed out|Network is unreachable|Temporary failure in name resolution"
)
_BAD_TRANSFER: Final = re.compile(r"[Cc]hecksum validation failed")


class KafkaNotToBeHad(BrokerUnavailable):
    """Apache Kafka cannot be had on this machine; nothing says that Kafka or the code is at fault."""


class JavaMissing(KafkaNotToBeHad):
    """There is no Java here, or none that Kafka runs on. found: the release found, None where there is none."""

    def __init__(self, message: str, *, found: int | None) -> None:
        super().__init__(
            message, hint="Install a Java runtime, 17 or newer (Debian: openjdk-17-jre-headless)"
        )
        self.found = found


class MavenMissing(KafkaNotToBeHad):
    """There is Java, but no Maven to fetch Kafka with."""


class MavenUnreachable(KafkaNotToBeHad):
    """Maven could not reach its repository."""


def tail(text: str) -> str:
    """The last lines of what a program said, indented, to be shown in an error."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-_TAIL_LINES:])


def find_java() -> str:
    """The `java` to run: of JAVA_HOME, else of PATH. Raises JavaMissing."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None) or shutil.which("java")
    if java is None:
        raise JavaMissing("there is no java here, neither in JAVA_HOME nor on PATH", found=None)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False)
    # The version stands in quotes: "17.0.15", "21", and "1.8.0_392" for release 8.
    match = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    if said.returncode != 0 or match is None:
        # macOS has a `java` that only says where to get one.
        raise JavaMissing(f"{java} does not run as a Java runtime", found=None)
    release = int(match.group(1))
    if release < _JAVA_RELEASE:
        raise JavaMissing(f"{java} is Java {release}; Kafka needs {_JAVA_RELEASE}", found=release)
    return java


def resolve_jars(pom: Path = POM, cache: Path = CACHE) -> Path:
    """The directory with Kafka's jars, fetched by Maven the first time. Safe to call from several processes.

    Raises MavenMissing, MavenUnreachable, or BrokerUnavailable for any other failure of Maven.
    """
    jars = cache / hashlib.sha256(pom.read_bytes()).hexdigest()[:16]
    if jars.is_dir():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise MavenMissing(
            "there is no mvn on PATH to fetch Apache Kafka with",
            hint="Install Maven (Debian: apt install maven)",
        )
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="resolving-") as scratch:
        fetched = Path(scratch) / "jars"
        command = [maven, "--batch-mode", "--quiet", "--update-snapshots", "--file", str(pom), _GOAL]
        command += ["-DincludeScope=runtime", f"-DoutputDirectory={fetched}"]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=_RESOLVE_TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as late:
            raise MavenUnreachable(
                f"Maven did not fetch Apache Kafka within {_RESOLVE_TIMEOUT_SECONDS} s",
                hint=f"Run it by hand to see what it waits for: mvn -f {pom} {_GOAL}",
            ) from late
        said = run.stdout + run.stderr
        if run.returncode != 0:
            if _UNREACHABLE.search(said) and not _BAD_TRANSFER.search(said):
                raise MavenUnreachable(
                    "Maven could not reach its repository",
                    hint="Check the network, the proxy, and the mirrors in ~/.m2/settings.xml. "
                    f"The end of what Maven said:\n{tail(said)}",
                )
            raise BrokerUnavailable(
                f"Maven could not fetch Apache Kafka as {pom} asks",
                hint=f"The end of what it said:\n{tail(said)}",
            )
        try:
            fetched.rename(jars)
        except OSError:
            # Another process was faster; what it fetched is the same.
            if not jars.is_dir():
                raise
    return jars
