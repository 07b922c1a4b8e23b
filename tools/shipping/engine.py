"""A container engine of one's own, Debian's, on a socket in a temporary folder; and a base image made for it.

	with Engine.start() as engine:
		engine.run("build", "--network", "host", "--target", "api", ".")

It needs root; containers reach others with `--network host`. LOANTAP_TEST_DOCKER_HOST names an
engine to use instead, which is left running.

Where no public registry can be reached, the base image is a stand-in, Debian's with its Python: made once a machine,
kept as a tar file, with the machine's certificates and pip's settings. What is shipped is built on the real one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from filelock import FileLock

RUNNING_ENGINE: Final = "LOANTAP_TEST_DOCKER_HOST"
# Another command line speaks another dialect of `build`.
_PATH: Final = f"/usr/bin:/usr/sbin:/bin:/sbin:{os.environ.get('PATH', '')}"
_PROGRAMS: Final = {"docker": "docker.io", "dockerd": "docker.io", "containerd": "docker.io", "runc": "docker.io"}
_CAP_SYS_ADMIN: Final = 21
_READY_WITHIN_S: Final = 60
_PAUSE_S: Final = 0.1
BASE_IMAGE: Final = "python:3.11-slim-bookworm"
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


class EngineError(RuntimeError):
	"""The engine does not start, or refuses a command."""


def find_missing() -> list[str]:
	"""The packages that an engine and its base image lack here, by Debian's name."""
	if os.environ.get(RUNNING_ENGINE):
		return [] if shutil.which("docker", path=_PATH) else ["docker.io"]
	programs = _PROGRAMS | {"debootstrap": "debootstrap"}
	return sorted({package for program, package in programs.items() if not shutil.which(program, path=_PATH)})


def may_mount() -> bool:
	"""Whether this process may mount, which an engine of one's own needs."""
	status = Path("/proc/self/status").read_text()
	rights = int(next(line for line in status.splitlines() if "CapEff" in line).split()[1], 16)
	return bool(rights >> _CAP_SYS_ADMIN & 1)


@dataclass(slots=True)
class Engine:
	"""An engine that runs; as a context, one that ends with it.

	Attributes:
		host: its address, as DOCKER_HOST takes it.
		folder: where it keeps its images; none of an engine that was running before.
	"""

	host: str
	folder: Path | None = None
	_daemon: subprocess.Popen[bytes] | None = field(default=None, repr=False)

	@classmethod
	def start(cls) -> Self:
		"""The engine that the environment names, or a new one that answers.

		Raises:
			EngineError: it ended, or did not answer in a minute; with the end of its log.
		"""
		if running := os.environ.get(RUNNING_ENGINE):
			return cls(running)
		folder = Path(tempfile.mkdtemp(prefix="loantap-engine-"))
		engine = cls(f"unix://{folder}/d.sock", folder, _start_daemon(folder))
		try:
			engine._wait(folder / "log")
		except BaseException:
			engine.stop()
			raise
		return engine

	@classmethod
	def find(cls) -> Self:
		"""The engine that Docker's own commands use."""
		return cls(os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock"))

	def __enter__(self) -> Self:
		return self

	def __exit__(self, *_: object) -> None:
		self.stop()

	@property
	def program(self) -> str:
		"""The command line that belongs to this engine."""
		return shutil.which("docker", path=_PATH) or "docker"

	@property
	def environment(self) -> dict[str, str]:
		"""The variables by which other clients reach it."""
		return {**os.environ, "PATH": _PATH, "DOCKER_HOST": self.host, "DOCKER_BUILDKIT": "1"}

	def try_run(self, *arguments: str, timeout_s: float = 900) -> subprocess.CompletedProcess[str]:
		"""What `docker ARGUMENTS` says and its exit code, whatever it is."""
		return subprocess.run(
			[self.program, *arguments],
			env=self.environment,
			stdin=subprocess.DEVNULL,
			capture_output=True,
			text=True,
			errors="replace",
			timeout=timeout_s,
			check=False,
		)

	def run(self, *arguments: str, timeout_s: float = 900) -> str:
		"""What `docker ARGUMENTS` writes to its standard output.

		Raises:
			EngineError: it ended with another code than 0; with the end of what it said.
		"""
		ended = self.try_run(*arguments, timeout_s=timeout_s)
		if ended.returncode:
			said = (ended.stderr or ended.stdout).strip()[-4000:]
			raise EngineError(f"docker {' '.join(arguments)} ended with {ended.returncode}: {said}")
		return ended.stdout

	def stop(self) -> None:
		"""End the engine with its containers and remove what it kept; not one that ran before."""
		if self._daemon is None or self.folder is None:
			return
		self._daemon.terminate()
		try:
			self._daemon.wait(30)
		except subprocess.TimeoutExpired:
			self._daemon.kill()
			self._daemon.wait()
		self._daemon = None
		# It leaves its network's namespace mounted.
		mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
		for place in reversed(mounts):
			if Path(place).is_relative_to(self.folder):
				subprocess.run([shutil.which("umount", path=_PATH) or "umount", place], check=False)
		shutil.rmtree(self.folder, ignore_errors=True)

	def _wait(self, log: Path) -> None:
		deadline = time.monotonic() + _READY_WITHIN_S
		while self._daemon and self._daemon.poll() is None and time.monotonic() < deadline:
			if self.try_run("version").returncode == 0:
				return
			time.sleep(_PAUSE_S)
		raise EngineError(f"The engine does not start: {log.read_text(errors='replace')[-2000:]}")


def _start_daemon(folder: Path) -> subprocess.Popen[bytes]:
	"""Without firewall rules, whose rights a container of tests lacks."""
	command = [
		shutil.which("dockerd", path=_PATH) or "dockerd",
		f"--host=unix://{folder}/d.sock",
		f"--data-root={folder}/data",
		f"--exec-root={folder}/exec",
		f"--pidfile={folder}/pid",
		"--iptables=false",
		"--ip6tables=false",
		"--ip-forward=false",
		"--ip=127.0.0.1",
		"--default-ulimit=nofile=4096:4096",
	]
	with (folder / "log").open("wb") as log:
		return subprocess.Popen(
			command,
			env=os.environ | {"PATH": _PATH},
			stdin=subprocess.DEVNULL,
			stdout=log,
			stderr=log,
			start_new_session=True,
		)


def provide_base(engine: Engine) -> str:
	"""The name of a base image that the engine has; a stand-in, kept in the user's cache, where it had none.

	Raises:
		EngineError: debootstrap can't make it; with the end of what it said.
	"""
	if engine.try_run("image", "inspect", BASE_IMAGE).returncode == 0:
		return BASE_IMAGE
	# It may reach the public registry.
	if os.environ.get(RUNNING_ENGINE) and engine.try_run("pull", BASE_IMAGE).returncode == 0:
		return BASE_IMAGE
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
	engine.run("import", "--change", 'CMD ["python3"]', str(archive), BASE_IMAGE)
	return BASE_IMAGE


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
	ended = subprocess.run(
		[shutil.which(program, path=_PATH) or program, *arguments],
		env=os.environ | {"PATH": _PATH},
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
