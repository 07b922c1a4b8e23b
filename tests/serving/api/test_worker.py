import subprocess
import sys

import pytest


@pytest.mark.slow
def test_no_library_that_only_trains_is_loaded():
    asked = (
        "import sys, loantap.serving.api.first_start, loantap.serving.api.worker; "
        "print(*sorted({'glum', 'imblearn', 'kedro', 'matplotlib', 'mlflow'} & sys.modules.keys()))"
    )

    said = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=120)

    assert said.stdout.split() == ["mlflow"]
