"""What the panels refuse, they name."""

import pytest

from hilladam.widgets import annealing_panel, colour_panel, escape_panel


@pytest.mark.parametrize(
    "panel, arguments, message",
    [
        (annealing_panel, {"method": "Adam"}, "Invalid method: 'Adam'; expected one of"),
        (annealing_panel, {"members": 0}, "Invalid members: 0; expected at least 1"),
        (colour_panel, {"pair": 12}, "Invalid pair: 12; expected 0 to 11"),
        (colour_panel, {"pair": "astronaut"}, "Invalid pair: astronaut; expected 0 to 11"),
        (colour_panel, {"steps": 0}, "Invalid steps: 0; expected at least 1"),
        (escape_panel, {"loss": "sixth"}, "Invalid loss: 'sixth'; expected one of"),
    ],
)
def test_what_a_panel_cannot_show_is_refused(panel, arguments, message):
    with pytest.raises(ValueError, match=message):
        panel(**arguments)
