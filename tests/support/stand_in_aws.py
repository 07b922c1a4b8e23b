"""What stands for AWS on loopback."""

import logging
from contextlib import contextmanager

from moto.server import ThreadedMotoServer


@contextmanager
def serve_aws():
	"""Moto; its address."""
	logging.getLogger("werkzeug").setLevel(logging.ERROR)
	server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
	server.start()
	host, port = server.get_host_and_port()
	try:
		yield f"http://{host}:{port}"
	finally:
		server.stop()


def aws_variables(url, region="eu-west-1"):
	"""By which AWS's libraries ask there."""
	keys = {"AWS_ACCESS_KEY_ID": "AKIAMADEUP", "AWS_SECRET_ACCESS_KEY": "made-up"}
	return {**keys, "AWS_ENDPOINT_URL": url, "AWS_REGION": region}
