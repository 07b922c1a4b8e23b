"""What risk does: change the policy as two people."""

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
