"""What the panels refuse, they name."""

import pytest

from hilladam.widgets import colour_panel, polynomial_panel


@pytest.mark.parametrize(
    "panel, arguments, message",
    [
        (colour_panel, {"pair": 12}, "Invalid pair: 12; expected 0 to 11"),
        (colour_panel, {"pair": "astronaut"}, "Invalid pair: astronaut; expected 0 to 11"),
        (colour_panel, {"steps": 0}, "Invalid steps: 0; expected at least 1"),
        (polynomial_panel, {"loss": "sixth order"}, "Invalid loss: 'sixth order'; expected one of"),
        (polynomial_panel, {"steps": 0}, "Invalid steps: 0; expected at least 1"),
    ],
)
def test_what_a_panel_cannot_show_is_refused(panel, arguments, message):
    with pytest.raises(ValueError, match=message):
        panel(**arguments)
