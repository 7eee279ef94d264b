"""Remembering without growing for ever."""

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class BoundedDict(dict[Key, Value]):
    """A dict for what can be worked out again: rather than grow beyond ``most`` entries it starts anew."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def remember(self, key: Key, value: Value) -> Value:
        """Keep ``value`` and return it."""
        if len(self) >= self._most:
            self.clear()
        self[key] = value
        return value


class BoundedSet(set[Key]):
    """A set, bounded in the same way."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def remember(self, key: Key) -> None:
        if len(self) >= self._most:
            self.clear()
        self.add(key)
