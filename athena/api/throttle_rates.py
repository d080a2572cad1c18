"""Rates of requests, such as 300 per minute. Settings need them before Django is ready (see `throttles`)."""

import re
from dataclasses import dataclass

_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


@dataclass(frozen=True)
class Rate:
    calls: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """`300/minute` (or second, hour, day). Raises `ValueError`."""
        match = re.fullmatch(r"(\d{1,9})/(second|minute|hour|day)", text)
        if match is None:
            raise ValueError(f"“{text}” is not a rate like 300/minute.")
        return cls(int(match[1]), _SECONDS[match[2]])
