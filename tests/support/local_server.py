"""A server on loopback whose answers a function gives."""

import contextlib
import http.server
import threading


@contextlib.contextmanager
def serve(answer):
	"""Its port; `answer` makes status and body of path, body and headers."""

	class Handler(http.server.BaseHTTPRequestHandler):
		def do_GET(self):
			sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
			status, body = answer(self.path, sent, self.headers)
			self.send_response(status)
			self.send_header("Content-Length", str(len(body)))
			self.end_headers()
			self.wfile.write(body.encode())

		do_POST = do_GET  # noqa: N815

		def log_message(self, *_):
			pass

	server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
	thread = threading.Thread(target=server.serve_forever)
	thread.start()
	try:
		yield server.server_port
	finally:
		server.shutdown()
		thread.join()
		server.server_close()
