from __future__ import annotations

from plugin_host.engine.watchdog import Relief, Watchdog


class Machine:
    """Counts missed deadlines and keeps the steps that are in force."""

    def __init__(self) -> None:
        self.missed = 0
        self.steps: list[str] = []
        names = ["spectra off", "lighter model", "aligned bypass"]
        self.dog = Watchdog([self._relief(name) for name in names], lambda: self.missed)

    def _relief(self, name: str) -> Relief:
        return Relief(name, lambda: self.steps.append(name), lambda: self.steps.remove(name))

    def live(self, start: float, seconds: float, misses_a_second: int = 0) -> list[str]:
        sentences = []
        for tick in range(round(10 * seconds)):
            self.missed += misses_a_second if tick % 10 == 0 else 0
            sentences.append(self.dog.check(start + tick / 10))
        return [sentence for sentence in sentences if sentence]


def test_steps_are_taken_in_order_and_taken_back_in_reverse() -> None:
    machine = Machine()
    assert machine.live(0.0, 5.0, misses_a_second=10)[0] == "too many missed deadlines: spectra off"
    assert machine.steps == machine.dog.taken == ["spectra off", "lighter model", "aligned bypass"]
    sentences = machine.live(5.0, 60.0)
    assert sentences[0] == "calm again: no longer aligned bypass"
    assert machine.steps == machine.dog.taken == []


def test_a_few_accidents_change_nothing() -> None:
    machine = Machine()
    assert machine.live(0.0, 60.0, misses_a_second=1) == []


def test_each_relapse_waits_longer_before_the_next_recovery() -> None:
    machine = Machine()
    clock, calms = 0.0, []
    for _ in range(3):
        while not machine.steps:
            machine.live(clock, 1.0, misses_a_second=10)
            clock += 1.0
        began = clock
        while machine.steps:
            machine.live(clock, 1.0)
            clock += 1.0
        calms.append(clock - began)
    assert calms[0] < calms[1] < calms[2]


def test_a_count_that_starts_again_is_no_overload() -> None:
    machine = Machine()
    machine.missed = 1000
    machine.dog.check(0.0)
    machine.steps.clear()
    machine.missed = 0
    assert machine.live(1.0, 5.0) == []
