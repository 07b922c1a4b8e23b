import json
import logging
import sys

from loantap.serving.api.logs import JsonFormatter, is_alarm


def make_record(text, *arguments, exc_info=None):
  return logging.LogRecord("loantap.x", logging.WARNING, __file__, 1, text, arguments, exc_info)


def test_a_line_is_json_with_its_message_and_level():
  line = json.loads(JsonFormatter().format(make_record("a %s happened", "thing")))

  assert line.pop("at").endswith("Z")
  assert line == {"level": "warning", "event": "log", "logger": "loantap.x", "message": "a thing happened"}


def test_of_an_exception_its_type_and_place_are_told_and_not_its_text():
  def fail():
    raise ValueError("Zoë earns 52,000")

  try:
    fail()
  except ValueError:
    line = JsonFormatter().format(make_record("it failed", exc_info=sys.exc_info()))

  told = json.loads(line)
  assert told["exception"] == "ValueError"
  assert told["where"].startswith(f"{__file__}:")
  assert told["where"].endswith(" fail")
  assert "52,000" not in line


def test_the_server_does_not_warn_of_many_threads():
  assert not is_alarm(make_record("Configuration allows spawning up to 130 threads"))
  assert is_alarm(make_record("the disk is full"))
