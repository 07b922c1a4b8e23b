"""Look for secrets and data in built images, and write down what is in them: `--help` says how."""

import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Final

import click
from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import default_settings
from rich.console import Console
from rich.table import Table

from tools.shipping.ecs import FAMILIES
from tools.shipping.engine import Engine, EngineError

# Libraries come from the locks, by hash.
_OURS: Final = ("opt/", "srv/", "source/", "made/", "locks/", "root/", "home/", "tmp/", "app/", "etc/pip.conf")
_TOOLS: Final = "opt/tools/"
_LIBRARIES: Final = "opt/loantap/venv/"
_OUR_PACKAGE: Final = "/site-packages/loantap/"
_DATA: Final = {".csv", ".parquet", ".duckdb", ".db", ".xlsx", ".env", ".pem", ".key", ".p12"}
_EXAMPLES: Final = {"token", "password", "p%40ss"}
_DIGEST: Final = re.compile(r'(?m)^  digest: "[0-9a-f]{64}"$')
# API keys, and passwords within ODBC connection strings.
_MORE: Final = re.compile(rb"lt_[0-9a-f]{8,}_[\w-]{20,}|(?i:PWD|PASSWORD)=[^;\s{}'\"]{6,};")


@dataclass(frozen=True, slots=True)
class Scanned:
	"""An image.

	Attributes:
		files: how many files of ours were read, in all layers.
		size: bytes.
		packages: how many the bill of materials lists.
		faults: what must not be in it, each with its file.
	"""

	files: int
	size: int
	packages: int
	faults: list[str]


def scan_image(engine: Engine, image: str, sbom: Path | None = None) -> Scanned:
	"""Every layer of an image, its settings and how it was made.

	Its bill of materials (CycloneDX, JSON) is written to `sbom`.

	Raises:
		EngineError: there is no such image, or no bill of materials in it.
	"""
	described = json.loads(engine.run("image", "inspect", image))[0]
	history = engine.run("history", "--no-trunc", "--format", "{{.CreatedBy}}", image)
	# As `name: value` a password is told from other words.
	config = described["Config"]
	variables = dict(each.split("=", 1) for each in config["Env"] or ())
	labels = config["Labels"] or {}
	known = labels.get("org.opencontainers.image.revision") or "unknown"
	told = json.dumps(config | {"Env": variables}, indent=0) + f"\n{history}"
	settings = told.replace(known, "the commit").encode()
	faults, files = [], 0
	if described["Config"]["User"].partition(":")[0] in {"", "0", "root"}:
		faults.append("it runs as root")
	with default_settings(), tempfile.TemporaryDirectory(prefix="loantap-scan-") as folder:
		faults += _find_secrets(Path(folder, "settings"), settings, "settings")
		for name, content in read_layers(engine, image):
			if not is_ours(name):
				continue
			files += 1
			if PurePosixPath(name).suffix in _DATA or PurePosixPath(name).name in _DATA:
				faults.append(f"{name}: no data, key or variables belong in an image")
			faults += _find_secrets(Path(folder, "file").with_suffix(PurePosixPath(name).suffix), content.read(), name)
	bill = engine.run("run", "--rm", "--network", "none", "--entrypoint", "cat", image, "/opt/loantap/sbom.json")
	if sbom:
		sbom.parent.mkdir(parents=True, exist_ok=True)
		sbom.write_text(bill)
	return Scanned(files, described["Size"], len(json.loads(bill)["components"]), faults)


def is_ours(name: str) -> bool:
	"""Whether a file of a layer came from this repository or from its build, not from a lock."""
	if not (name.startswith(_OURS) or "/" not in name) or name.endswith((".pyc", "/sbom.json")):
		return False
	return not name.startswith((_LIBRARIES, _TOOLS)) or _OUR_PACKAGE in name


def read_layers(engine: Engine, image: str) -> Iterator[tuple[str, IO[bytes]]]:
	"""Name and content of every file of every layer, also of those that a later layer removes.

	Raises:
		EngineError: the engine can't send the image, or a layer can't be read.
	"""
	layers = json.loads(engine.run("image", "inspect", image))[0]["RootFS"]["Layers"]
	opened = 0
	command = [engine.program, "save", image]
	with (
		subprocess.Popen(command, env=engine.environment, stdout=subprocess.PIPE) as saving,
		tarfile.open(fileobj=saving.stdout, mode="r|") as saved,
	):
		for part in filter(None, (saved.extractfile(one) for one in saved if one.isfile())):
			try:
				layer = tarfile.open(fileobj=part, mode="r|*")  # noqa: SIM115 (closed below)
			except tarfile.ReadError:  # a description of the image
				continue
			opened += 1
			with layer:
				for each in layer:
					if content := layer.extractfile(each) if each.isfile() else None:
						yield each.name.removeprefix("./"), content
	if saving.returncode:
		raise EngineError(f"docker save {image} ended with {saving.returncode}")
	if opened < len(set(layers)):
		raise EngineError(
			f"{opened} of {len(set(layers))} layers of {image} can be read: have the engine save "
			"them uncompressed or with gzip"
		)


def _find_secrets(place: Path, content: bytes, name: str) -> Iterator[str]:
	if _MORE.search(content):
		yield f"{name}: a key of the API, or a password of a connection"
	# The digest of the policy as shipped looks like a key.
	text = _DIGEST.sub("", content.decode(errors="replace")) if name.endswith(".yml") else None
	place.write_bytes(content if text is None else text.encode())
	found = SecretsCollection()
	found.scan_file(str(place))
	for _, secret in found:
		value = secret.secret_value or ""
		if value.lower() in _EXAMPLES:
			continue
		yield f"{name}, line {secret.line_number}: {secret.type}"


@click.command()
@click.option("--tag", required=True, help="The tag of loantap/batch and the others.")
@click.option(
	"--sbom",
	type=click.Path(path_type=Path),
	default=Path("build/sbom"),
	show_default=True,
	help="Where the bills of materials go.",
)
def main(tag: str, sbom: Path) -> None:
	"""Read every layer of the four images; exit code 1 where one holds a secret, data or root."""
	table = Table("image", "MB", "files of ours, all layers", "packages", "faults")
	console, faults = Console(), []
	try:
		engine = Engine.find()
		for part in FAMILIES:
			with console.status(f"Reading loantap/{part}"):
				found = scan_image(engine, f"loantap/{part}:{tag}", sbom / f"{part}.json")
			faults += [f"loantap/{part}: {fault}" for fault in found.faults]
			table.add_row(
				f"loantap/{part}",
				f"{found.size / 1e6:,.0f}",
				f"{found.files:,}",
				f"{found.packages:,}",
				f"{len(found.faults):,}",
			)
	except EngineError as error:
		click.echo(f"Error: {error}\nIs the image built? make image", err=True)
		sys.exit(2)
	console.print(table)
	for fault in faults:
		click.echo(fault, err=True)
	sys.exit(bool(faults))


if __name__ == "__main__":
	main()
