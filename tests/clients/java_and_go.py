"""AWS's SDKs for Java and Go, run by ``make test-clients``: their first compilation takes minutes."""

from __future__ import annotations

from pathlib import Path

from server.support import Served

from .support import SEEN, compiled, installed, seen_by


def test_an_approval_through_the_sdk_for_java(served: Served) -> None:
    def install(folder: Path) -> list[list[str]]:
        return [["mvn", "-q", "-B", "dependency:build-classpath", "-Dmdep.outputFile=classpath"]]

    with installed("java", "classpath", install) as folder:
        libraries = (folder / "classpath").read_text(encoding="utf-8").strip()
        path = f"target/classes:{libraries}"
        compiled(["javac", "-d", "target/classes", "-cp", libraries, "src/main/java/Client.java"], folder)
        assert seen_by(["java", "-cp", path, "Client", "java"], folder, served.url) == SEEN


def test_an_approval_through_the_sdk_for_go(served: Served) -> None:
    def install(folder: Path) -> list[list[str]]:
        return [["go", "mod", "download"], ["touch", str(folder / ".installed")]]

    with installed("go", ".installed", install) as folder:
        compiled(["go", "build", "-o", "client", "."], folder)
        assert seen_by([str(folder / "client"), "go"], folder, served.url) == SEEN
