import re
from pathlib import Path

from playwright.sync_api import expect

# Milliseconds: for a machine that does other things too.
_PATIENCE = 60_000
_MOST_TABS = 120
_FOCUSED = """
    (one => one.getAttribute("aria-label") || one.innerText.trim().split("\\n").pop())
        (document.activeElement)
"""
DESK, PHONE = 1280, 390
expect.set_options(timeout=_PATIENCE)


class Person:
	"""Opens the dashboard in a window with cookies of its own, and signs in."""

	def __init__(self, browser, address, key, width=DESK):
		self._is_narrow = width == PHONE
		context = browser.new_context(viewport={"width": width, "height": 844})
		context.set_default_timeout(_PATIENCE)
		self.asked: list[str] = []
		context.on("request", lambda request: self.asked.append(request.url))
		self.page = context.new_page()
		self.page.on("websocket", lambda socket: self.asked.append(socket.url))
		self.page.goto(address)
		self._open_sidebar()
		self.page.get_by_label("Your API key").fill(key)
		self.page.get_by_role("button", name="Sign in").click()
		expect(self.page.get_by_text("Signed in as")).to_be_visible()
		self._close_sidebar()

	def go(self, title):
		self._open_sidebar()
		self.page.get_by_role("link", name=title, exact=True).click()
		self._close_sidebar()
		expect(self.page.get_by_role("heading", name=title, level=1)).to_be_visible()
		self.wait()

	def wait(self):
		expect(self.page.locator("[data-test-script-state=notRunning]")).to_be_visible()
		expect(self.page.get_by_test_id("stSkeleton")).to_have_count(0)

	def see(self, words):
		expect(self.page.get_by_text(words).first).to_be_visible()
		self.wait()

	def find_field(self, label):
		named = re.compile(f"^{re.escape(label)}")
		texts = self.page.get_by_role("textbox", name=named)
		return texts.or_(self.page.get_by_role("spinbutton", name=named))

	def write(self, label, text):
		field = self.find_field(label)
		field.fill(text)
		field.press("Tab")

	def press(self, name):
		self.page.get_by_role("button", name=name, exact=True).click()

	def read_figure(self, name):
		"""Without what is said below it."""
		named = self.page.locator("dt", has_text=re.compile(f"^{name}$")).first
		return named.locator("xpath=following-sibling::dd[1]").inner_text().split("\n")[0]

	def tab_to(self, name):
		for _ in range(_MOST_TABS):
			self.page.keyboard.press("Tab")
			if self.page.evaluate(_FOCUSED) == name:
				return
		raise AssertionError(f"no Tab leads to {name}")

	def download(self, name):
		with self.page.expect_download() as waiting:
			self.press(name)
		return Path(waiting.value.path()).read_text("utf-8")

	def _open_sidebar(self):
		expect(self.page.get_by_role("heading", level=1)).to_be_visible()
		if self._is_narrow:
			self.page.get_by_role("button", name="Expand sidebar").click()

	def _close_sidebar(self):
		if self._is_narrow:
			self.page.get_by_role("button", name="Collapse sidebar").click()
