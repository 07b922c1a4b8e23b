import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from loantap.serving.api.metrics_folder import own_folder

# A server whose process parted in two, as that of the API does.
_SERVER = """
import os, sys, time
from pathlib import Path
from loantap.serving.api.metrics_folder import own_folder
with own_folder(Path(sys.argv[1])) as folder:
    child = os.fork()
    if child:
        print(child, folder, flush=True)
    time.sleep(60)
"""


def test_it_is_there_until_the_end(tmp_path):
    with own_folder(tmp_path) as folder, own_folder(tmp_path) as other:
        (folder / "counter_1.db").write_bytes(b"1")
        assert folder.parent == other.parent == tmp_path
        assert folder != other
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_killed_server_goes_once_none_of_its_processes_lives(tmp_path):
    command = [sys.executable, "-c", _SERVER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        child, left = server.stdout.readline().split()
        server.kill()
    (Path(left) / "counter_1.db").write_bytes(b"1")

    with own_folder(tmp_path):
        assert Path(left).exists()
    descriptor = os.pidfd_open(int(child))
    os.kill(int(child), signal.SIGKILL)
    assert select.select([descriptor], [], [], 10)[0]
    os.close(descriptor)
    with own_folder(tmp_path):
        assert not Path(left).exists()


def test_a_folder_of_somebody_else_stays(tmp_path):
    (tmp_path / "loantap-metrics-without-lock").mkdir()

    with own_folder(tmp_path):
        pass

    assert (tmp_path / "loantap-metrics-without-lock").exists()
