"""The lineage as static pages: `make lineage`.

Kedro-Viz builds them in a folder without data, so that no row, preview or count of rows is in them.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

PROJECT: Final = Path(__file__).parents[1]
# Kedro-Viz asks for a font of another host, and its bundles know the addresses of maps.
_ELSEWHERE: Final = re.compile(r"\s*<link[^>]*https://[^>]*>")
_HEAD: Final = """<head>
<meta http-equiv="Content-Security-Policy" content="default-src 'self' 'unsafe-inline' data: blob:">
<script>localStorage.KedroViz ??= '{"showFeatureHints": false}'</script>"""
_NOT_NEEDED: Final = ("telemetry.html", "autoreload.html", "404.html")


def build_lineage(target: Path) -> None:
	"""Write the pages of all pipelines into a folder, which is replaced; RuntimeError if Kedro-Viz fails."""
	with TemporaryDirectory() as made:
		# Kedro-Viz tells in full where code is that is not below the folder above this one.
		folder = Path(made).resolve() / "project"
		shutil.copytree(PROJECT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
		for name in ("conf/local", "src"):
			(folder / name).mkdir()
		shutil.copy(PROJECT / "pyproject.toml", folder)
		words = [sys.executable, "-m", "kedro", "viz", "build"]
		ended = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
		pages = folder / "build"
		# It ends with 0 also where it fails.
		if not (pages / "api" / "version").is_file():
			raise RuntimeError(f"kedro viz build made no pages: {ended.stdout}{ended.stderr}")
		_clean(pages, folder)
		shutil.rmtree(target, ignore_errors=True)
		shutil.copytree(pages, target)


def _clean(pages: Path, folder: Path) -> None:
	for name in _NOT_NEEDED:
		(pages / name).unlink()
	for path in (pages / "api").rglob("*"):
		if path.is_file():
			text = path.read_text("utf-8")
			for place in (folder, PROJECT):
				text = text.replace(f"{place}/", "")
			path.write_text(text, "utf-8")
	index = pages / "index.html"
	text = _ELSEWHERE.sub("", index.read_text("utf-8"))
	text = text.replace("<head>", _HEAD).replace("<title>Kedro-Viz<", "<title>LoanTap lineage<")
	index.write_text(text, "utf-8")


@click.command()
@click.option(
	"--to", type=click.Path(path_type=Path), default="site/lineage", show_default=True, help="Folder of pages."
)
def main(to: Path) -> None:
	"""Write the lineage as static pages, without data."""
	build_lineage(to)
	click.echo(f"Lineage: {to}. To see it: python3 -m http.server --bind 127.0.0.1 --directory {to}")


if __name__ == "__main__":
	main()
