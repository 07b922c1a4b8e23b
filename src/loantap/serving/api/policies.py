"""Routes of the policy book."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from apiflask import APIFlask
from flask import Response

from loantap.policy.decisions import Decider
from loantap.serving.api.answers import ProblemError, answer
from loantap.serving.api.decisions import ADMIN, READ
from loantap.serving.api.office import Office
from loantap.serving.api.openapi import describe, in_json, in_query
from loantap.serving.api.requests import read_object, read_text
from loantap.serving.api.service_schemas import ActivePolicy as PolicyTold
from loantap.serving.api.service_schemas import Policies, Trial
from loantap.serving.api.service_schemas import Proposal as ProposalTold
from loantap.serving.audit.chain import write_time
from loantap.serving.audit.records import Record
from loantap.serving.desk.replay import try_on_decisions
from loantap.serving.policies.entries import UNAPPROVED, ActivePolicy, BookEntry, Proposal

# Enough to see what a policy does.
_MOST: Final = 50_000
_BODY: Final = {
	"type": "object",
	"properties": {
		"policy": {"type": "object", "description": "Without approved_by and digest"},
		"economics": {"type": "object", "description": "Those in force where it is left out"},
	},
	"required": ["policy"],
	"additionalProperties": False,
}


def add_policies(app: APIFlask, office: Office) -> None:
	"""Add the routes of the policy book."""

	@app.get("/v1/policy")
	@describe(app, "The policy in force", "Policy", told=PolicyTold, scope=READ, problems=(404,))
	def get_policy() -> Response:
		office.enter(READ)
		active = office.book.active()
		if active is None:
			raise ProblemError("not-found", "No policy is in force. Start loantap-api in the project's folder.")
		return answer(_tell_active(active))

	@app.get("/v1/policies")
	@describe(app, "All policies, newest first", "Policy", told=Policies, scope=READ)
	def list_policies() -> Response:
		office.enter(READ)
		active = office.book.active()
		items = [_tell_entry(entry) for entry in office.book.history()]
		return answer({"items": items, "can_roll_back_to": active.can_roll_back_to if active else None})

	@app.post("/v1/policies")
	@describe(
		app,
		"Propose a policy",
		"Policy",
		told=ProposalTold,
		status=201,
		scope=ADMIN,
		problems=(409, 422),
		body=in_json(_BODY),
	)
	def propose_policy() -> Response:
		visitor = office.enter(ADMIN)
		content = read_object(office.settings.max_body)
		proposal = office.book.propose(content, visitor.as_caller())
		return answer(_tell_proposal(proposal) | {"state": "proposed"}, 201)

	@app.post("/v1/policies/<policy_id>/activate")
	@describe(
		app,
		"Put a policy in force that another person proposed",
		"Policy",
		told=PolicyTold,
		scope=ADMIN,
		problems=(404, 409, 422),
	)
	def activate_policy(policy_id: str) -> Response:
		visitor = office.enter(ADMIN)
		active = office.book.activate(policy_id, visitor.as_caller())
		# Other processes follow within a second.
		office.desk.renew()
		return answer(_tell_active(active))

	@app.post("/v1/policies/rollback")
	@describe(
		app,
		"Go back to the policy before",
		"Policy",
		told=PolicyTold,
		scope=ADMIN,
		problems=(409,),
		parameters=[in_query("from", "Id of the one that must be in force")],
	)
	def roll_back() -> Response:
		visitor = office.enter(ADMIN, "from")
		active = office.book.roll_back(visitor.as_caller(), read_text("from"))
		office.desk.renew()
		return answer(_tell_active(active))

	@app.post("/v1/policies/<policy_id>/try")
	@describe(
		app,
		"What a policy would have done to the decisions of the last 30 days",
		"Policy",
		told=Trial,
		scope=READ,
		problems=(404, 409, 422),
	)
	def try_policy(policy_id: str) -> Response:
		office.enter(READ)
		policy, economics = office.book.find_proposal(policy_id).try_out()
		decider = Decider(policy, policy.find_scenario(economics))
		until = datetime.now(UTC)
		since = until - timedelta(days=30)
		tried = try_on_decisions(decider, _list_decisions(office, since), office.book)
		return answer({**asdict(tried), "since": write_time(since), "until": write_time(until)})


def _list_decisions(office: Office, since: datetime) -> list[Record]:
	found: list[Record] = []
	after: str | None = None
	while len(found) < _MOST:
		page = office.store.search(since=since, after=after, limit=500)
		found += page.records
		after = page.next
		if after is None:
			break
	return found


def _tell_active(active: ActivePolicy) -> dict[str, Any]:
	policy = active.policy
	return {
		"id": active.proposal_id,
		"version": policy.name,
		"digest": policy.short_digest,
		"author": policy.author,
		"approved_by": policy.approved_by,
		"effective_from": str(policy.effective_from),
		"activated_at": write_time(active.activated_at),
		"activated_by": active.activated_by,
		"policy": policy.model_dump(mode="json", exclude=set(UNAPPROVED)),
		"economics": active.economics.model_dump(mode="json"),
	}


def _tell_proposal(proposal: Proposal) -> dict[str, Any]:
	return {
		"id": proposal.id,
		"version": proposal.name,
		"author": proposal.policy["author"],
		"effective_from": str(proposal.effective_from),
		"proposed_at": write_time(proposal.at),
		"proposed_by": proposal.person,
		"policy": dict(proposal.policy),
		"economics": dict(proposal.economics),
	}


def _tell_entry(entry: BookEntry) -> dict[str, Any]:
	return _tell_proposal(entry.proposal) | {
		"state": entry.state,
		"digest": entry.digest[:12] if entry.digest else None,
		"approved_by": entry.approved_by,
		"activated_at": write_time(entry.activated_at) if entry.activated_at else None,
	}
