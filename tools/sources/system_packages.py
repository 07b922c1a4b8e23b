"""System packages the three servers need; standard library only, as there is no environment yet."""

import shutil
import subprocess
import sys
from pathlib import Path

DRIVER = "PostgreSQL Unicode"
POSTGRES = "postgresql odbc-postgresql unixodbc"
JAVA = "default-jre-headless"
DERBY = "libderby-java derby-tools"
DERBY_JARS = tuple(
	Path("/usr/share/java") / f"{name}.jar" for name in ("derby", "derbynet", "derbyclient", "derbytools")
)


def missing() -> list[str]:
	"""The packages that are not there, as `apt-get install` takes them."""
	is_there = {
		POSTGRES: find_postgres() is not None and is_driver_installed(DRIVER),
		JAVA: has_java(),
		DERBY: has_derby(),
	}
	return [packages for packages, there in is_there.items() if not there]


def find_postgres() -> Path | None:
	"""Folder of `initdb`, the newest version's; Debian keeps it off the PATH."""
	on_path = shutil.which("initdb")
	if on_path:
		return Path(on_path).resolve().parent
	found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: p.parts[-3])
	return found[-1].parent if found else None


def is_driver_installed(name: str) -> bool:
	"""Whether the ODBC driver manager knows a driver."""
	program = shutil.which("odbcinst")
	if program is None:
		return False
	command = [program, "-q", "-d", "-n", name]
	return subprocess.run(command, capture_output=True, check=False).returncode == 0


def has_java() -> bool:
	"""Whether there is a Java to run Derby and Spark on."""
	return shutil.which("java") is not None


def has_derby() -> bool:
	"""Whether Derby's archives are where Debian puts them."""
	return all(jar.exists() for jar in DERBY_JARS)


if __name__ == "__main__":
	absent = missing()
	if absent:
		sys.exit(f"sources-up: servers are missing. Run: apt-get install {' '.join(absent)}")
