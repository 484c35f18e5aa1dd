"""What the pinned packages bring along: known vulnerabilities and licences. `./lifelong.sh audit` runs it.

    python .ci/audit.py [--advisories URL]

Ends with status 1 where a pinned package has a known vulnerability, or where the core would bring a GPL or AGPL licence to every user.
An advisory database that cannot be reached is said and is no failure: then only the licences were checked.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADVISORIES = "https://api.osv.dev"
SECONDS = 10.0
"""How long the database has for an answer."""
ECOSYSTEM = "PyPI"
STRONG_COPYLEFT = re.compile(r"(?<![A-Za-z])A?GPL|(?<!Lesser )(?<!Library )General Public License", re.IGNORECASE)


def pinned(files: Iterable[Path]) -> list[tuple[str, str]]:
    """Name and version of every `name==version` line, sorted; an environment may pin another version than the next."""
    lines = (re.split("[#;]", line)[0].strip() for file in files for line in file.read_text(encoding="utf-8").splitlines())
    return sorted({(name, version) for name, _, version in (line.partition("==") for line in lines) if version})


def vulnerabilities(packages: Sequence[tuple[str, str]], address: str) -> dict[str, list[str]]:
    """Ids of the known vulnerabilities of each package that has any. Raises `OSError` where the database does not answer."""
    queries = [{"package": {"name": name, "ecosystem": ECOSYSTEM}, "version": version} for name, version in packages]
    request = urllib.request.Request(  # the address is ours or typed by whoever runs it
        f"{address}/v1/querybatch", json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        results = json.load(answer)["results"]
    found = {
        f"{name} {version}": [one["id"] for one in result.get("vulns", [])]
        for (name, version), result in zip(packages, results, strict=True)
    }
    return {pin: ids for pin, ids in found.items() if ids}


def closure(requirements: Iterable[str]) -> set[str]:
    """Installed packages that these requirements bring along, without what only an extra of theirs would bring."""
    waiting, seen = list(requirements), set[str]()
    while waiting:
        requirement, _, marker = waiting.pop().partition(";")
        match = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
        name = re.sub(r"[-_.]+", "-", match.group()).lower() if match else ""
        if not name or name in seen or "extra ==" in marker:
            continue
        try:
            waiting += metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # for another system or Python
        seen.add(name)
    return seen


def licence(name: str) -> str:
    """What a package says of its licence: its expression, else its classifiers, else the first line of its licence field."""
    about = metadata.metadata(name)
    classifiers = [line.rpartition("::")[2].strip() for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    return about.get("License-Expression") or ", ".join(classifiers) or (about.get("License") or "").partition("\n")[0]


def main() -> int:
    """Check and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--advisories", default=ADVISORIES, help="address of an OSV database")
    address = parser.parse_args().advisories
    failed = False

    packages = pinned(sorted(ROOT.glob("constraints*.txt")))
    try:
        found = vulnerabilities(packages, address)
    except (OSError, ValueError, KeyError) as error:
        print(f"audit: vulnerabilities not checked: the advisory database {address} could not be reached or understood ({error})")
    else:
        failed |= bool(found)
        for name, ids in found.items():
            print(f"audit: {name} has known vulnerabilities: {', '.join(ids)}; raise its pin")
        print(f"audit: {len(packages)} pinned packages, {len(found)} with known vulnerabilities")

    core = closure(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"])
    licences = {name: licence(name) for name in sorted(core)}
    copyleft = {name: text for name, text in licences.items() if STRONG_COPYLEFT.search(text)}
    failed |= bool(copyleft)
    for name, text in copyleft.items():
        print(f"audit: the core brings {name} ({text}) to every user; make it an extra or replace it")
    unsaid = [name for name, text in licences.items() if not text]
    if unsaid:
        print(f"audit: these packages of the core do not say their licence: {', '.join(unsaid)}")
    print(f"audit: {len(core)} packages of the core, {len(copyleft)} under GPL or AGPL")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
