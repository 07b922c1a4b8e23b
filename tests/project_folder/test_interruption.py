import os
import signal
import subprocess
import sys

import pytest

from loantap.project.interruption import Interruption, leave_at_once_while_starting


@pytest.fixture
def asked():
	return Interruption()


@pytest.mark.parametrize(
	("number", "name", "code"),
	[(signal.SIGINT, "Ctrl-C", 130), (signal.SIGTERM, "SIGTERM", 143), (signal.SIGHUP, "SIGHUP", 129)],
)
def test_it_is_obeyed_with_the_exit_code_that_shells_know(asked, number, name, code):
	with asked.listening(), pytest.raises(KeyboardInterrupt):
		os.kill(os.getpid(), number)

	assert (asked.name, asked.settle()) == (name, code)


def test_the_exit_code_is_heeded_wherever_the_interruption_came(tmp_path):
	"""Python ends `python -m` by SIGINT itself where an `exec` of text was interrupted last."""
	(tmp_path / "interrupted.py").write_text(
		"import sys\n"
		"from loantap.project.interruption import interruption\n"
		"text = 'import os; os.kill(os.getpid(), 2)\\nfor _ in range(1000): pass'\n"
		"with interruption.listening():\n"
		"    try:\n"
		"        exec(text)\n"
		"    except KeyboardInterrupt:\n"
		"        print('interrupted')\n"
		"sys.exit(interruption.settle())\n"
	)
	ended = subprocess.run(
		[sys.executable, "-m", "interrupted"], cwd=tmp_path, capture_output=True, text=True, check=False
	)

	assert (ended.returncode, ended.stdout) == (130, "interrupted\n"), ended.stderr


def test_what_is_brief_is_done_whole_and_then_it_can_be_obeyed(asked):
	done = []
	with asked.listening():
		with asked.deferred():
			os.kill(os.getpid(), signal.SIGTERM)
			done.append("whole")
		with pytest.raises(KeyboardInterrupt):
			asked.obey()

	assert done == ["whole"]


def test_where_nobody_asked_nothing_is_done_and_handlers_are_put_back(asked):
	numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
	before = [signal.getsignal(each) for each in numbers]
	with asked.listening():
		asked.obey()

	assert (asked.received, asked.settle()) == (None, 0)
	assert before == [signal.getsignal(each) for each in numbers]


def test_what_the_process_was_told_to_ignore_stays_ignored(asked):
	before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
	try:
		with asked.listening():
			os.kill(os.getpid(), signal.SIGHUP)
	finally:
		signal.signal(signal.SIGHUP, before)

	assert asked.received is None


def test_while_starting_the_process_leaves_at_once_and_says_that_nothing_was_done():
	"""Whatever an import would make of an exception."""
	text = (
		"import os, signal\n"
		"from loantap.project.interruption import leave_at_once_while_starting\n"
		"leave_at_once_while_starting()\n"
		"try:\n"
		"    os.kill(os.getpid(), signal.SIGTERM)\n"
		"finally:\n"
		"    print('an exception')\n"
	)
	ended = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)

	assert ended.returncode == 143
	assert "nothing was done, nothing is published" in ended.stderr
	assert ended.stdout == ""


def test_a_handler_of_somebody_elses_stays():
	def mine(*_): ...

	before = signal.signal(signal.SIGTERM, mine)
	others = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGHUP)
	try:
		leave_at_once_while_starting()
		assert signal.getsignal(signal.SIGTERM) is mine
	finally:
		signal.signal(signal.SIGTERM, before)
		signal.signal(signal.SIGINT, others[0])
		signal.signal(signal.SIGHUP, others[1])
