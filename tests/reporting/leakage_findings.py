def make_finding(name, auc, verdict="passed", remarks=(), used_by=()):
	return {
		"feature": name,
		"n": 4_715,
		"groups": 20,
		"auc": auc,
		"auc_low": auc - 0.02,
		"auc_high": auc + 0.02,
		"auc_in_sample": auc + 0.02,
		"verdict": verdict,
		"caught": verdict == "caught",
		"reasons": list(remarks) if verdict == "caught" else [],
		"warnings": list(remarks) if verdict == "warned" else [],
		"used_by": list(used_by),
	}


def make_impact(name, auc_with, auc_without):
	same = {"log_loss": 0.45, "f2": 0.57}
	gain = auc_with - auc_without
	figures = {"roc_auc": gain, "log_loss": 0.0, "f2": 0.0}
	bounds = {f"{metric}_low": value - 0.01 for metric, value in figures.items()}
	bounds |= {f"{metric}_high": value + 0.01 for metric, value in figures.items()}
	return {
		"feature": name,
		"n": 2_000,
		"drawn_from": 4_715,
		"with": {"roc_auc": auc_with, **same},
		"without": {"roc_auc": auc_without, **same},
		"difference": figures | bounds,
	}
