"""A container engine of one's own: Debian's, on a socket in a temporary folder.

    with Engine.start() as engine:
        engine.run("build", "--network", "host", "--target", "api", ".")

It needs root; containers reach others with `--network host`. LOANTAP_TEST_DOCKER_HOST names an
engine to use instead, which is left running.
"""

import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

RUNNING_ENGINE: Final = "LOANTAP_TEST_DOCKER_HOST"
# Another command line speaks another dialect of `build`.
_PATH: Final = f"/usr/bin:/usr/sbin:/bin:/sbin:{os.environ.get('PATH', '')}"
_PROGRAMS: Final = {"docker": "docker.io", "dockerd": "docker.io", "containerd": "docker.io", "runc": "docker.io"}
_CAP_SYS_ADMIN: Final = 21
_READY_WITHIN_S: Final = 60
_PAUSE_S: Final = 0.1


class EngineError(RuntimeError):
  """The engine does not start, or refuses a command."""


def find_missing() -> list[str]:
  """The packages that an engine and its base image lack here, by Debian's name."""
  if os.environ.get(RUNNING_ENGINE):
    return [] if shutil.which("docker", path=_PATH) else ["docker.io"]
  programs = _PROGRAMS | {"debootstrap": "debootstrap"}
  absent = {package for program, package in programs.items() if not shutil.which(program, path=_PATH)}
  return sorted(absent)


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
    running = os.environ.get(RUNNING_ENGINE)
    if running:
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

  def __exit__(
    self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
  ) -> None:
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
