"""A stand-in for the base image where no public registry can be reached: Debian's, with its Python.

Made once a machine, kept as a tar file, with the machine's certificates and pip's settings. For
tests; what is shipped is built on the real one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from filelock import FileLock

from tools.shipping.engine import RUNNING_ENGINE, Engine, EngineError

NAME: Final = "python:3.11-slim-bookworm"
RELEASE: Final = "bookworm"
_PACKAGES: Final = "python3,python3-venv,python3-pip,ca-certificates"
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
# Files that pip's settings may name are not in the image.
_SETTINGS: Final = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout")
# What is compiled is not in the real one either.
_LEFT_OUT: Final = (
  "*/__pycache__",
  "./dev/*",
  "./usr/share/doc/*",
  "./usr/share/info/*",
  "./usr/share/locale/*",
  "./usr/share/man/*",
  "./var/cache/apt/*",
  "./var/lib/apt/lists/*",
  "./var/log/*",
)


def provide_base(engine: Engine) -> str:
  """The name of a base image that the engine has; a stand-in, kept in the user's cache, where it had none.

  Raises:
      EngineError: debootstrap can't make it; with the end of what it said.
  """
  if engine.try_run("image", "inspect", NAME).returncode == 0:
    return NAME
  # It may reach the public registry.
  if os.environ.get(RUNNING_ENGINE) and engine.try_run("pull", NAME).returncode == 0:
    return NAME
  folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "loantap"
  folder.mkdir(parents=True, exist_ok=True)
  settings = _read_pip_settings()
  recipe = "\n".join((RELEASE, _PACKAGES, *_LEFT_OUT, settings)).encode()
  certificates = _CERTIFICATES.read_bytes() if _CERTIFICATES.exists() else b""
  digest = hashlib.sha256(recipe + certificates).hexdigest()[:12]
  archive = folder / f"base-{RELEASE}-{digest}.tar"
  with FileLock(f"{archive}.lock"):
    if not archive.exists():
      _make(archive, settings, certificates)
  engine.run("import", "--change", 'CMD ["python3"]', str(archive), NAME)
  return NAME


def _make(archive: Path, settings: str, certificates: bytes) -> None:
  with tempfile.TemporaryDirectory(prefix="loantap-base-") as place:
    root = Path(place) / "root"
    _try("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", RELEASE, str(root))
    if certificates:
      (root / _CERTIFICATES.relative_to("/")).write_bytes(certificates)
    (root / "etc/pip.conf").write_text(settings)
    # The real one has this name.
    (root / "usr/bin/python").symlink_to("python3")
    partial = archive.with_suffix(".partial")
    left_out = [f"--exclude={each}" for each in _LEFT_OUT]
    _try("tar", "-C", str(root), *left_out, "-cf", str(partial), ".")
    partial.replace(archive)


def _try(program: str, *arguments: str) -> None:
  path = f"/usr/sbin:/sbin:{os.environ.get('PATH', '')}"
  ended = subprocess.run(
    [shutil.which(program, path=path) or program, *arguments],
    env=os.environ | {"PATH": path},
    stdin=subprocess.DEVNULL,
    capture_output=True,
    text=True,
    check=False,
  )
  if ended.returncode:
    said = (ended.stdout + ended.stderr)[-2000:]
    raise EngineError(f"{program} can't make the base image: {said}")


def _read_pip_settings() -> str:
  listed = subprocess.run(
    [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
  ).stdout
  found = {"cert": str(_CERTIFICATES)} if _CERTIFICATES.exists() else {}
  for line in listed.splitlines():
    key, _, value = line.partition("=")
    name = key.strip(":.").rpartition(".")[2].lower()
    addresses = [each for each in value.strip("'\"").split() if not each.startswith("file:")]
    if name in _SETTINGS and addresses:
      found[name] = " ".join(addresses)
  return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in sorted(found.items()))
