"""Remembering without growing for ever."""

from collections.abc import Callable, Collection
from itertools import islice
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")
Text = TypeVar("Text", bound=str | bytes)


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

    def remember(self, keys: Collection[Key]) -> None:
        if len(self) + len(keys) > self._most:
            self.clear()
        self.update(islice(keys, self._most))


class Memo(Generic[Text, Value]):
    """What ``work_out`` says of texts, remembered of ``most`` texts of no more than ``longest`` characters.

    ``work_out`` is asked for many at once, and only for those that are new; only what is ``worth`` it is remembered.
    Any thread may use it.
    """

    def __init__(
        self,
        work_out: Callable[[list[Text]], list[Value]],
        most: int,
        longest: int,
        worth: Callable[[Value], bool] | None = None,
    ) -> None:
        self._work_out = work_out
        self._worth = worth
        self._most = most
        self._longest = longest
        # Nothing leaves it, for another thread may be reading: when it is full, a new one takes its place.
        self._known: dict[Text, Value] = {}

    def __len__(self) -> int:
        return len(self._known)

    def of(self, text: Text) -> Value:
        """Raises what ``work_out`` raises."""
        known = self._known
        return known[text] if text in known else self.column([text])[0]

    def column(self, texts: list[Text]) -> list[Value]:
        """Of each of ``texts``, in their order. Raises what ``work_out`` raises."""
        known = self._known
        try:
            return list(map(known.__getitem__, texts))
        except KeyError:
            new_texts = list(set(texts).difference(known))
        new = dict(zip(new_texts, self._work_out(new_texts), strict=True))
        self._remember(new)
        try:
            return list(map(self._known.__getitem__, texts))
        except KeyError:
            # Some are too long, or too many.
            return [known[text] if text in known else new[text] for text in texts]

    def _remember(self, new: dict[Text, Value]) -> None:
        if max(map(len, new), default=0) > self._longest:
            new = {text: value for text, value in new.items() if len(text) <= self._longest}
        if self._worth is not None:
            new = {text: value for text, value in new.items() if self._worth(value)}
        if len(self._known) + len(new) > self._most:
            self._known = {}
        self._known.update(islice(new.items(), self._most))
