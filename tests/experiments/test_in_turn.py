"""Of long work an interrupt loses the part that it meets, and no other."""

import pytest

from hilladam.experiments._in_turn import in_turn


def pressed_at(at):
    def work(key):
        if key == at:
            raise KeyboardInterrupt
        return key**2

    return work


def test_the_parts_that_are_complete_are_kept():
    assert in_turn(range(4), pressed_at(None), "parts") == {0: 0, 1: 1, 2: 4, 3: 9}
    with pytest.warns(RuntimeWarning, match="Interrupted: 2 of 4 parts are complete"):
        assert in_turn(range(4), pressed_at(2), "parts") == {0: 0, 1: 1}


def test_with_nothing_to_keep_the_interrupt_passes_on():
    with pytest.raises(KeyboardInterrupt):
        in_turn(range(4), pressed_at(0), "parts")


def test_errors_are_no_interrupts():
    with pytest.raises(ZeroDivisionError):
        in_turn([1, 0], lambda key: 1 / key, "parts")


def test_progress_is_shown_to_who_asks_for_it(capsys):
    in_turn([1, 2], str, "parts")
    assert capsys.readouterr().err == ""
    in_turn([1, 2], str, "parts", "counting")
    assert "counting: " in capsys.readouterr().err
