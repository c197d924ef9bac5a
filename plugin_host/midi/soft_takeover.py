"""Soft takeover: a control moves a setting only once it stands where the setting stands, so nothing ever jumps."""

from __future__ import annotations


class SoftTakeover:
    """Whether one hardware control has hold of one setting.

    It takes hold when it comes within the tolerance of the setting, or when it crossed the setting between two
    messages, which a fast move does without ever being near. Whatever else moves the setting releases it.

    Args:
        tolerance: How near is near enough, as a share of the whole way.

    Attributes:
        taken: Whether it has hold.
        position: Where the control stands, 0..1; None until it was heard.
    """

    def __init__(self, tolerance: float = 0.02) -> None:
        self._tolerance = tolerance
        self.taken = False
        self.position: float | None = None

    def release(self) -> None:
        """Let go: something else moved the setting."""
        self.taken = False

    def forget(self) -> None:
        """Let go and forget the position: the control may have moved unheard."""
        self.taken, self.position = False, None

    def rest(self, position: float) -> None:
        """Note that the control stands at the setting already, such as a motor fader that was sent there."""
        self.position, self.taken = position, True

    def offer(self, position: float, setting: float, low: float | None = None, high: float | None = None) -> bool:
        """Say whether a move of the control may move the setting.

        Args:
            position: Where the control stands now, 0..1.
            setting: Where the setting stands, 0..1.
            low: Where it stood lowest since the last call, if not at one of the two.
            high: Where it stood highest.
        """
        points = [position, position if low is None else low, position if high is None else high]
        if self.position is not None:
            points.append(self.position)
        crossed = min(points) <= setting <= max(points)
        self.taken = self.taken or crossed or abs(position - setting) <= self._tolerance
        self.position = position
        return self.taken
