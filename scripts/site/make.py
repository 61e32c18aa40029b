"""Makes the site of the documents: ``python scripts/site/make.py [--out FOLDER]``, or ``make docs``.

The pages are staged in a folder of their own (``stage.py``), Zensical builds them in strict mode, the plain texts for
language models are put beside them (``llms.py``), and the result is checked (``check.py``). It ends with 1, and says
why, if anything is wrong.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import check
import llms
import stage

SITE = Path(__file__).parent
ROOT = SITE.parents[1]


def main() -> int:
    """Build the site and check it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "site", help="the folder for the site (default: site/)")
    out = parser.parse_args().out.resolve()
    with tempfile.TemporaryDirectory(prefix="stepwell-docs-") as folder:
        work = Path(folder)
        pages = stage.stage(ROOT, work / "docs")
        config = configure(work)
        titles = stage.navigation(config)
        problems = stage.without_navigation(pages, titles)
        problems += build(config)
        if (work / "site").exists():
            llms.write(work / "docs", work / "site", titles)
            problems += check.problems(work / "site")
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(work / "site", out)
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems:
        print(f"{len(pages)} pages in {out}")
    return 1 if problems else 0


def configure(work: Path) -> Path:
    """The configuration for this build: that of the project, with the folder of the sources. Zensical wants all pages
    and the site below the folder of its configuration."""
    text = (SITE / "zensical.toml").read_text(encoding="utf-8").replace("@PYTHON@", str(ROOT / "python"))
    config = work / "zensical.toml"
    config.write_text(text, encoding="utf-8")
    return config


def build(config: Path) -> list[str]:
    """What Zensical complains about. Its strict mode ends with an error for some warnings; any other one counts too."""
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean", "--config-file", str(config)]
    done = subprocess.run(command, cwd=config.parent, capture_output=True, text=True, check=False)
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    if done.returncode or re.search(r"\bwarning\b|\berror\b", said, re.IGNORECASE):
        return [f"Zensical, exit code {done.returncode}:\n{said}"]
    return []


if __name__ == "__main__":
    raise SystemExit(main())
