"""What risk does: change the policy as two people, look at portfolio and model."""

from playwright.sync_api import expect

VERSION = "e2e-1"
LARGEST = "Largest loan without a person"


def test_a_policy_is_proposed_tried_activated_by_another_person_and_rolled_back(
    asha, meera, served
):
    before = served.get("/v1/policy")["version"]
    served.decide(application_id="e2e-policy")
    asha.go("Policy")
    asha.see(f"In force: {before}")

    asha.page.get_by_text("Propose a change").click()
    asha.write("New version", VERSION)
    asha.write(LARGEST, "1000")
    asha.press("Propose")
    asha.see(f"npv {VERSION} is proposed. Another person can activate it.")
    asha.press("Try on the last 30 days", after=f"npv {VERSION}")
    trial = served.post(f"/v1/policies/{served.find_proposal(VERSION)}/try", json={})
    moved = sum(change["n"] for change in trial["changes"])
    assert moved > 0
    asha.see(f"{moved} of {trial['n']} decisions would have been others.")
    expect(asha.find_after(f"npv {VERSION}", "Activate")).to_be_disabled()
    asha.see("You proposed or wrote it: another person activates it")

    meera.go("Policy")
    row = meera.page.locator("tr").filter(has_text=LARGEST)
    expect(row).to_contain_text("1,000")
    meera.press("Activate", after=f"npv {VERSION}")
    meera.see(f"npv {VERSION} decides from now on.")
    assert served.get("/v1/policy")["approved_by"] == "Meera Iyer"
    asha.go("Policy")
    asha.see(f"In force: npv {VERSION}")

    meera.press(f"Roll back to {before}")
    meera.press("Yes, roll back")
    meera.see(f"{before} decides again.")
    assert served.get("/v1/policy")["version"] == before


def test_the_frontier_of_the_portfolio_follows_its_slider(asha):
    asha.go("Portfolio")
    for heading in ("Findings", "What to do", "Segments", "The frontier, by your own assumptions"):
        expect(asha.page.get_by_role("heading", name=heading)).to_be_visible()
    expect(asha.page.get_by_role("img").filter(has_text="Expected NPV above 0")).to_be_visible()
    row = asha.page.locator("tr").filter(has_text="Expected NPV above 0").first
    before = row.inner_text()

    asha.page.get_by_role("slider", name="LGD").press("End")

    expect(row).not_to_have_text(before)


def test_the_model_page_shows_figures_calibration_stability_and_the_card(asha):
    asha.go("Model")
    asha.see("Champion: loantap-lending-demo, version 1")
    expect(asha.page.locator("tr").filter(has_text="AUC").first).to_contain_text("[")
    expect(asha.page.get_by_role("img").filter(has_text="Observed default rate")).to_be_visible()
    expect(asha.page.locator("tr").filter(has_text="PSI of the score")).to_be_visible()
    expect(asha.page.locator("tr").filter(has_text="champion")).to_be_visible()

    asha.page.get_by_text("Read it here").click()

    card = asha.page.frame_locator("iframe").get_by_role("heading", name="Model card")
    expect(card.first).to_be_visible()
