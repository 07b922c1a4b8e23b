def test_help_is_offered_by_the_plan_and_its_answer_is_on_record(asha, served):
	asha.go("Watch-list")
	asha.see("Simulated: these loans")
	trend = asha.page.locator(".lt-trends img").first
	assert trend.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
	asha.press("Open L-2")
	assert asha.read_figure("Instalment by the plan") == "331.50"
	asha.press("Record that the plan was offered")
	asha.see("L-2: Term extension is recorded as offered.")
	asha.page.get_by_test_id("stRadio").get_by_text("Accepted").click()
	asha.wait()
	asha.press("Record the answer")
	asha.see("Accepted is recorded.")

	[offer] = served.get("/v1/help?loan_id=L-2")["items"]
	assert (offer["person"], offer["by_plan"], offer["state"]) == ("Asha Rao", True, "accepted")


def test_monitoring_says_what_to_do_then_draws_what_moved_and_lists_all_checks_to_who_asks(asha):
	asha.go("Monitoring")
	asha.see("Train and compare. A person decides; nothing is replaced by itself.")
	asha.see("The dti_pct moved by psi")
	assert asha.read_figure("Alarms").startswith("2")
	asha.page.get_by_test_id("stRadio").get_by_text("All checks").click()
	asha.see("dti_pct: missing")
