import os
import re
import subprocess
from contextlib import closing

import pytest
from sqlalchemy import make_url as parse_url

from loantap.serving.audit.records import Head
from loantap.serving.audit.store import AuditStore
from tests.conftest import PROJECT
from tests.serving.conftest import make_url
from tests.serving.entries import ANN, make_decision
from tools.sources.postgres import ADMIN
from tools.sources.system_packages import find_postgres

LINES = re.findall(
    r"^(?:pg_dump|createdb|pg_restore) .*$", (PROJECT / "docs" / "operations.md").read_text("utf-8"), re.MULTILINE
)
RESTORED = "loantap_audit_restored"


@pytest.mark.slow
@pytest.mark.parametrize("server", ["postgres"])
def test_a_restored_log_holds_and_lacks_what_came_later(url, postgres, tmp_path):
    def run(line):
        environment = os.environ | {
            "PATH": f"{find_postgres()}:{os.environ['PATH']}",
            "AUDIT_DATABASE": url,
            "PGHOST": "127.0.0.1",
            "PGPORT": str(postgres.port),
            "PGUSER": ADMIN,
            "PGPASSWORD": str(parse_url(url).password),
        }
        subprocess.run(["/bin/sh", "-c", line], cwd=tmp_path, env=environment, check=True)

    dump, create, restore = LINES
    with closing(AuditStore.open(url)) as store:
        kept = store.append([make_decision(n) for n in (1, 2)], ANN)
        store.erase(ANN, "request 17", record_ids=[kept[0].id])
        noted = store.verify().head
        run(dump)
        [later] = store.append([make_decision(3)], ANN)
    try:
        run(create)
        run(restore)
        with closing(AuditStore.open(make_url(postgres, database=RESTORED))) as restored:
            assert restored.verify(noted).is_ok
            assert restored.find(kept[1].id) == kept[1]
            assert restored.find(kept[0].id).is_erased
            assert restored.find(later.id) is None
            assert not restored.verify(Head(later.seq, later.hash)).is_ok
    finally:
        postgres.run_sql(f"DROP DATABASE IF EXISTS {RESTORED}")
